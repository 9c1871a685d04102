/*
 * functions/reconstruct/metrics/object_error.h: how far an object is from a reference that it has
 * been registered to.
 */
#ifndef FF_RECONSTRUCT_METRICS_OBJECT_ERROR_H
#define FF_RECONSTRUCT_METRICS_OBJECT_ERROR_H

#include "functions/reconstruct/metrics/image.h"

struct ff_object_error {
    /* √(Σ w |reference - object|² / Σ w |reference|²) */
    double relative;
    /* √(Σ w (|reference| - |object|)² / Σ w |reference|²) */
    double amplitude;
    /* Radians: √(Σ w φ² / Σ w), φ the phase of object · conj(reference) in -π … π, over the pixels
     * where both are above a hundredth of the reference's mean amplitude: below there is no phase. */
    double phase;
};

/* Over images of one shape, with the weights w of `mask`. NaN where the reference is zero all over
 * it. */
struct ff_object_error ff_object_error(const struct ff_image *object,
                                       const struct ff_image *reference, const struct ff_map *mask);

#endif
