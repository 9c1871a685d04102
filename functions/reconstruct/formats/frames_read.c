/* Reading the frames in pieces: under a lock what asks the HDF5 library, beside it all the rest. */
#include "functions/reconstruct/formats/frames_internal.h"
#include "functions/reconstruct/formats/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct frames_run {
    struct ff_frames *frames;
    ff_frames_take *take;
    bool (*wanted)(void *user, size_t frame);
    void *user;

    pthread_mutex_t lock; /* all below, and the HDF5 library */
    size_t next_job;
    size_t open_segment; /* SIZE_MAX: none */
    struct ff_hdf5_dataset dataset;
    struct ff_error error;
    bool failed;
    atomic_bool ended; /* the receiver had enough, or something failed */
};

/* A piece: of which dataset, and which of its elements as they are stored. */
struct piece {
    size_t job;
    const struct ff_segment *segment;
    size_t start[3], extent[3];
    bool packed;      /* in `packed_bytes` of the raw buffer */
    unsigned skipped; /* filters */
    size_t packed_bytes;
};

struct worker_room {
    void *raw;
    size_t raw_bytes;
    void *values;
    size_t value_bytes;
    void *spare;
    size_t spare_bytes;
};

static hid_t memory_type(enum ff_sample sample)
{
    const hid_t types[] = {H5T_NATIVE_UINT8,  H5T_NATIVE_INT8,  H5T_NATIVE_UINT16, H5T_NATIVE_INT16,
                           H5T_NATIVE_UINT32, H5T_NATIVE_INT32, H5T_NATIVE_UINT64, H5T_NATIVE_INT64,
                           H5T_NATIVE_FLOAT,  H5T_NATIVE_DOUBLE};
    return types[sample];
}

static int fail_run(struct frames_run *run)
{
    run->failed = true;
    atomic_store(&run->ended, true);
    return -1;
}

static bool is_wanted(const struct frames_run *run, const struct piece *piece)
{
    size_t axis = run->frames->axes[FF_AXIS_FRAME];
    for (size_t i = 0; i < piece->extent[axis]; i++)
        if (run->wanted(run->user, piece->segment->first + piece->start[axis] + i))
            return true;
    return false;
}

static void describe_piece(const struct ff_frames *frames, size_t segment_index, size_t job,
                           struct piece *piece)
{
    const struct ff_segment *segment = &frames->segments[segment_index];
    size_t index = job - segment->first_job;
    *piece = (struct piece){.job = job, .segment = segment};
    for (int i = 2; i >= 0; i--) {
        piece->start[i] = index % segment->pieces[i] * segment->piece[i];
        index /= segment->pieces[i];
        size_t left = segment->shape[i] - piece->start[i];
        piece->extent[i] = left < segment->piece[i] ? left : segment->piece[i];
    }
}

static int open_segment(struct frames_run *run, size_t index)
{
    const struct ff_segment *segment = &run->frames->segments[index];
    if (run->open_segment == index)
        return 0;
    if (run->open_segment != SIZE_MAX)
        ff_hdf5_dataset_close(&run->dataset);
    run->open_segment = SIZE_MAX;
    const struct ff_hdf5_file *file = ff_input_file(run->frames->input, segment->file, &run->error);
    const char *const paths[] = {segment->name, NULL};
    if (file == NULL || ff_hdf5_find(file, paths, &run->dataset, &run->error) < 0)
        return -1;
    run->open_segment = index;
    return 0;
}

static int make_room(struct frames_run *run, void **room, size_t *has, size_t wanted)
{
    if (*has >= wanted)
        return 0;
    free(*room);
    *has = 0;
    *room = ff_array_create(wanted, 1, "a piece of the frames", &run->error);
    if (*room == NULL)
        return -1;
    *has = wanted;
    return 0;
}

