/*
 * functions/reconstruct/metrics/region.h: where an object is known: what the scan has lit.
 */
#ifndef FF_RECONSTRUCT_METRICS_REGION_H
#define FF_RECONSTRUCT_METRICS_REGION_H

#include "functions/reconstruct/metrics/image.h"

#include <stdbool.h>

struct ff_scan {
    const double *positions; /* (count, 2): minimum corners of the patches, in pixels */
    size_t count;
    const ff_complex_double *probe; /* (modes, rows, columns) */
    size_t modes, rows, columns;
};

/* Fills `map`, of the object's shape: 1 where Σ_n Σ_m |P_m(x - r_n)|² exceeds `share` of its
 * maximum, else 0. Patches at whole pixels; what leaves the array, or is not finite, counts
 * nothing. */
int ff_region_lit(const struct ff_scan *scan, double share, struct ff_map *map,
                  struct ff_error *error) FF_MUST_USE;

/* 1 inside the box, 0 outside. */
void ff_region_fill(const struct ff_box *box, struct ff_map *map);

/* The least box around all that is not zero; false where nothing is. */
bool ff_region_box(const struct ff_map *mask, struct ff_box *box);

/* A window without sharp edges, 0 at the edge of the mask and outside, 1 from about `reach` pixels
 * inside of it: max(0, 2 b - 1), with b the mask blurred by three running means. */
int ff_region_window(const struct ff_map *mask, size_t reach, struct ff_map *window,
                     struct ff_error *error) FF_MUST_USE;

#endif
