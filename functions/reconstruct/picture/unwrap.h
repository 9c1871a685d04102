/*
 * functions/reconstruct/picture/unwrap.h: a phase without jumps of 2π.
 *
 * Pixels are joined in the order of their reliability, which does not run along one path: a pixel is
 * the more reliable the smaller its second differences, and the pairs of neighbours that are most
 * reliable together are joined first, each group moved by a multiple of 2π (Herráez, Burton, Lalor
 * and Gdeisat, Appl. Opt. 41, 7437 (2002)). So noise and vortices spoil only what is joined last.
 */
#ifndef FF_RECONSTRUCT_PICTURE_UNWRAP_H
#define FF_RECONSTRUCT_PICTURE_UNWRAP_H

#include "functions/reconstruct/arrays.h"

/* Adds to each value, in radians, a multiple of 2π, in place; their mean ends within -π … π. The
 * values are finite. The same input gives the same output. */
int ff_unwrap(float *phase, size_t rows, size_t columns, struct ff_error *error) FF_MUST_USE;

#endif
