/*
 * functions/reconstruct/refine/modes.h: the incoherent probe modes (Thibault and Menzel, Nature
 * 494, 68 (2013)).
 */
#ifndef FF_RECONSTRUCT_REFINE_MODES_H
#define FF_RECONSTRUCT_REFINE_MODES_H

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/solvers/random.h"

/* Fills modes `given` … modes-1 of `probe` (modes, rows, columns) with mode 0 times a random linear
 * phase ramp of at most one pixel of shift in the far field's period, with a tenth of its power. */
void ff_modes_start(ff_complex *probe, size_t given, size_t modes, size_t rows, size_t columns,
                    struct ff_random *random);

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
