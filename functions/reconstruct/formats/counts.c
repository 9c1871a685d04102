#include "functions/reconstruct/formats/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_SIDE_MIN = 8,
    FRAME_SIDE_MAX = 16384,
    PATTERNS_MAX = 1 << 26,
    BLOCK_BYTES = 8 << 20, /* read at a time, at least one frame */
};

struct counting {
    const struct ff_hdf5_dataset *dataset;
    size_t frame_rows, frame_columns; /* in the file */
    size_t top, left;                 /* of what is kept */
    size_t rows, columns;
    double saturated; /* a value that means "too many", or infinity */
    uint16_t *u16;    /* one of the two is set */
    float *f32;
    uint8_t *measured; /* DC at the corner */
    size_t bad_values;
    size_t empty_frames;
    size_t first_bad_frame;
};

/* Where the pixel (row, column) of the kept part goes, so that the middle (n / 2) lands on 0. */
static size_t shifted(size_t index, size_t extent)
{
    size_t half = extent / 2;
    return index >= half ? index - half : index + extent - half;
}

static int plan(struct counting *counting, size_t crop, struct ff_error *error)
{
    const struct ff_hdf5_dataset *dataset = counting->dataset;
    const char *path = dataset->file == NULL ? "" : ff_hdf5_path(dataset->file);
    const size_t *shape = dataset->shape;
    if (dataset->rank == 3 && shape[0] == 0) {
        ff_fail(error, FF_INPUT_INVALID, "%s: %s holds no frames", path, dataset->name);
        return ff_hint(error, "was the scan aborted before its first frame?");
    }
    if (ff_hdf5_expect(dataset, 3, (const size_t[]){0, 0, 0}, error) < 0)
        return ff_hint(error, "frames are expected as (frame, row, column)");
    if (shape[1] < FRAME_SIDE_MIN || shape[2] < FRAME_SIDE_MIN || shape[1] > FRAME_SIDE_MAX ||
        shape[2] > FRAME_SIDE_MAX || shape[0] > PATTERNS_MAX)
        return ff_fail(
            error, FF_INPUT_INVALID,
            "%s: %s has %zu frames of %zu × %zu pixels; up to %d of %d … %d on a side are read",
            path, dataset->name, shape[0], shape[1], shape[2], PATTERNS_MAX, FRAME_SIDE_MIN,
            FRAME_SIDE_MAX);
    counting->frame_rows = shape[1];
    counting->frame_columns = shape[2];
    counting->rows = crop != 0 ? crop : shape[1];
    counting->columns = crop != 0 ? crop : shape[2];
    if (counting->rows > shape[1] || counting->columns > shape[2]) {
        ff_fail(error, FF_INVALID_SETTING,
                "the setting 'crop' is %zu and the frames of %s have %zu × %zu pixels", crop, path,
                shape[1], shape[2]);
        return ff_hint(error, "crop to at most the smaller side");
    }
    /* The middle n / 2 stays the middle. */
    counting->top = shape[1] / 2 - counting->rows / 2;
    counting->left = shape[2] / 2 - counting->columns / 2;
    return 0;
}

/* Detectors write the largest value of their type where they could not count. */
static double saturation_of(const struct ff_hdf5_dataset *dataset)
{
    if (dataset->kind != FF_HDF5_INTEGER || dataset->element_size > 4)
        return INFINITY;
    double bits = 8.0 * (double)dataset->element_size - (dataset->is_signed ? 1 : 0);
    return exp2(bits) - 1;
}

static int widen(struct counting *counting, size_t done, struct ff_error *error)
{
    size_t pixels = counting->rows * counting->columns;
    float *f32 = ff_array_create(ff_array_elements(counting->dataset->shape[0], pixels, 1),
                                 sizeof *f32, "the frames as float", error);
    if (f32 == NULL)
        return -1;
    for (size_t i = 0; i < done * pixels; i++)
        f32[i] = counting->u16[i];
    free(counting->u16);
    counting->u16 = NULL;
    counting->f32 = f32;
    return 0;
}

static bool is_lossless_u16(double value)
{
    return value >= 0 && value <= UINT16_MAX && value == (double)(uint16_t)value;
}

/* Part of a row of a frame: where it comes from, and where it goes with the DC at the corner. */
struct part {
    const float *from;
    size_t to, count; /* pixels of the frame */
    size_t frame;
};

