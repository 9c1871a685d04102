#include "functions/reconstruct/formats/counts.h"

#include "functions/reconstruct/formats/mask.h"
#include "functions/reconstruct/formats/outliers.h"
#include "functions/reconstruct/formats/samples.h"
#include "functions/reconstruct/formats/workers.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A run of columns that lie side by side in the frame and in the pattern. */
struct run {
    size_t from, to, count;
};

/* What one thread found. */
struct finding {
    float *row;       /* the values of a row of a tile */
    uint8_t *bad;     /* (rows, columns): pixels that are no count in some frame; NULL: none yet */
    size_t bad_frame; /* the first of those frames */
    bool out_of_memory;
};

struct counting {
    const struct ff_window *window;
    const size_t *slots;
    size_t patterns, rows, columns;
    enum ff_sample sample;
    bool squares;     /* the file holds amplitudes */
    double saturated; /* a value that means "too many", or infinity */
    double gap;       /* a value that means "no pixel here", or NaN */
    size_t *row_to;   /* (whole rows): the row of the pattern, or SIZE_MAX */
    struct run runs[3];
    size_t run_count;
    uint8_t *measured; /* (rows, columns), as the masks say */
    uint16_t *u16;     /* one of the two is set */
    float *f32;
    struct finding *findings;
    atomic_bool needs_float;
    double *sums; /* of each pattern */
    size_t workers;
};

/* Where row or column `index` of a frame goes; SIZE_MAX: it is not kept. */
static size_t target_of(const struct ff_window *window, size_t axis, size_t index)
{
    size_t extent = window->extent[axis];
    size_t whole = window->whole[axis];
    size_t before = extent / 2; /* entries in front of the beam */
    size_t after = extent - before;
    size_t centre = window->centre[axis];
    if (window->wraps)
        return index < after             ? index
               : whole - index <= before ? extent - (whole - index)
                                         : SIZE_MAX;
    if (index + before < centre || index >= centre + after)
        return SIZE_MAX;
    if (!window->shifts)
        return index + before - centre;
    return index >= centre ? index - centre : index + extent - centre;
}

static int make_maps(struct counting *counting, struct ff_error *error)
{
    const struct ff_window *window = counting->window;
    counting->row_to = ff_array_create(window->whole[0], sizeof(size_t), "the rows", error);
    if (counting->row_to == NULL)
        return -1;
    for (size_t r = 0; r < window->whole[0]; r++)
        counting->row_to[r] = target_of(window, 0, r);
    struct run *run = NULL;
    for (size_t c = 0; c < window->whole[1]; c++) {
        size_t to = target_of(window, 1, c);
        if (to == SIZE_MAX) {
            run = NULL;
        } else if (run != NULL && run->to + run->count == to) {
            run->count++;
        } else {
            run = &counting->runs[counting->run_count++];
            *run = (struct run){c, to, 1};
        }
    }
    return 0;
}

/* Detectors write the largest value of their type where they could not count. */
static double saturation_of(enum ff_sample sample)
{
    static const double tops[] = {UINT8_MAX,  INT8_MAX,  UINT16_MAX,         INT16_MAX,
                                  UINT32_MAX, INT32_MAX, (double)UINT64_MAX, (double)INT64_MAX};
    return sample <= FF_SAMPLE_I64 ? tops[sample] : INFINITY;
}

/* Frames of 32 bit that became wider keep what the gaps between the detector's modules had; it is
 * compared as float, as all values are. */
static double gap_of(enum ff_sample sample)
{
    return sample > FF_SAMPLE_I32 ? (double)(float)UINT32_MAX : NAN;
}

static bool is_lossless_u16(float value)
{
    return value >= 0 && value <= UINT16_MAX && value == (float)(uint16_t)value;
}

/* The usual case, quickly: whole counts within 16 bit, all of them to be used. False, and nothing
 * done, when it is another. Branches would keep the compiler from using vectors. */
static bool store_plain(const struct counting *counting, const float *from, size_t slot, size_t to,
                        size_t count)
{
    float most = counting->saturated <= UINT16_MAX ? (float)counting->saturated - 1 : UINT16_MAX;
    unsigned odd = 0;
    if (counting->u16 == NULL || memchr(counting->measured + to, 0, count) != NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        float value = from[i];
        float held = value >= 0 && value <= most ? value : -1;
        odd |= !(held == (float)(int32_t)held && held >= 0);
    }
    if (odd)
        return false;
    uint16_t *pixels = counting->u16 + slot * counting->rows * counting->columns + to;
    for (size_t i = 0; i < count; i++)
        pixels[i] = (uint16_t)(int32_t)from[i];
    return true;
}

