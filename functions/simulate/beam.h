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
 * (geometry.h). The caller frees. */
ff_complex *ff_simulate_beam(const struct ff_simulate_settings *settings, double likeness,
                             struct ff_error *error) FF_MUST_USE;

/* The diameter within which half of the light of one mode falls, in pixels. */
double ff_simulate_beam_width(const ff_complex *probe, size_t size);

#endif
