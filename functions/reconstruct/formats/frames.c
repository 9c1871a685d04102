#include "functions/reconstruct/formats/frames.h"

#include "functions/reconstruct/formats/frames_internal.h"
#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/workers.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAME_SIDE_MIN = 8,
    FRAME_SIDE_MAX = 16384,
    PATTERNS_MAX = 1 << 26,
    BLOCK_BYTES = 4 << 20,       /* read at a time, at least one entry of the first axis */
    DIRECT_BYTES_MAX = 64 << 20, /* larger chunks are left to the library */
    BYTES_A_WORKER = 2 << 20,
};

static const size_t sample_sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

static bool sample_of(const struct ff_hdf5_dataset *dataset, enum ff_sample *sample)
{
    if (dataset->kind == FF_HDF5_FLOAT)
        *sample = dataset->element_size == 4 ? FF_SAMPLE_F32 : FF_SAMPLE_F64;
    else if (dataset->kind == FF_HDF5_INTEGER)
        *sample = (enum ff_sample)(2 * __builtin_ctzl(dataset->element_size) +
                                   (dataset->is_signed ? 1 : 0));
    else
        return false;
    return true;
}

/* Whether the bytes of its chunks are the numbers of this machine. */
static bool is_native(const struct ff_hdf5_dataset *dataset)
{
    hid_t type = H5Dget_type(dataset->id);
    bool native = (H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT) &&
                  (dataset->element_size == 1 || H5Tget_order(type) == H5T_ORDER_LE);
    H5Tclose(type);
    return native;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* By chunks where they can be unpacked here, else by entries of the first axis. */
static void plan_pieces(const struct ff_hdf5_dataset *dataset, struct ff_segment *segment)
{
    hsize_t chunk[FF_HDF5_RANK_MAX] = {0};
    hid_t plist = H5Dget_create_plist(dataset->id);
    bool chunked = H5Pget_layout(plist) == H5D_CHUNKED &&
                   H5Pget_chunk(plist, FF_HDF5_RANK_MAX, chunk) == dataset->rank;
    size_t bytes = dataset->element_size;
    int offset = segment->leading - (segment->single ? 1 : 0);
    for (int i = 0; i < 3; i++) {
        size_t extent = i + offset < 0 || !chunked ? 1 : (size_t)chunk[i + offset];
        segment->piece[i] = extent;
        bytes *= extent;
    }
    segment->direct = chunked && is_native(dataset) && bytes <= DIRECT_BYTES_MAX &&
                      ff_pipeline_of(plist, &segment->pipeline) && segment->pipeline.count > 0;
    H5Pclose(plist);
    if (!segment->direct) {
        size_t entry = dataset->element_size * segment->shape[1] * segment->shape[2];
        size_t step = chunked ? segment->piece[0] : 1; /* so that no chunk is unpacked twice */
        size_t count = BLOCK_BYTES / entry / step * step;
        segment->piece[0] = least(count < step ? step : count, segment->shape[0]);
        segment->piece[1] = segment->shape[1];
        segment->piece[2] = segment->shape[2];
    }
    for (int i = 0; i < 3; i++)
        segment->pieces[i] = (segment->shape[i] + segment->piece[i] - 1) / segment->piece[i];
}

static int refuse_none(const struct ff_hdf5_dataset *dataset, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s: %s holds no frames", ff_hdf5_path(dataset->file),
            dataset->name);
    return ff_hint(error, "was the scan aborted before its first frame?");
}

/* The three axes of a dataset, of which those of extent 1 in front are not counted. */
static int shape_of(const struct ff_hdf5_dataset *dataset, bool may_be_single,
                    struct ff_segment *segment, struct ff_error *error)
{
    while (dataset->rank - segment->leading > 3 && dataset->shape[segment->leading] == 1)
        segment->leading++;
    int rank = dataset->rank - segment->leading;
    segment->single = rank == 2 && may_be_single;
    for (int i = 0; rank == 3 && i < 3; i++)
        if (dataset->shape[segment->leading + i] == 0)
            return refuse_none(dataset, error);
    if (!segment->single && (rank != 3 || dataset->kind == FF_HDF5_COMPLEX ||
                             dataset->kind == FF_HDF5_TEXT || dataset->kind == FF_HDF5_OTHER)) {
        if (ff_hdf5_expect(dataset, 3, (const size_t[]){0, 0, 0}, error) == 0)
            ff_fail(error, FF_INTERNAL, "%s: %s has an odd shape", ff_hdf5_path(dataset->file),
                    dataset->name);
        if (dataset->kind != FF_HDF5_INTEGER && dataset->kind != FF_HDF5_FLOAT)
            return -1; /* the hint is about types */
        return ff_hint(error, "frames are expected as (frame, row, column); frame_axes in a format "
                              "description tells another order");
    }
    for (int i = 0; i < 3; i++)
        segment->shape[i] = segment->single
                                ? (i == 0 ? 1 : dataset->shape[segment->leading + i - 1])
                                : dataset->shape[segment->leading + i];
    return 0;
}