/* The place of a piece in all axes of its dataset. */
static void place_of(const struct piece *piece, hsize_t start[FF_HDF5_RANK_MAX],
                     hsize_t extent[FF_HDF5_RANK_MAX])
{
    int offset = piece->segment->leading - (piece->segment->single ? 1 : 0);
    for (int i = 0; i < FF_HDF5_RANK_MAX; i++) {
        start[i] = 0;
        extent[i] = 1;
    }
    for (int i = 0; i < 3; i++) {
        if (i + offset < 0)
            continue;
        start[i + offset] = piece->start[i];
        extent[i + offset] = piece->extent[i];
    }
}

/* By the library, as the numbers of this machine. */
static int read_plainly(struct frames_run *run, const struct piece *piece, void *values)
{
    hsize_t start[FF_HDF5_RANK_MAX];
    hsize_t extent[FF_HDF5_RANK_MAX];
    place_of(piece, start, extent);
    hid_t space = H5Dget_space(run->dataset.id);
    hid_t memory = H5Screate_simple(run->dataset.rank, extent, NULL);
    herr_t status = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL);
    if (status >= 0)
        status = H5Dread(run->dataset.id, memory_type(run->frames->sample), memory, space,
                         H5P_DEFAULT, values);
    H5Sclose(memory);
    H5Sclose(space);
    if (status >= 0)
        return 0;
    ff_fail(&run->error, FF_INPUT_INVALID,
            "%s: %s cannot be read at entry %zu; the file is damaged",
            ff_hdf5_path(run->dataset.file), run->dataset.name, piece->start[0]);
    return ff_hint(&run->error, "copy the file again from where it was measured");
}

/* A chunk as it lies in the file; false where it is not there or cannot be had so. */
static bool read_packed(struct frames_run *run, struct piece *piece, struct worker_room *room)
{
    hsize_t start[FF_HDF5_RANK_MAX];
    hsize_t extent[FF_HDF5_RANK_MAX];
    hsize_t size = 0;
    uint32_t skipped = 0;
    place_of(piece, start, extent);
    if (H5Dget_chunk_storage_size(run->dataset.id, start, &size) < 0 || size == 0 ||
        size > 2 * (hsize_t)room->value_bytes + (1 << 16) ||
        make_room(run, &room->raw, &room->raw_bytes, (size_t)size) < 0 ||
        H5Dread_chunk(run->dataset.id, H5P_DEFAULT, start, &skipped, room->raw) < 0)
        return false;
    piece->packed = true;
    piece->packed_bytes = (size_t)size;
    piece->skipped = skipped;
    return true;
}

static int fetch(struct frames_run *run, struct piece *piece, struct worker_room *room)
{
    const struct ff_segment *segment = piece->segment;
    size_t bytes = run->frames->sample_bytes;
    for (int i = 0; i < 3; i++)
        bytes *= segment->piece[i];
    if (make_room(run, &room->values, &room->value_bytes, bytes) < 0)
        return -1;
    if (segment->direct && make_room(run, &room->spare, &room->spare_bytes, bytes) < 0)
        return -1;
    if (segment->direct && read_packed(run, piece, room))
        return 0;
    return read_plainly(run, piece, room->values);
}

/* The next piece, under the lock; false at the end. */
static bool next_piece(struct frames_run *run, struct piece *piece, struct worker_room *room)
{
    struct ff_frames *frames = run->frames;
    bool got = false;
    pthread_mutex_lock(&run->lock);
    size_t segment = run->open_segment != SIZE_MAX ? run->open_segment : 0;
    while (!got && !atomic_load(&run->ended) && run->next_job < frames->jobs) {
        size_t job = run->next_job++;
        while (segment + 1 < frames->segment_count &&
               frames->segments[segment + 1].first_job <= job)
            segment++;
        if (frames->done[job])
            continue;
        describe_piece(frames, segment, job, piece);
        if (!is_wanted(run, piece)) {
            frames->done[job] = 1;
            continue;
        }
        if (open_segment(run, segment) < 0 || fetch(run, piece, room) < 0)
            fail_run(run);
        else
            got = true;
    }
    pthread_mutex_unlock(&run->lock);
    return got;
}