/* The usual case, quickly: whole counts within 16 bit, all of them to be used. False, and nothing
 * done, when it is another. Branches would keep the compiler from using vectors. */
static bool store_plain(struct counting *counting, const struct part *part, double *sum)
{
    float most = counting->saturated <= UINT16_MAX ? (float)counting->saturated - 1 : UINT16_MAX;
    uint16_t *to;
    unsigned odd = 0;
    uint64_t total = 0;
    if (counting->u16 == NULL || memchr(counting->measured + part->to, 0, part->count) != NULL)
        return false;
    to = counting->u16 + part->frame * counting->rows * counting->columns + part->to;
    for (size_t i = 0; i < part->count; i++) {
        float value = part->from[i];
        float held = value >= 0 && value <= most ? value : -1;
        odd |= !(held == (float)(int32_t)held && held >= 0);
    }
    if (odd)
        return false;
    for (size_t i = 0; i < part->count; i++) {
        uint32_t count = (uint32_t)(int32_t)part->from[i];
        to[i] = (uint16_t)count;
        total += count;
    }
    *sum += (double)total;
    return true;
}

static int store_carefully(struct counting *counting, const struct part *part, double *sum,
                           struct ff_error *error)
{
    size_t pixels = counting->rows * counting->columns;
    for (size_t i = 0; i < part->count; i++) {
        size_t to = part->to + i;
        double value = (double)part->from[i];
        if (!counting->measured[to]) {
            value = 0;
        } else if (!isfinite(value) || value < 0 || value >= counting->saturated) {
            if (counting->bad_values++ == 0)
                counting->first_bad_frame = part->frame;
            counting->measured[to] = 0;
            value = 0;
        }
        *sum += value;
        if (counting->u16 != NULL && !is_lossless_u16(value) &&
            widen(counting, part->frame + 1, error) < 0)
            return -1;
        if (counting->u16 != NULL)
            counting->u16[part->frame * pixels + to] = (uint16_t)value;
        else
            counting->f32[part->frame * pixels + to] = (float)value;
    }
    return 0;
}

/* Stores one frame; `frame` is as in the file. The middle of a row goes to its start, and what is
 * left of the middle behind that. */
static int store_frame(struct counting *counting, size_t index, const float *frame,
                       struct ff_error *error)
{
    size_t columns = counting->columns;
    size_t half = columns / 2;
    double sum = 0;
    for (size_t r = 0; r < counting->rows; r++) {
        const float *from = frame + (r + counting->top) * counting->frame_columns + counting->left;
        size_t to = shifted(r, counting->rows) * columns;
        const struct part parts[2] = {{from + half, to, columns - half, index},
                                      {from, to + columns - half, half, index}};
        for (int i = 0; i < 2; i++)
            if (!store_plain(counting, &parts[i], &sum) &&
                store_carefully(counting, &parts[i], &sum, error) < 0)
                return -1;
    }
    counting->empty_frames += sum <= 0;
    return 0;
}

static int read_frames(struct counting *counting, struct ff_error *error)
{
    size_t frame_pixels = counting->frame_rows * counting->frame_columns;
    size_t at_once = BLOCK_BYTES / (frame_pixels * sizeof(float));
    size_t frames = counting->dataset->shape[0];
    at_once = at_once < 1 ? 1 : at_once > frames ? frames : at_once;
    float *block =
        ff_array_create(at_once * frame_pixels, sizeof *block, "a block of frames", error);
    if (block == NULL)
        return -1;
    int result = 0;
    for (size_t first = 0; result == 0 && first < frames; first += at_once) {
        size_t count = frames - first < at_once ? frames - first : at_once;
        result =
            ff_hdf5_read_slabs(counting->dataset, first, count, H5T_NATIVE_FLOAT, block, error);
        for (size_t i = 0; result == 0 && i < count; i++)
            result = store_frame(counting, first + i, block + i * frame_pixels, error);
    }
    free(block);
    return result;
}

static void start_mask(struct counting *counting, const uint8_t *mask)
{
    for (size_t r = 0; r < counting->rows; r++)
        for (size_t c = 0; c < counting->columns; c++) {
            size_t from = (r + counting->top) * counting->frame_columns + c + counting->left;
            size_t to =
                shifted(r, counting->rows) * counting->columns + shifted(c, counting->columns);
            counting->measured[to] = mask == NULL || mask[from] != 0;
        }
}