/* Where frames are the axis that has as many entries as there are positions. */
static void settle_axes(const struct ff_reading *reading, struct ff_frames *frames,
                        const struct ff_segment *segment, size_t positions)
{
    static const char *const names[] = {"frame", "row", "column"};
    const char *text = reading->description.frame_axes;
    if (strcmp(text, "any") != 0) {
        /* Checked where it came from; a preset's is known to be whole. */
        if (ff_description_axes(text, names, 3, frames->axes) == 0)
            return;
    }
    bool last = segment->shape[2] == positions && segment->shape[0] != positions;
    const size_t order[2][3] = {{0, 1, 2}, {2, 0, 1}};
    memcpy(frames->axes, order[last], sizeof frames->axes);
}

static int check_extent(const struct ff_frames *frames, const struct ff_hdf5_dataset *dataset,
                        struct ff_error *error)
{
    const size_t *extent = frames->extent;
    if (extent[0] >= FRAME_SIDE_MIN && extent[1] >= FRAME_SIDE_MIN && extent[0] <= FRAME_SIDE_MAX &&
        extent[1] <= FRAME_SIDE_MAX && frames->frames <= PATTERNS_MAX)
        return 0;
    return ff_fail(
        error, FF_INPUT_INVALID,
        "%s: %s has %zu frames of %zu × %zu pixels; up to %d of %d … %d on a side are read",
        ff_hdf5_path(dataset->file), dataset->name, frames->frames, extent[0], extent[1],
        PATTERNS_MAX, FRAME_SIDE_MIN, FRAME_SIDE_MAX);
}

/* The first dataset decides; the others must be like it. */
static int join(const struct ff_reading *reading, struct ff_frames *frames,
                const struct ff_hdf5_dataset *dataset, struct ff_segment *segment, size_t positions,
                struct ff_error *error)
{
    enum ff_sample sample;
    if (!sample_of(dataset, &sample))
        return ff_hdf5_expect(dataset, 3, (const size_t[]){0, 0, 0}, error);
    bool first = frames->segment_count == 0;
    if (first) {
        settle_axes(reading, frames, segment, positions);
        frames->extent[0] = segment->shape[frames->axes[FF_AXIS_ROW]];
        frames->extent[1] = segment->shape[frames->axes[FF_AXIS_COLUMN]];
        frames->sample = sample;
        frames->sample_bytes = sample_sizes[sample];
    }
    segment->first = frames->frames;
    segment->frames = segment->shape[frames->axes[FF_AXIS_FRAME]];
    frames->frames += segment->frames;
    if (segment->shape[frames->axes[FF_AXIS_ROW]] != frames->extent[0] ||
        segment->shape[frames->axes[FF_AXIS_COLUMN]] != frames->extent[1] ||
        sample != frames->sample) {
        ff_fail(error, FF_INPUT_INVALID,
                "%s: the frames of %s are not of the shape or the type of those before",
                ff_hdf5_path(dataset->file), dataset->name);
        return ff_hint(error, "a scan has frames of one shape; does the file belong to it?");
    }
    plan_pieces(dataset, segment);
    segment->first_job = frames->jobs;
    frames->jobs += segment->pieces[0] * segment->pieces[1] * segment->pieces[2];
    return check_extent(frames, dataset, error);
}

