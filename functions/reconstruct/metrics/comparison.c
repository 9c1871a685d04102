#include "functions/reconstruct/metrics/comparison.h"

#include "functions/reconstruct/metrics/compare_probe.h"
#include "functions/reconstruct/metrics/fourier.h"
#include "functions/reconstruct/metrics/region.h"
#include "functions/reconstruct/metrics/ssim.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum {
    REACH_MIN = 16, /* pixels that the shift may differ from what the positions tell */
    SIDE_MIN = 8,   /* of the common region */
    PAD_MAX = 24,   /* around it, so that the fading of ff_register_apply stays outside */
};

static const double pixel_tolerance = 0.05;
static const double stretch_px = 0.01; /* of one end against the other: not worth a resampling */
static const double clearly = 0.95;    /* the twin must be better by so much to be taken */

/* One way of bringing the two together: the parts that are compared, in one shape. */
struct attempt {
    struct ff_box box; /* around the mask, in the reference */
    struct ff_image reference, aligned;
    struct ff_map mask;
    struct ff_registration removed; /* in the reference's frame */
    struct ff_object_error error;
};

static void dispose(struct attempt *attempt)
{
    ff_image_dispose(&attempt->reference);
    ff_image_dispose(&attempt->aligned);
    ff_map_dispose(&attempt->mask);
    *attempt = (struct attempt){0};
}

/* --- before: pixels of one size --- */

static int equalise(struct ff_estimate *estimate, const struct ff_estimate *reference,
                    double scale[2], struct ff_error *error)
{
    bool resample = false;
    const size_t extent[2] = {estimate->object.rows, estimate->object.columns};
    for (size_t axis = 0; axis < 2; axis++) {
        double ratio = reference->pixel_m[axis] / estimate->pixel_m[axis];
        scale[axis] = isfinite(ratio) && ratio > 0 ? ratio : 1;
        if (!(fabs(scale[axis] - 1) <= pixel_tolerance)) {
            ff_fail(error, FF_INPUT_INVALID,
                    "the pixels are %.4g nm and %.4g nm: that is more than %.0f %% apart",
                    1e9 * estimate->pixel_m[axis], 1e9 * reference->pixel_m[axis],
                    100 * pixel_tolerance);
            return ff_hint(error, "reconstruct both with frames of one size (the setting crop)");
        }
        resample = resample || fabs(scale[axis] - 1) * (double)extent[axis] > stretch_px;
    }
    if (resample)
        return ff_estimate_resample(estimate, scale, error);
    scale[0] = scale[1] = 1;
    return 0;
}

/* --- where the one lies in the other --- */

static struct ff_windowed windowed(const struct ff_image *image, const struct ff_map *window)
{
    return (struct ff_windowed){image, window};
}

