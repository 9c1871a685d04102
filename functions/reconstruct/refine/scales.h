/*
 * functions/reconstruct/refine/scales.h: how bright each exposure was against the mean.
 */
#ifndef FF_RECONSTRUCT_REFINE_SCALES_H
#define FF_RECONSTRUCT_REFINE_SCALES_H

#include <stddef.h>

/* Moves the amplitude scales (count) half of the way to what fits each pattern best, by `terms`
 * (count, 2) of FF_TERMS_SCALES, within a factor of two of the mean; their mean square stays 1,
 * because the probe holds the brightness that all share. */
void ff_scales_move(double *scales, const double *terms, size_t count);

#endif