static bool unpack(struct frames_run *run, const struct piece *piece, struct worker_room *room)
{
    size_t bytes = run->frames->sample_bytes;
    if (!piece->packed)
        return true;
    for (int i = 0; i < 3; i++)
        bytes *= piece->segment->piece[i];
    if (ff_pipeline_undo(&piece->segment->pipeline, piece->skipped, room->raw, piece->packed_bytes,
                         room->values, room->spare, bytes))
        return true;
    pthread_mutex_lock(&run->lock);
    ff_fail(&run->error, FF_INPUT_INVALID,
            "%s: %s does not unpack at entry %zu; the file is damaged",
            ff_input_path(run->frames->input, piece->segment->file), piece->segment->name,
            piece->start[0]);
    ff_hint(&run->error, "copy the file again from where it was measured");
    fail_run(run);
    pthread_mutex_unlock(&run->lock);
    return false;
}

/* An unpacked chunk is whole, also where it stands out over the edge. */
static struct ff_tile tile_of(const struct ff_frames *frames, const struct piece *piece,
                              const struct worker_room *room)
{
    const size_t *stored = piece->packed ? piece->segment->piece : piece->extent;
    const size_t steps[3] = {stored[1] * stored[2], stored[2], 1};
    const size_t *axes = frames->axes;
    size_t row = axes[FF_AXIS_ROW];
    size_t column = axes[FF_AXIS_COLUMN];
    struct ff_tile tile = {
        .frame_step = (ptrdiff_t)steps[axes[FF_AXIS_FRAME]],
        .row_step = (ptrdiff_t)steps[row],
        .column_step = (ptrdiff_t)steps[column],
        .first_frame = piece->segment->first + piece->start[axes[FF_AXIS_FRAME]],
        .frames = piece->extent[axes[FF_AXIS_FRAME]],
        .first_row = piece->start[row],
        .rows = piece->extent[row],
        .first_column = piece->start[column],
        .columns = piece->extent[column],
    };
    ptrdiff_t offset = 0;
    if (frames->flip_rows) {
        tile.first_row = frames->extent[0] - tile.first_row - tile.rows;
        offset += (ptrdiff_t)(tile.rows - 1) * tile.row_step;
        tile.row_step = -tile.row_step;
    }
    if (frames->flip_columns) {
        tile.first_column = frames->extent[1] - tile.first_column - tile.columns;
        offset += (ptrdiff_t)(tile.columns - 1) * tile.column_step;
        tile.column_step = -tile.column_step;
    }
    tile.values = (const char *)room->values + offset * (ptrdiff_t)frames->sample_bytes;
    return tile;
}

static void work(void *user, size_t index)
{
    struct frames_run *run = user;
    struct worker_room room = {0};
    struct piece piece;
    while (next_piece(run, &piece, &room)) {
        if (!unpack(run, &piece, &room))
            break;
        struct ff_tile tile = tile_of(run->frames, &piece, &room);
        if (run->take(run->user, index, &tile))
            run->frames->done[piece.job] = 1;
        else
            atomic_store(&run->ended, true);
    }
    free(room.raw);
    free(room.values);
    free(room.spare);
}

int ff_frames_read(struct ff_frames *frames, size_t workers, ff_frames_take *take,
                   bool (*wanted)(void *user, size_t frame), void *user, struct ff_error *error)
{
    struct frames_run run = {.frames = frames,
                             .take = take,
                             .wanted = wanted,
                             .user = user,
                             .lock = PTHREAD_MUTEX_INITIALIZER,
                             .open_segment = SIZE_MAX};
    ff_workers_run(workers, work, &run);
    if (run.open_segment != SIZE_MAX)
        ff_hdf5_dataset_close(&run.dataset);
    pthread_mutex_destroy(&run.lock);
    if (!run.failed)
        return 0;
    if (error != NULL)
        *error = run.error;
    return -1;
}