static size_t reach_of(size_t side)
{
    return side / 8 > 3 ? side / 8 : 3;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The whole shift by correlation of what each side has lit. */
static int find_whole(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                      const struct ff_map lit[2], long whole[2], struct ff_error *error)
{
    struct ff_map windows[2] = {{0}, {0}};
    double apart[2];
    size_t shorter = smaller(smaller(estimate->object.rows, estimate->object.columns),
                             smaller(reference->object.rows, reference->object.columns));
    long guess[2] = {((long)reference->object.rows - (long)estimate->object.rows) / 2,
                     ((long)reference->object.columns - (long)estimate->object.columns) / 2};
    size_t reach = shorter / 2;
    if (ff_compare_offset(estimate, reference, apart)) {
        size_t half = smaller(estimate->probe_rows, estimate->probe_columns) / 2;
        reach = smaller(reach, half > REACH_MIN ? half : REACH_MIN);
        guess[0] = lround(apart[0]);
        guess[1] = lround(apart[1]);
    }
    int result = 0;
    for (int i = 0; result == 0 && i < 2; i++) {
        result = ff_map_create(&windows[i], lit[i].rows, lit[i].columns, error);
        if (result == 0)
            result = ff_region_window(&lit[i], reach_of(shorter), &windows[i], error);
    }
    if (result == 0) {
        const struct ff_windowed a = windowed(&estimate->object, &windows[0]);
        const struct ff_windowed b = windowed(&reference->object, &windows[1]);
        result = ff_register_whole(&a, &b, guess, reach, whole, error);
    }
    ff_map_dispose(&windows[0]);
    ff_map_dispose(&windows[1]);
    return result;
}

/* --- the part that is compared --- */

static int mask_of(const struct ff_estimate *reference, const struct ff_map lit[2],
                   const struct ff_comparison_options *options, const long whole[2],
                   struct ff_map *mask, struct ff_error *error)
{
    const struct ff_box everything = {{0, 0}, {SIZE_MAX, SIZE_MAX}};
    struct ff_map held = {0};
    if (ff_map_create(mask, reference->object.rows, reference->object.columns, error) < 0)
        return -1;
    if (options->region == FF_REGION_SCANNED) {
        ff_map_place(&lit[0], whole, mask);
    } else {
        if (ff_map_create(&held, lit[0].rows, lit[0].columns, error) < 0)
            return -1;
        ff_region_fill(&everything, &held);
        ff_map_place(&held, whole, mask);
        ff_map_dispose(&held);
    }
    for (size_t i = 0; i < mask->rows * mask->columns; i++) {
        size_t row = i / mask->columns;
        size_t column = i % mask->columns;
        bool wanted = true;
        if (options->region == FF_REGION_SCANNED)
            wanted = lit[1].values[i] > 0;
        else if (options->region == FF_REGION_BOX)
            wanted = row >= options->box.from[0] && row < options->box.to[0] &&
                     column >= options->box.from[1] && column < options->box.to[1];
        mask->values[i] = wanted ? mask->values[i] : 0;
    }
    return 0;
}

/* The part that begins at `from`, where it leaves the array continued by the pixels of its edge. */
static int cut(const struct ff_image *image, const long from[2], size_t rows, size_t columns,
               struct ff_image *part, struct ff_error *error)
{
    if (ff_image_create(part, rows, columns, error) < 0)
        return -1;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            long row = from[0] + (long)r;
            long column = from[1] + (long)c;
            row = row < 0 ? 0 : row >= (long)image->rows ? (long)image->rows - 1 : row;
            column = column < 0                       ? 0
                     : column >= (long)image->columns ? (long)image->columns - 1
                                                      : column;
            part->values[r * columns + c] =
                image->values[(size_t)row * image->columns + (size_t)column];
        }
    return 0;
}

static size_t side_of(size_t from, size_t to, long *pad)
{
    size_t side = to - from;
    *pad = side / 6 + 1 < PAD_MAX ? (long)(side / 6 + 1) : PAD_MAX;
    return ff_fourier_size(side + 2 * (size_t)*pad);
}

/* From the frame of the part to that of the reference: its pixel (0, 0) is at `from`. */
static void reframe(struct ff_registration *removed, const long from[2], const long whole[2])
{
    removed->factor *=
        ff_turn(-removed->ramp[0] * (double)from[0] - removed->ramp[1] * (double)from[1]);
    for (size_t axis = 0; axis < 2; axis++)
        removed->shift_px[axis] += (double)whole[axis];
}

/* Registers and measures over the mask, which `attempt` has in the reference's frame. */
static int align(const struct ff_image *estimate, const struct ff_image *reference,
                 const struct ff_map *mask, const long whole[2], struct attempt *attempt,
                 struct ff_error *error)
{
    struct ff_image part = {0};
    const struct ff_box *box = &attempt->box;
    long from[2];
    size_t rows = side_of(box->from[0], box->to[0], &from[0]);
    size_t columns = side_of(box->from[1], box->to[1], &from[1]);
    for (size_t axis = 0; axis < 2; axis++)
        from[axis] = (long)box->from[axis] - from[axis];
    const long own[2] = {from[0] - whole[0], from[1] - whole[1]};
    int result = cut(estimate, own, rows, columns, &part, error);
    if (result == 0)
        result = cut(reference, from, rows, columns, &attempt->reference, error);
    if (result == 0)
        result = ff_map_create(&attempt->mask, rows, columns, error);
    if (result == 0) {
        ff_map_place(mask, (const long[]){-from[0], -from[1]}, &attempt->mask);
        result =
            ff_register_fine(&part, &attempt->reference, &attempt->mask, &attempt->removed, error);
    }
    if (result == 0)
        result = ff_image_create(&attempt->aligned, rows, columns, error);
    if (result == 0)
        result = ff_register_apply(&part, &attempt->removed, &attempt->aligned, error);
    ff_image_dispose(&part);
    if (result < 0)
        return -1;
    attempt->error = ff_object_error(&attempt->aligned, &attempt->reference, &attempt->mask);
    reframe(&attempt->removed, from, whole);
    return 0;
}

