/*
 * functions/reconstruct/refine/modes.h: the incoherent probe modes (Thibault and Menzel, Nature
 * 494, 68 (2013)).
 */
#ifndef FF_RECONSTRUCT_REFINE_MODES_H
#define FF_RECONSTRUCT_REFINE_MODES_H

#include "functions/reconstruct/arrays.h"

/* Scales all modes alike so that Σ|P|² is `power`. */
void ff_modes_rescale(ff_complex *probe, size_t modes, size_t pixels, double power);

/* Mixes the modes by the unitary matrix that makes them orthogonal, strongest first. Σ_m |F_m|² is
 * unchanged for every pattern. The matrix is the eigenvectors of the modes' Gram matrix, by
 * Jacobi's method in double. */
int ff_modes_orthogonalise(ff_complex *probe, size_t modes, size_t pixels,
                           struct ff_error *error) FF_MUST_USE;

/* Σ|P_m|² of one mode. */
double ff_modes_power(const ff_complex *mode, size_t pixels);

#endif