static bool note_bad(const struct counting *counting, struct finding *finding, size_t pixel,
                     size_t frame)
{
    if (finding->bad == NULL)
        finding->bad = calloc(counting->rows * counting->columns, 1);
    if (finding->bad == NULL) {
        finding->out_of_memory = true;
        return false;
    }
    finding->bad[pixel] = 1;
    if (frame < finding->bad_frame)
        finding->bad_frame = frame;
    return true;
}

/* False: memory is out, or a value does not fit into 16 bit. */
static bool store_carefully(struct counting *counting, struct finding *finding, const float *from,
                            size_t frame, size_t to, size_t count)
{
    size_t at = counting->slots[frame] * counting->rows * counting->columns;
    for (size_t i = 0; i < count; i++) {
        size_t pixel = to + i;
        float value = from[i];
        if (!counting->measured[pixel]) {
            value = 0;
        } else if (!isfinite(value) || value < 0 || (double)value >= counting->saturated ||
                   (double)value == counting->gap) {
            if (!note_bad(counting, finding, pixel, frame))
                return false;
            value = 0;
        }
        if (counting->f32 != NULL) {
            counting->f32[at + pixel] = value;
        } else if (is_lossless_u16(value)) {
            counting->u16[at + pixel] = (uint16_t)value;
        } else {
            atomic_store(&counting->needs_float, true);
            return false;
        }
    }
    return true;
}

/* The part of a run that a tile has. */
static struct run meet(const struct run *run, const struct ff_tile *tile)
{
    size_t start = run->from > tile->first_column ? run->from : tile->first_column;
    size_t run_end = run->from + run->count;
    size_t tile_end = tile->first_column + tile->columns;
    size_t end = run_end < tile_end ? run_end : tile_end;
    if (start >= end)
        return (struct run){0};
    return (struct run){start, run->to + start - run->from, end - start};
}

static bool store_row(struct counting *counting, struct finding *finding,
                      const struct ff_tile *tile, size_t k, size_t r, const struct run *parts)
{
    size_t frame = tile->first_frame + k;
    size_t to_row = counting->row_to[tile->first_row + r] * counting->columns;
    ptrdiff_t start = (ptrdiff_t)k * tile->frame_step + (ptrdiff_t)r * tile->row_step;
    for (size_t i = 0; i < counting->run_count; i++) {
        if (parts[i].count == 0)
            continue;
        ptrdiff_t offset =
            start + (ptrdiff_t)(parts[i].from - tile->first_column) * tile->column_step;
        ff_samples_load(counting->sample, tile->values, offset, tile->column_step, parts[i].count,
                        finding->row);
        if (counting->squares)
            ff_samples_square(finding->row, parts[i].count);
        size_t to = to_row + parts[i].to;
        if (!store_plain(counting, finding->row, counting->slots[frame], to, parts[i].count) &&
            !store_carefully(counting, finding, finding->row, frame, to, parts[i].count))
            return false;
    }
    return true;
}

static bool take_tile(void *user, size_t worker, const struct ff_tile *tile)
{
    struct counting *counting = user;
    struct finding *finding = &counting->findings[worker];
    struct run parts[3];
    for (size_t i = 0; i < counting->run_count; i++)
        parts[i] = meet(&counting->runs[i], tile);
    for (size_t k = 0; k < tile->frames; k++) {
        if (counting->slots[tile->first_frame + k] == SIZE_MAX)
            continue;
        for (size_t r = 0; r < tile->rows; r++)
            if (counting->row_to[tile->first_row + r] != SIZE_MAX &&
                !store_row(counting, finding, tile, k, r, parts))
                return false;
    }
    return true;
}

static bool is_wanted(void *user, size_t frame)
{
    return ((const struct counting *)user)->slots[frame] != SIZE_MAX;
}

