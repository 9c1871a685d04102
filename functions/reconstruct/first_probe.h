/*
 * functions/reconstruct/first_probe.h: the probe that a reconstruction begins with.
 */
#ifndef FF_RECONSTRUCT_FIRST_PROBE_H
#define FF_RECONSTRUCT_FIRST_PROBE_H

#include "functions/reconstruct/formats/measurement.h"
#include "functions/reconstruct/settings.h"

/*
 * problem->modes modes of (probe_rows, probe_columns), centred, strongest first; their power
 * together is that of the mean pattern (for each position within an exposure), so that an object of
 * ones predicts as many counts as were measured (transforms are orthonormal). The caller frees.
 *
 * The first mode is the measurement's own probe, resampled when the frames were cropped (a crop
 * keeps the field of view and widens the pixel), or that of the optics in the settings, else what
 * the mean amplitude says: its back-transform, a focus without aberrations, or in a near field its
 * way back through free space. Where the window is smaller than a pattern (the setting pad) its
 * middle is taken. Modes that the file does not give are the first one times the Hermite-like
 * polynomials x, y, x², … about its centre, made orthogonal, each with a tenth of its power
 * (Odstrčil et al. 2016, and tike, begin alike).
 *
 * Of the problem everything but object, probe and positions must be set; of the measurement only
 * its probe is used.
 */
ff_complex *ff_first_probe_create(const struct ff_problem *problem,
                                  const struct ff_measurement *measurement,
                                  const struct ff_settings *settings,
                                  struct ff_error *error) FF_MUST_USE;

#endif
