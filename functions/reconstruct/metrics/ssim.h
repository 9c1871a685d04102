/*
 * functions/reconstruct/metrics/ssim.h: structural similarity (Wang, Bovik, Sheikh and Simoncelli,
 * IEEE Trans. Image Process. 13, 600 (2004)).
 *
 *     SSIM = (2 μ_a μ_b + C₁)(2 σ_ab + C₂) / ((μ_a² + μ_b² + C₁)(σ_a² + σ_b² + C₂)),
 * with means, variances and covariance under a Gaussian of σ = 1.5 pixels, C₁ = (0.01 L)² and
 * C₂ = (0.03 L)², L the range of the reference; averaged over the mask.
 */
#ifndef FF_RECONSTRUCT_METRICS_SSIM_H
#define FF_RECONSTRUCT_METRICS_SSIM_H

#include "functions/reconstruct/metrics/image.h"

/* Of two maps of one shape over a mask of zeros and ones; values outside the mask count nowhere.
 * NaN where the reference is the same everywhere: then there is no structure to compare. */
int ff_ssim(const struct ff_map *image, const struct ff_map *reference, const struct ff_map *mask,
            double *ssim, struct ff_error *error) FF_MUST_USE;

/* The same of the phases of two registered objects, the mean over the mask taken off each: the
 * reference's phase against that of its mean value, and the object's as that plus the phase between
 * the two, so that a jump of 2π in both is none between them. */
int ff_ssim_of_phases(const struct ff_image *object, const struct ff_image *reference,
                      const struct ff_map *mask, double *ssim, struct ff_error *error) FF_MUST_USE;

#endif