static int attempt_with(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                        const struct ff_comparison_options *options, struct attempt *attempt,
                        struct ff_error *error)
{
    struct ff_map lit[2] = {{0}, {0}};
    struct ff_map mask = {0};
    long whole[2];
    bool middle = options->region == FF_REGION_SCANNED && !ff_estimate_has_scan(estimate) &&
                  !ff_estimate_has_scan(reference);
    int result = ff_estimate_lit(estimate, middle, &lit[0], error);
    if (result == 0)
        result = ff_estimate_lit(reference, middle, &lit[1], error);
    if (result == 0)
        result = find_whole(estimate, reference, lit, whole, error);
    if (result == 0)
        result = mask_of(reference, lit, options, whole, &mask, error);
    if (result == 0 && (!ff_region_box(&mask, &attempt->box) ||
                        attempt->box.to[0] - attempt->box.from[0] < SIDE_MIN ||
                        attempt->box.to[1] - attempt->box.from[1] < SIDE_MIN)) {
        ff_fail(error, FF_INPUT_INVALID, "there is no common region of at least %d × %d pixels",
                SIDE_MIN, SIDE_MIN);
        result = ff_hint(error, "name one with --region, or compare results of one scan");
    }
    if (result == 0)
        result = align(&estimate->object, &reference->object, &mask, whole, attempt, error);
    ff_map_dispose(&lit[0]);
    ff_map_dispose(&lit[1]);
    ff_map_dispose(&mask);
    return result;
}

/* The better of the estimate as it is and its twin; `estimate` is left as that one. */
static int choose(struct ff_estimate *estimate, const struct ff_estimate *reference,
                  const struct ff_comparison_options *options, struct attempt *best,
                  struct ff_comparison *comparison, struct ff_error *error)
{
    comparison->twin_ratio = NAN;
    if (attempt_with(estimate, reference, options, best, error) < 0)
        return -1;
    if (options->keep_hand)
        return 0;
    struct attempt twin = {0};
    ff_estimate_twin(estimate);
    int result = attempt_with(estimate, reference, options, &twin, NULL);
    if (result == 0)
        comparison->twin_ratio = best->error.relative / twin.error.relative;
    comparison->twin = result == 0 && twin.error.relative < clearly * best->error.relative;
    if (comparison->twin) {
        dispose(best);
        *best = twin;
        return 0;
    }
    dispose(&twin);
    ff_estimate_twin(estimate);
    return 0;
}

static int measure(const struct attempt *attempt, struct ff_comparison *comparison,
                   struct ff_error *error)
{
    const struct ff_map *mask = &attempt->mask;
    struct ff_map window = {0};
    double pixel[2] = {comparison->pixel_m[0], comparison->pixel_m[1]};
    if (!isfinite(pixel[0]) || !isfinite(pixel[1]) || pixel[0] <= 0 || pixel[1] <= 0)
        pixel[0] = pixel[1] = 1;
    for (size_t i = 0; i < mask->rows * mask->columns; i++)
        comparison->pixels += mask->values[i] > 0;
    size_t side = smaller(attempt->box.to[0] - attempt->box.from[0],
                          attempt->box.to[1] - attempt->box.from[1]);
    if (ff_map_create(&window, mask->rows, mask->columns, error) < 0)
        return -1;
    int result = ff_region_window(mask, reach_of(side), &window, error);
    if (result == 0)
        result = ff_frc_create(&attempt->aligned, &attempt->reference, &window, pixel,
                               &comparison->frc, error);
    if (result == 0)
        result = ff_ssim_of_phases(&attempt->aligned, &attempt->reference, mask, &comparison->ssim,
                                   error);
    ff_map_dispose(&window);
    return result;
}

int ff_compare(struct ff_estimate *estimate, const struct ff_estimate *reference,
               const struct ff_comparison_options *options, struct ff_comparison *comparison,
               struct ff_error *error)
{
    struct attempt attempt = {0};
    *comparison = (struct ff_comparison){
        .apart_px = {NAN, NAN},
        .pixel_m = {reference->pixel_m[0], reference->pixel_m[1]},
    };
    int result = equalise(estimate, reference, comparison->scale, error);
    if (result == 0)
        result = choose(estimate, reference, options, &attempt, comparison, error);
    if (result == 0) {
        comparison->removed = attempt.removed;
        comparison->box = attempt.box;
        comparison->object = attempt.error;
        result = measure(&attempt, comparison, error);
    }
    if (result == 0)
        result = ff_compare_probe(estimate, reference, comparison, error);
    dispose(&attempt);
    if (result < 0)
        ff_comparison_dispose(comparison);
    return result;
}

void ff_comparison_dispose(struct ff_comparison *comparison)
{
    ff_frc_dispose(&comparison->frc);
}
