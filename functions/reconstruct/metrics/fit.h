/*
 * functions/reconstruct/metrics/fit.h: the last step of a registration: least squares by the method
 * of Gauss and Newton.
 */
#ifndef FF_RECONSTRUCT_METRICS_FIT_H
#define FF_RECONSTRUCT_METRICS_FIT_H

#include "functions/reconstruct/metrics/fourier.h"
#include "functions/reconstruct/metrics/register.h"

struct ff_fit {
    const struct ff_image *spectrum; /* of the object */
    const struct ff_image *reference;
    const struct ff_map *mask; /* weights of the squared differences */
    const struct ff_fourier *fourier;
};

/*
 * Makes Σ mask |reference - m|² least, m(x) = c e^{ik·x} object(x - s), from the shift and the ramp
 * that `registration` holds. A step that does not lessen the sum is halved, some times, and then
 * the last one stands. FF_INPUT_INVALID where object or reference is zero all over the mask.
 */
int ff_fit_registration(const struct ff_fit *fit, struct ff_registration *registration,
                        struct ff_error *error) FF_MUST_USE;

#endif
