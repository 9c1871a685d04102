/*
 * functions/reconstruct/transform.h: two-dimensional Fourier transforms for what happens once a run
 * (first probes, simulation). The solvers' transforms are those of their backend.
 */
#ifndef FF_RECONSTRUCT_TRANSFORM_H
#define FF_RECONSTRUCT_TRANSFORM_H

#include "functions/reconstruct/arrays.h"

enum ff_transform_direction { FF_TRANSFORM_FORWARD, FF_TRANSFORM_INVERSE };

/* A plan for (rows, columns) in place, orthonormal, DC at the corner. Plans are made and destroyed
 * by one thread at a time, as FFTW's planner demands. */
struct ff_transform;
struct ff_transform *ff_transform_create(size_t rows, size_t columns,
                                         struct ff_error *error) FF_MUST_USE;
void ff_transform_destroy(struct ff_transform *transform);
void ff_transform_run(const struct ff_transform *transform, enum ff_transform_direction direction,
                      ff_complex *values);

/* Moves the corner to the middle (n / 2) and, inverse, the middle to the corner: into `to`, which
 * is another array. */
void ff_shift_to_middle(const ff_complex *from, size_t rows, size_t columns, ff_complex *to);
void ff_shift_to_corner(const ff_complex *from, size_t rows, size_t columns, ff_complex *to);

#endif
