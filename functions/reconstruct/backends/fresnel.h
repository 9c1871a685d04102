/*
 * functions/reconstruct/backends/fresnel.h: the transfer function of a near field, for every backend.
 *
 * H = exp(-iπ λ z (f_y² + f_x²)) / pixels, to stand between two unnormalised transforms (Goodman, Introduction to Fourier
 * Optics, 4.2; the constant phase is left out).
 */
#ifndef FF_RECONSTRUCT_BACKENDS_FRESNEL_H
#define FF_RECONSTRUCT_BACKENDS_FRESNEL_H

#include "functions/reconstruct/problem.h"

struct ff_fresnel {
    double bend;        /* π λ z, m² */
    double extent_m[2]; /* of a frame, rows and columns */
    size_t size[2];     /* in pixels */
};

/* FF_INPUT_INVALID when the problem does not say wavelength, distance and pixel size. */
int ff_fresnel_of(const struct ff_problem *problem, struct ff_fresnel *fresnel,
                  struct ff_error *error) FF_MUST_USE;

/* Real and imaginary part at frequency (row, column), in the order of the transform. */
void ff_fresnel_at(const struct ff_fresnel *fresnel, size_t row, size_t column, double h[2]);

/* The frequency of element i of n, in cycles over the whole. */
double ff_frequency(size_t i, size_t n);

#endif
