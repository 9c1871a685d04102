#include "functions/reconstruct/metrics/estimate.h"

#include "functions/reconstruct/metrics/region.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double lit_share = 0.05;

static int copy_positions(struct ff_estimate *estimate, const struct ff_estimate_source *source,
                          struct ff_error *error)
{
    estimate->positions =
        ff_array_create(source->count, 2 * sizeof(double), "the positions", error);
    if (estimate->positions == NULL)
        return -1;
    estimate->count = source->count;
    for (size_t i = 0; i < 2 * source->count; i++) {
        if (!isfinite(source->positions[i]))
            return ff_fail(error, FF_INPUT_INVALID, "position %zu is not finite", i / 2);
        estimate->positions[i] = source->positions[i];
    }
    return 0;
}

static int copy_probe(struct ff_estimate *estimate, const struct ff_estimate_source *source,
                      struct ff_error *error)
{
    struct ff_image probe;
    if (ff_image_of(source->probe, source->modes * source->probe_rows, source->probe_columns,
                    &probe, error) < 0)
        return ff_fail_prefix(error, "the probe: ");
    estimate->probe = probe.values;
    estimate->modes = source->modes;
    estimate->probe_rows = source->probe_rows;
    estimate->probe_columns = source->probe_columns;
    double power = 0;
    for (size_t i = 0; i < probe.rows * probe.columns; i++)
        power += ff_power(probe.values[i]);
    if (!(power > 0) || !isfinite(power))
        return ff_fail(error, FF_INPUT_INVALID, "the probe has no power");
    return 0;
}

int ff_estimate_create(struct ff_estimate *estimate, const struct ff_estimate_source *source,
                       struct ff_error *error)
{
    *estimate = (struct ff_estimate){.pixel_m = {NAN, NAN}};
    if (source->pixel_m != NULL)
        memcpy(estimate->pixel_m, source->pixel_m, sizeof estimate->pixel_m);
    int result =
        ff_image_of(source->object, source->rows, source->columns, &estimate->object, error);
    if (result < 0)
        return ff_fail_prefix(error, "the object: ");
    if (source->positions != NULL && source->count > 0)
        result = copy_positions(estimate, source, error);
    if (result == 0 && source->probe != NULL)
        result = copy_probe(estimate, source, error);
    if (result < 0)
        ff_estimate_dispose(estimate);
    return result;
}

void ff_estimate_dispose(struct ff_estimate *estimate)
{
    ff_image_dispose(&estimate->object);
    free(estimate->positions);
    free(estimate->probe);
    *estimate = (struct ff_estimate){0};
}

bool ff_estimate_has_scan(const struct ff_estimate *estimate)
{
    return estimate->positions != NULL && estimate->probe != NULL;
}

static struct ff_image mode_of(const struct ff_estimate *estimate, size_t mode)
{
    return (struct ff_image){estimate->probe_rows, estimate->probe_columns,
                             estimate->probe +
                                 mode * estimate->probe_rows * estimate->probe_columns};
}

void ff_estimate_twin(struct ff_estimate *estimate)
{
    const double room[2] = {
        (double)estimate->object.rows - (double)estimate->probe_rows,
        (double)estimate->object.columns - (double)estimate->probe_columns,
    };
    ff_image_twin(&estimate->object);
    for (size_t i = 0; i < 2 * estimate->count; i++)
        estimate->positions[i] = room[i % 2] - estimate->positions[i];
    for (size_t m = 0; estimate->probe != NULL && m < estimate->modes; m++) {
        struct ff_image mode = mode_of(estimate, m);
        ff_image_twin(&mode);
    }
}

/* A probe keeps its window in pixels and its middle in place: what then lacks is dark anyway. */
static int resample_probe(struct ff_estimate *estimate, const double scale[2],
                          struct ff_error *error)
{
    const double middle[2] = {(double)(estimate->probe_rows / 2),
                              (double)(estimate->probe_columns / 2)};
    struct ff_image mode = {0};
    if (ff_image_create(&mode, estimate->probe_rows, estimate->probe_columns, error) < 0)
        return -1;
    int result = 0;
    for (size_t m = 0; result == 0 && m < estimate->modes; m++) {
        struct ff_image own = mode_of(estimate, m);
        result = ff_image_resample(&own, scale, middle, middle, &mode, error);
        if (result == 0)
            ff_image_place(&mode, (const long[]){0, 0}, &own);
    }
    ff_image_dispose(&mode);
    return result;
}

int ff_estimate_resample(struct ff_estimate *estimate, const double scale[2],
                         struct ff_error *error)
{
    static const double corner[2] = {0, 0};
    const size_t window[2] = {estimate->probe_rows, estimate->probe_columns};
    struct ff_image object;
    size_t rows = (size_t)floor((double)(estimate->object.rows - 1) / scale[0]) + 1;
    size_t columns = (size_t)floor((double)(estimate->object.columns - 1) / scale[1]) + 1;
    if (ff_image_create(&object, rows, columns, error) < 0)
        return -1;
    if (ff_image_resample(&estimate->object, scale, corner, corner, &object, error) < 0 ||
        (estimate->probe != NULL && resample_probe(estimate, scale, error) < 0)) {
        ff_image_dispose(&object);
        return -1;
    }
    ff_image_dispose(&estimate->object);
    estimate->object = object;
    for (size_t i = 0; i < 2 * estimate->count; i++) {
        double middle = (double)(window[i % 2] / 2);
        estimate->positions[i] = (estimate->positions[i] + middle) / scale[i % 2] - middle;
    }
    for (size_t axis = 0; axis < 2; axis++)
        estimate->pixel_m[axis] *= scale[axis];
    return 0;
}

int ff_estimate_lit(const struct ff_estimate *estimate, bool middle, struct ff_map *mask,
                    struct ff_error *error)
{
    size_t rows = estimate->object.rows;
    size_t columns = estimate->object.columns;
    if (ff_map_create(mask, rows, columns, error) < 0)
        return -1;
    if (!ff_estimate_has_scan(estimate)) {
        size_t share = middle ? 8 : SIZE_MAX;
        const struct ff_box box = {{rows / share, columns / share},
                                   {rows - rows / share, columns - columns / share}};
        ff_region_fill(&box, mask);
        return 0;
    }
    const struct ff_scan scan = {
        .positions = estimate->positions,
        .count = estimate->count,
        .probe = estimate->probe,
        .modes = estimate->modes,
        .rows = estimate->probe_rows,
        .columns = estimate->probe_columns,
    };
    if (ff_region_lit(&scan, lit_share, mask, error) == 0)
        return 0;
    ff_map_dispose(mask);
    return -1;
}
