/*
 * functions/reconstruct/refine/positions.h: where the probe really was.
 *
 * Each position moves by the δ that fits its exit wave best to first order: A δ = b of
 * FF_TERMS_POSITIONS (Dwivedi et al., Ultramicroscopy 192, 29 (2018), with the gradient of the patch).
 * A is regularised by its mean over the scan, so that weak patterns move little; moves are limited to
 * half a pixel; their mean is removed, because object and probe can shift together. What positions
 * have in common beyond that is an affine map of the first ones (affine.h).
 */
#ifndef FF_RECONSTRUCT_REFINE_POSITIONS_H
#define FF_RECONSTRUCT_REFINE_POSITIONS_H

#include "functions/reconstruct/arrays.h"

#include <stdbool.h>

struct ff_positions_step {
    double step;      /* 0 … 1 of δ */
    bool affine;      /* then also draws towards the affine map */
    double travel_px; /* how far each coordinate may get from its first value */
};

/* Moves `positions` (count, 2) by `terms` (count, 5). `first` are the positions it all began with. */
void ff_positions_move(double *positions, const double *first, const double *terms, size_t count,
                       const struct ff_positions_step *step);

#endif