static int add_dataset(const struct ff_reading *reading, struct ff_frames *frames, size_t file,
                       const struct ff_hdf5_dataset *dataset, bool may_be_single, size_t positions,
                       struct ff_error *error)
{
    struct ff_segment segment = {.file = file};
    memcpy(segment.name, dataset->name, sizeof segment.name);
    if (shape_of(dataset, may_be_single, &segment, error) < 0 ||
        join(reading, frames, dataset, &segment, positions, error) < 0)
        return -1;
    struct ff_segment *more = realloc(frames->segments, (frames->segment_count + 1) * sizeof *more);
    if (more == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the list of frames");
    frames->segments = more;
    more[frames->segment_count++] = segment;
    return 0;
}

/* A master file is written before what it links to, and may name more than there is: links behind
 * the last dataset that exists are passed over, with a note. */
static size_t drop_dangling(const struct ff_reading *reading, const struct ff_hdf5_file *file,
                            char **paths, size_t count)
{
    struct ff_hdf5_link link;
    struct ff_hdf5_link first = {.target = ""};
    size_t kept = count;
    /* A file that is there and cannot be read is no such case, and refused later. */
    while (kept > 0 && ff_hdf5_dangles(file, paths[kept - 1], &link) && link.file[0] == '\0') {
        first = link;
        kept--;
    }
    if (kept == count || kept == 0)
        return count;
    ff_buffer_printf(reading->notes,
                     "%zu of %zu datasets of frames are links to what is not there "
                     "(first: %s to %s)\n",
                     count - kept, count, paths[kept], first.target);
    return kept;
}

/* The first alternative that fits anything in this file. */
static int add_file(const struct ff_reading *reading, struct ff_frames *frames, size_t index,
                    size_t positions, struct ff_error *error)
{
    const struct ff_hdf5_file *file = ff_input_file(reading->input, index, error);
    const char *text = reading->description.frames;
    char **paths = NULL;
    size_t count = 0;
    struct ff_quantity place = {.path = ""};
    int result = file == NULL ? -1 : index > 0 ? ff_series_check(reading, file, error) : 0;
    while (result == 0 && count == 0 && *text != '\0') {
        free(paths);
        paths = NULL;
        result = ff_quantity_next(&text, &place, error);
        if (result == 0)
            result = ff_paths_expand(file, place.path, &paths, &count, error);
    }
    if (result == 0 && count == 0)
        result = ff_fail(error, FF_INPUT_INVALID, "%s has no dataset %s", ff_hdf5_path(file),
                         reading->description.frames);
    size_t kept = result == 0 ? drop_dangling(reading, file, paths, count) : 0;
    for (size_t i = 0; result == 0 && i < kept; i++) {
        struct ff_hdf5_dataset dataset;
        const char *const path[] = {paths[i], NULL};
        result = ff_hdf5_find(file, path, &dataset, error);
        if (result < 0)
            break;
        bool many = kept > 1 || ff_input_count(reading->input) > 1;
        result = add_dataset(reading, frames, index, &dataset, many, positions, error);
        ff_hdf5_dataset_close(&dataset);
    }
    ff_paths_free(paths, count);
    return result;
}

struct ff_frames *ff_frames_create(const struct ff_reading *reading, size_t positions,
                                   struct ff_error *error)
{
    struct ff_frames *frames = calloc(1, sizeof *frames);
    int flip = reading->description.flip_frames;
    if (frames == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the list of frames");
        return NULL;
    }
    frames->input = reading->input;
    frames->flip_rows = flip == FF_FLIP_ROWS || flip == FF_FLIP_BOTH;
    frames->flip_columns = flip == FF_FLIP_COLUMNS || flip == FF_FLIP_BOTH;
    int result = 0;
    for (size_t i = 0; result == 0 && i < ff_input_count(reading->input); i++)
        result = add_file(reading, frames, i, positions, error);
    if (result == 0)
        frames->done = ff_array_create(frames->jobs, 1, "the list of pieces", error);
    if (result == 0 && frames->done != NULL)
        return frames;
    ff_frames_destroy(frames);
    return NULL;
}

void ff_frames_destroy(struct ff_frames *frames)
{
    if (frames == NULL)
        return;
    free(frames->segments);
    free(frames->done);
    free(frames);
}

size_t ff_frames_count(const struct ff_frames *frames)
{
    return frames->frames;
}

void ff_frames_extent(const struct ff_frames *frames, size_t extent[2])
{
    memcpy(extent, frames->extent, sizeof frames->extent);
}

enum ff_sample ff_frames_sample(const struct ff_frames *frames)
{
    return frames->sample;
}

const char *ff_frames_name(const struct ff_frames *frames)
{
    return frames->segments[0].name;
}

/* Rows lie in front of columns, or the other way round. */
static bool is_turned(const struct ff_frames *frames)
{
    return frames->axes[FF_AXIS_ROW] > frames->axes[FF_AXIS_COLUMN];
}

void ff_frames_stored(const struct ff_frames *frames, size_t extent[2])
{
    extent[0] = frames->extent[is_turned(frames)];
    extent[1] = frames->extent[!is_turned(frames)];
}

void ff_frames_turn(const struct ff_frames *frames, const uint8_t *stored, uint8_t *turned)
{
    size_t rows = frames->extent[0];
    size_t columns = frames->extent[1];
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            size_t row = frames->flip_rows ? rows - 1 - r : r;
            size_t column = frames->flip_columns ? columns - 1 - c : c;
            turned[r * columns + c] =
                stored[is_turned(frames) ? column * rows + row : row * columns + column];
        }
}

size_t ff_frames_workers(const struct ff_frames *frames, size_t asked)
{
    size_t bytes = frames->frames * frames->extent[0] * frames->extent[1] * frames->sample_bytes;
    size_t busy = least(1 + bytes / BYTES_A_WORKER, frames->jobs);
    return least(ff_workers(asked), busy > 0 ? busy : 1);
}
