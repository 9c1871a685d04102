/*
 * functions/reconstruct/metrics/estimate.h: one side of a comparison: an object with what is known
 * around it.
 */
#ifndef FF_RECONSTRUCT_METRICS_ESTIMATE_H
#define FF_RECONSTRUCT_METRICS_ESTIMATE_H

#include "functions/reconstruct/metrics/image.h"

#include <stdbool.h>

struct ff_estimate {
    struct ff_image object;
    double pixel_m[2]; /* rows, columns; NaN: not known */

    /* (count, 2): minimum corners of the patches, in pixels of the object. NULL: not known. Owned. */
    double *positions;
    size_t count;

    /* (modes, rows, columns). NULL: not known. Owned. */
    ff_complex_double *probe;
    size_t modes, probe_rows, probe_columns;
};

/* What an estimate is made of, in single precision and borrowed; NULL for what is not known. */
struct ff_estimate_source {
    const ff_complex *object;
    size_t rows, columns;
    const double *pixel_m; /* two, or NULL */
    const double *positions;
    size_t count;
    const ff_complex *probe;
    size_t modes, probe_rows, probe_columns;
};

/* Copies. FF_INPUT_INVALID, naming the pixel, where something is not finite. */
int ff_estimate_create(struct ff_estimate *estimate, const struct ff_estimate_source *source,
                       struct ff_error *error) FF_MUST_USE;
void ff_estimate_dispose(struct ff_estimate *estimate);

/* Makes it the other solution of diffraction alone: all of it conjugate and rotated by 180°. */
void ff_estimate_twin(struct ff_estimate *estimate);

/* Gives it pixels of another size, scale[axis] times as large. */
int ff_estimate_resample(struct ff_estimate *estimate, const double scale[2],
                         struct ff_error *error) FF_MUST_USE;

/* 1 where the scan lit the object with more than a twentieth of its maximum, else 0. Without
 * positions or probe: 1 everywhere, or in the middle three quarters of each side. */
int ff_estimate_lit(const struct ff_estimate *estimate, bool middle, struct ff_map *mask,
                    struct ff_error *error) FF_MUST_USE;

bool ff_estimate_has_scan(const struct ff_estimate *estimate);

#endif
