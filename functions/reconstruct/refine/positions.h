/*
 * functions/reconstruct/refine/positions.h: where the probe really was.
 *
 * Each position moves by the δ that fits its exit wave best to first order: A δ = b of
 * FF_TERMS_POSITIONS (Dwivedi et al., Ultramicroscopy 192, 29 (2018), with the gradient of the patch).
 * A is regularised by its mean over the scan, so that weak patterns move little; moves are limited to
 * half a pixel, before momentum; their mean is removed, because object and probe can shift together. Errors that
 * neighbours share fall slowly, since the object follows them: so moves have momentum.
 */
#ifndef FF_RECONSTRUCT_REFINE_POSITIONS_H
#define FF_RECONSTRUCT_REFINE_POSITIONS_H

#include "functions/reconstruct/arrays.h"

#include <stddef.h>

struct ff_positions_step {
    double step;        /* 0 … 1 of δ */
    double travel_px;   /* how far each coordinate may get from its first value */
    double *velocities; /* (count, 2): of which a part goes on; updated */
};

/* Moves `positions` (count, 2) by `terms` (count, 5). `first` are the positions it all began with. */
void ff_positions_move(double *positions, const double *first, const double *terms, size_t count,
                       const struct ff_positions_step *step);

/* Brings each coordinate of `positions` (count, 2) back to within `travel_px` of its first value. */
void ff_positions_hold(double *positions, const double *first, size_t count, double travel_px);

#endif
