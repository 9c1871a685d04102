/* Patterns that were not measured: the shutter was closed, or the detector saw something else. */
#include "functions/reconstruct/formats/counts.h"

#include <stdlib.h>
#include <string.h>

/* A pattern of less than a thousandth of the median holds no light; one of more than five times
 * what nine tenths of the patterns stay below is no pattern of this scan. */
static const double dark_share = 1e-3;
static const double bright_ratio = 5;

enum { JUDGED_MIN = 10 }; /* fewer patterns tell nothing about what is usual */

struct bounds {
    double low, high; /* what lies between them is kept */
};

static struct bounds bounds_of(const double *sums, size_t count)
{
    struct bounds bounds = {0, 1e300};
    double *sorted = count >= JUDGED_MIN ? calloc(count, sizeof *sorted) : NULL;
    if (sorted == NULL)
        return bounds;
    memcpy(sorted, sums, count * sizeof *sorted);
    ff_array_sort(sorted, count);
    bounds.low = dark_share * sorted[count / 2];
    if (sorted[9 * (count - 1) / 10] > 0)
        bounds.high = bright_ratio * sorted[9 * (count - 1) / 10];
    free(sorted);
    return bounds;
}

static void move(struct ff_measurement *measurement, size_t from, size_t to)
{
    size_t pixels = measurement->rows * measurement->columns;
    size_t width = 2 * measurement->fly;
    /* The counts are const for their readers; here they are made. */
    uint16_t *u16 = (uint16_t *)(uintptr_t)measurement->counts.u16;
    float *f32 = (float *)(uintptr_t)measurement->counts.f32;
    if (from == to)
        return;
    if (u16 != NULL)
        memcpy(u16 + to * pixels, u16 + from * pixels, pixels * sizeof *u16);
    else
        memcpy(f32 + to * pixels, f32 + from * pixels, pixels * sizeof *f32);
    memcpy(measurement->positions_m + to * width, measurement->positions_m + from * width,
           width * sizeof *measurement->positions_m);
}

static int refuse_empty(const struct ff_reading *reading, size_t patterns, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s: all %zu frames hold no counts",
            ff_hdf5_path(reading->file), patterns);
    return ff_hint(error, "was the shutter open? was the data written?");
}

int ff_counts_drop(const struct ff_reading *reading, const double *sums,
                   struct ff_measurement *measurement, struct ff_error *error)
{
    struct bounds bounds = bounds_of(sums, measurement->patterns);
    bool keep = reading->settings->keep_frames != 0;
    size_t patterns = measurement->patterns;
    size_t kept = 0;
    size_t dark = 0;
    size_t bright = 0;
    double total = 0;
    for (size_t n = 0; n < patterns; n++) {
        bool is_dark = sums[n] <= bounds.low;
        bool is_bright = sums[n] > bounds.high;
        dark += is_dark;
        bright += is_bright;
        if (!keep && (is_dark || is_bright))
            continue;
        move(measurement, n, kept++);
        total += sums[n];
    }
    if (dark == patterns || !(total > 0))
        return refuse_empty(reading, patterns, error);
    if (dark + bright > 0)
        ff_buffer_printf(reading->notes,
                         "%zu of %zu frames hold no light, %zu are far too bright%s\n", dark,
                         patterns, bright, keep ? "" : "; they are left out (keep_frames=all)");
    measurement->patterns = kept;
    measurement->total_counts = total;
    return 0;
}
