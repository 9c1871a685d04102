/*
 * functions/simulate/beam.h: the probe: a zone plate with a central stop, out of focus; a gaussian
 * beam; or a diffuser.
 */
#ifndef FF_SIMULATE_BEAM_H
#define FF_SIMULATE_BEAM_H

#include "functions/simulate/settings.h"

#include "functions/reconstruct/arrays.h"

/* (modes, window, window), centred, orthogonal, strongest first; together they have
 * settings->counts photons in the exposure of a pattern. `likeness` multiplies what makes the beam
 * what it is: the defocus, the width, or the strength of the diffuser. The settings are complete
 * (ff_simulate_complete). The caller frees. */
ff_complex *ff_simulate_beam(const struct ff_simulate_settings *settings, double likeness,
                             struct ff_error *error) FF_MUST_USE;

/* The diameter within which half of the light of one mode falls, in pixels. */
double ff_simulate_beam_width(const ff_complex *probe, size_t size);

/* Puts what is usual where the settings leave it open: the probe, distance and pixel of the field.
 * FF_INVALID_SETTING where settings contradict each other. */
int ff_simulate_complete(struct ff_simulate_settings *settings, struct ff_error *error) FF_MUST_USE;

/* Of complete settings. */
size_t ff_simulate_window(const struct ff_simulate_settings *settings);
double ff_simulate_wavelength_m(const struct ff_simulate_settings *settings);
double ff_simulate_object_pixel_m(const struct ff_simulate_settings *settings);

#endif
