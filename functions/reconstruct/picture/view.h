/*
 * functions/reconstruct/picture/view.h: what of an object is worth looking at: the scanned part,
 * with the ambiguities of ptychography (a constant phase, a phase ramp) taken out.
 */
#ifndef FF_RECONSTRUCT_PICTURE_VIEW_H
#define FF_RECONSTRUCT_PICTURE_VIEW_H

#include "functions/reconstruct/arrays.h"

struct ff_view_source {
    const ff_complex *object;
    size_t rows, columns;
    const double
        *positions; /* (N, 2): minimum corners of the patches, in pixels; NULL: all counts */
    size_t patterns;
    size_t window[2]; /* of a patch */
};

struct ff_view {
    size_t rows, columns;
    float *phase; /* radians, in -π … π */
    float *amplitude;
    /* What black and white should stand for: the 1st and 99th percentile of the part that the
     * middles of the patches reached, where the light was good. */
    float phase_low, phase_high;
    float amplitude_low, amplitude_high;
};

/* At most `limit` pixels a side: larger views are averaged over squares. */
struct ff_view *ff_view_create(const struct ff_view_source *source, size_t limit,
                               struct ff_error *error) FF_MUST_USE;
void ff_view_destroy(struct ff_view *view);

#endif
