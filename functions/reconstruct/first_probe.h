/*
 * functions/reconstruct/first_probe.h: the probe that a reconstruction begins with.
 */
#ifndef FF_RECONSTRUCT_FIRST_PROBE_H
#define FF_RECONSTRUCT_FIRST_PROBE_H

#include "functions/reconstruct/formats/measurement.h"

/*
 * `modes` modes of (rows, columns), centred, strongest first; their power together is that of the
 * mean pattern, so that an object of ones predicts as many counts as were measured (transforms are
 * orthonormal). The caller frees.
 *
 * The first mode is the measurement's own probe, resampled when the frames were cropped (a crop
 * keeps the field of view and widens the pixel), else the back-transform of the mean amplitude: a
 * focus without aberrations. Modes that the file does not give are the first one times the
 * Hermite-like polynomials x, y, x², … about its centre, made orthogonal, each with a tenth of its
 * power (Odstrčil et al. 2016, and tike, begin alike).
 */
ff_complex *ff_first_probe_create(const struct ff_measurement *measurement, const char *source,
                                  size_t modes, bool resample, struct ff_error *error) FF_MUST_USE;

#endif