/* What lies under a pixel that a later frame showed to be bad counts for nothing, so it is zeroed
 * in all frames. */
static double total_of(struct counting *counting)
{
    size_t pixels = counting->rows * counting->columns;
    double total = 0;
    for (size_t n = 0; n < counting->dataset->shape[0]; n++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++) {
            size_t at = n * pixels + i;
            if (counting->u16 != NULL)
                sum += counting->u16[at] = counting->measured[i] ? counting->u16[at] : 0;
            else
                sum += (double)(counting->f32[at] = counting->measured[i] ? counting->f32[at] : 0);
        }
        total += sum;
    }
    return total;
}

static int judge(struct counting *counting, size_t masked_by_file, struct ff_buffer *notes,
                 struct ff_error *error)
{
    const struct ff_hdf5_dataset *dataset = counting->dataset;
    const char *path = ff_hdf5_path(dataset->file);
    size_t pixels = counting->rows * counting->columns;
    size_t bad = 0;
    for (size_t i = 0; i < pixels; i++)
        bad += !counting->measured[i];
    if (masked_by_file == pixels)
        return ff_fail(error, FF_INPUT_INVALID, "%s: the mask leaves no pixel to use", path);
    size_t found = bad - masked_by_file;
    if (4 * found > pixels) {
        ff_fail(error, FF_INPUT_INVALID,
                "%s: %zu of the %zu pixels of %s are negative, not finite or saturated in some "
                "frame, first in frame %zu",
                path, found, pixels, dataset->name, counting->first_bad_frame);
        return ff_hint(error, "frames hold counts: set values below zero (dark subtraction) to "
                              "zero, or mask the pixels");
    }
    if (found > 0)
        ff_buffer_printf(notes,
                         "%zu pixels of %s are negative, not finite or saturated in some frame "
                         "(first in frame %zu) and are not used\n",
                         found, dataset->name, counting->first_bad_frame);
    if (counting->empty_frames == dataset->shape[0]) {
        ff_fail(error, FF_INPUT_INVALID, "%s: all %zu frames of %s hold no counts", path,
                dataset->shape[0], dataset->name);
        return ff_hint(error, "was the shutter open? was the data written?");
    }
    if (counting->empty_frames > 0)
        ff_buffer_printf(notes, "%zu of %zu frames hold no counts\n", counting->empty_frames,
                         dataset->shape[0]);
    return 0;
}

static int count_frames(struct counting *counting, const uint8_t *mask, struct ff_buffer *notes,
                        struct ff_error *error)
{
    size_t pixels = counting->rows * counting->columns;
    counting->measured = ff_array_create(pixels, 1, "the mask", error);
    counting->u16 = ff_array_create(ff_array_elements(counting->dataset->shape[0], pixels, 1),
                                    sizeof *counting->u16, "the frames", error);
    if (counting->measured == NULL || counting->u16 == NULL)
        return -1;
    start_mask(counting, mask);
    size_t masked_by_file = 0;
    for (size_t i = 0; i < pixels; i++)
        masked_by_file += !counting->measured[i];
    if (read_frames(counting, error) < 0)
        return -1;
    return judge(counting, masked_by_file, notes, error);
}

int ff_counts_read(const struct ff_hdf5_dataset *dataset, const uint8_t *mask, size_t crop,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error)
{
    struct counting counting = {.dataset = dataset, .saturated = saturation_of(dataset)};
    if (plan(&counting, crop, error) < 0)
        return -1;
    if (count_frames(&counting, mask, notes, error) < 0) {
        free(counting.u16);
        free(counting.f32);
        free(counting.measured);
        return -1;
    }
    measurement->patterns = dataset->shape[0];
    measurement->fly = 1;
    measurement->rows = counting.rows;
    measurement->columns = counting.columns;
    measurement->total_counts = total_of(&counting);
    measurement->counts.u16 = counting.u16;
    measurement->counts.f32 = counting.f32;
    measurement->measured = counting.measured;
    if (memchr(counting.measured, 0, counting.rows * counting.columns) == NULL) {
        free(counting.measured);
        measurement->measured = NULL;
    }
    return 0;
}