static int widen(struct counting *counting, struct ff_error *error)
{
    size_t count = counting->patterns * counting->rows * counting->columns;
    counting->f32 = ff_array_create(count, sizeof *counting->f32, "the frames as float", error);
    if (counting->f32 == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        counting->f32[i] = counting->u16[i];
    free(counting->u16);
    counting->u16 = NULL;
    return 0;
}

static int read_frames(struct counting *counting, struct ff_frames *frames, struct ff_error *error)
{
    if (ff_frames_read(frames, counting->workers, take_tile, is_wanted, counting, error) < 0)
        return -1;
    if (atomic_load(&counting->needs_float)) {
        if (widen(counting, error) < 0 ||
            ff_frames_read(frames, counting->workers, take_tile, is_wanted, counting, error) < 0)
            return -1;
    }
    for (size_t i = 0; i < counting->workers; i++)
        if (counting->findings[i].out_of_memory)
            return ff_fail(error, FF_NO_MEMORY, "no memory for the mask");
    return 0;
}

static void start_mask(struct counting *counting, const uint8_t *mask)
{
    const struct ff_window *window = counting->window;
    for (size_t r = 0; r < window->whole[0]; r++)
        for (size_t i = 0; counting->row_to[r] != SIZE_MAX && i < counting->run_count; i++) {
            const struct run *run = &counting->runs[i];
            uint8_t *to = counting->measured + counting->row_to[r] * counting->columns + run->to;
            for (size_t k = 0; k < run->count; k++)
                to[k] = mask == NULL || mask[r * window->whole[1] + run->from + k] != 0;
        }
}

/* What lies under a pixel that a later frame showed to be bad counts for nothing, so it is zeroed
 * in all frames. Each thread has frames of its own. */
static void sum_frames(void *user, size_t worker)
{
    struct counting *counting = user;
    size_t pixels = counting->rows * counting->columns;
    size_t first = counting->patterns * worker / counting->workers;
    size_t end = counting->patterns * (worker + 1) / counting->workers;
    bool masked = memchr(counting->measured, 0, pixels) != NULL;
    for (size_t n = first; n < end; n++) {
        if (counting->u16 != NULL)
            counting->sums[n] = ff_samples_sum_u16(counting->u16 + n * pixels, pixels,
                                                   masked ? counting->measured : NULL);
        else
            counting->sums[n] = ff_samples_sum_f32(counting->f32 + n * pixels, pixels,
                                                   masked ? counting->measured : NULL);
    }
}

/* The bad pixels of all threads together; how many. */
static size_t merge_findings(struct counting *counting, size_t *first_frame)
{
    size_t pixels = counting->rows * counting->columns;
    size_t found = 0;
    *first_frame = SIZE_MAX;
    for (size_t i = 0; i < counting->workers; i++) {
        const struct finding *finding = &counting->findings[i];
        if (finding->bad == NULL)
            continue;
        *first_frame = finding->bad_frame < *first_frame ? finding->bad_frame : *first_frame;
        for (size_t k = 0; k < pixels; k++) {
            found += finding->bad[k] && counting->measured[k];
            counting->measured[k] = counting->measured[k] && !finding->bad[k];
        }
    }
    return found;
}

static int judge(struct counting *counting, const struct ff_reading *reading, const char *name,
                 struct ff_error *error)
{
    const char *path = ff_hdf5_path(reading->file);
    size_t pixels = counting->rows * counting->columns;
    size_t first_frame;
    size_t found = merge_findings(counting, &first_frame);
    if (4 * found > pixels) {
        ff_fail(error, FF_INPUT_INVALID,
                "%s: %zu of the %zu pixels of %s are negative, not finite or saturated in some "
                "frame, first in frame %zu",
                path, found, pixels, name, first_frame);
        return ff_hint(error, "frames hold counts: set values below zero (dark subtraction) to "
                              "zero, or mask the pixels");
    }
    if (found > 0)
        ff_buffer_printf(reading->notes,
                         "%zu pixels of %s are negative, not finite or saturated in some frame "
                         "(first in frame %zu) and are not used\n",
                         found, name, first_frame);
    return 0;
}

static void note_outliers(const struct ff_reading *reading, const struct ff_outliers *found,
                          bool masked, const char *name)
{
    if (found->stuck > 0)
        ff_buffer_printf(reading->notes,
                         "%zu pixels of %s say the same in every frame, far from their neighbours "
                         "(first: row %zu, column %zu of the used part): dead or stuck, and %s\n",
                         found->stuck, name, found->stuck_at[0], found->stuck_at[1],
                         masked ? "not used (mask=none keeps them)"
                                : "used all the same; name them with the setting 'mask'");
    if (found->suspect > 0)
        ff_buffer_printf(reading->notes,
                         "%zu pixels of %s count ten times what those beside them count (first: "
                         "row %zu, column %zu of the used part): if they are hot, name them with "
                         "the setting 'mask'\n",
                         found->suspect, name, found->suspect_at[0], found->suspect_at[1]);
}

/* Dead and stuck pixels are not used, unless they are so many that they mean something else. */
static int mask_outliers(struct counting *counting, const struct ff_reading *reading,
                         const char *name, struct ff_error *error)
{
    enum { SHARE_MAX = 10 };
    size_t pixels = counting->rows * counting->columns;
    const struct ff_outliers_scan scan = {
        .patterns = counting->patterns,
        .rows = counting->rows,
        .columns = counting->columns,
        .counts = {counting->u16, counting->f32},
        .measured = counting->measured,
        .shifted = counting->window->shifts || counting->window->wraps,
        .workers = counting->workers,
    };
    struct ff_outliers found;
    uint8_t *stuck = ff_array_create(pixels, 1, "the dead pixels", error);
    if (stuck == NULL || ff_outliers_find(&scan, stuck, &found, error) < 0) {
        free(stuck);
        return -1;
    }
    bool masks =
        strcmp(reading->settings->mask, FF_MASK_NONE) != 0 && SHARE_MAX * found.stuck <= pixels;
    for (size_t i = 0; masks && i < pixels; i++)
        counting->measured[i] = counting->measured[i] && !stuck[i];
    free(stuck);
    note_outliers(reading, &found, masks, name);
    return 0;
}

static int make_arrays(struct counting *counting, struct ff_error *error)
{
    size_t pixels = counting->rows * counting->columns;
    counting->measured = ff_array_create(pixels, 1, "the mask", error);
    counting->u16 = ff_array_create(ff_array_elements(counting->patterns, pixels, 1),
                                    sizeof *counting->u16, "the frames", error);
    counting->sums = ff_array_create(counting->patterns, sizeof(double), "the sums", error);
    counting->findings = calloc(counting->workers, sizeof *counting->findings);
    if (counting->measured == NULL || counting->u16 == NULL || counting->sums == NULL)
        return -1;
    if (counting->findings == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the readers");
    for (size_t i = 0; i < counting->workers; i++) {
        counting->findings[i].bad_frame = SIZE_MAX;
        counting->findings[i].row =
            ff_array_create(counting->window->whole[1], sizeof(float), "a row of a frame", error);
        if (counting->findings[i].row == NULL)
            return -1;
    }
    return 0;
}

static int count_frames(struct counting *counting, const struct ff_reading *reading,
                        struct ff_frames *frames, const uint8_t *mask, struct ff_error *error)
{
    size_t pixels = counting->rows * counting->columns;
    if (make_maps(counting, error) < 0 || make_arrays(counting, error) < 0)
        return -1;
    start_mask(counting, mask);
    if (memchr(counting->measured, 1, pixels) == NULL)
        return ff_fail(error, FF_INPUT_INVALID, "%s: the mask leaves no pixel to use",
                       ff_hdf5_path(reading->file));
    if (read_frames(counting, frames, error) < 0 ||
        judge(counting, reading, ff_frames_name(frames), error) < 0 ||
        mask_outliers(counting, reading, ff_frames_name(frames), error) < 0)
        return -1;
    ff_workers_run(counting->workers, sum_frames, counting);
    return 0;
}

static void dispose(struct counting *counting)
{
    for (size_t i = 0; counting->findings != NULL && i < counting->workers; i++) {
        free(counting->findings[i].row);
        free(counting->findings[i].bad);
    }
    free(counting->findings);
    free(counting->row_to);
    free(counting->measured);
    free(counting->u16);
    free(counting->f32);
    free(counting->sums);
}

int ff_counts_read(const struct ff_reading *reading, struct ff_frames *frames,
                   const struct ff_window *window, const size_t *slots, const uint8_t *mask,
                   struct ff_measurement *measurement, double **sums, struct ff_error *error)
{
    struct counting counting = {
        .window = window,
        .slots = slots,
        .patterns = measurement->patterns,
        .rows = window->extent[0],
        .columns = window->extent[1],
        .sample = ff_frames_sample(frames),
        .squares = reading->description.values == FF_VALUES_AMPLITUDE,
        .saturated = saturation_of(ff_frames_sample(frames)),
        .gap = gap_of(ff_frames_sample(frames)),
        .workers = ff_frames_workers(frames, (size_t)reading->settings->threads),
    };
    if (count_frames(&counting, reading, frames, mask, error) < 0) {
        dispose(&counting);
        return -1;
    }
    measurement->rows = counting.rows;
    measurement->columns = counting.columns;
    measurement->counts.u16 = counting.u16;
    measurement->counts.f32 = counting.f32;
    *sums = counting.sums;
    if (memchr(counting.measured, 0, counting.rows * counting.columns) != NULL) {
        measurement->measured = counting.measured;
        counting.measured = NULL;
    }
    counting.u16 = NULL;
    counting.f32 = NULL;
    counting.sums = NULL;
    dispose(&counting);
    return 0;
}
