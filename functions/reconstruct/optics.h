/*
 * functions/reconstruct/optics.h: the probe that a Fresnel zone plate makes.
 */
#ifndef FF_RECONSTRUCT_OPTICS_H
#define FF_RECONSTRUCT_OPTICS_H

#include "functions/reconstruct/problem.h"
#include "functions/reconstruct/settings.h"

/*
 * Fills `probe` (rows, columns of a pattern), centred, of some power. A plate of diameter D and
 * outermost zone Δr has the focal length f = D Δr / λ; the wave in its focus is the transform of
 * the pupil, an open ring from the central stop to D whose point r has the spatial frequency
 * q = r / (λ f). A defocus z multiplies it by exp(-iπλz q²) (Goodman, Introduction to Fourier
 * Optics, sections 4.2 and 5.2). Refuses a plate whose probe the window or the pixel cannot hold,
 * and a scan without a wavelength.
 */
int ff_optics_probe(const struct ff_settings *settings, const struct ff_problem *problem,
                    ff_complex *probe, struct ff_error *error) FF_MUST_USE;

#endif
