/*
 * functions/simulate/beam.h: the probe of a zone plate with a central stop, out of focus.
 */
#ifndef FF_SIMULATE_BEAM_H
#define FF_SIMULATE_BEAM_H

#include "functions/simulate/settings.h"

#include "functions/reconstruct/arrays.h"

/* (modes, size, size), centred, orthogonal, strongest first, with settings->counts photons
 * together. `defocus` multiplies that of the settings. The caller frees. */
ff_complex *ff_simulate_beam(const struct ff_simulate_settings *settings, double defocus,
                             struct ff_error *error) FF_MUST_USE;

/* The diameter within which half of the light of one mode falls, in pixels. */
double ff_simulate_beam_width(const ff_complex *probe, size_t size);

double ff_simulate_wavelength_m(const struct ff_simulate_settings *settings);
double ff_simulate_object_pixel_m(const struct ff_simulate_settings *settings);

#endif
