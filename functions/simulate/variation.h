/*
 * functions/simulate/variation.h: what changes from pattern to pattern.
 */
#ifndef FF_SIMULATE_VARIATION_H
#define FF_SIMULATE_VARIATION_H

#include "functions/simulate/simulation.h"

/* What became of a frame. */
enum ff_simulate_fault {
    FF_SIMULATE_WHOLE,
    FF_SIMULATE_DROPPED,
    FF_SIMULATE_EMPTY,
    FF_SIMULATE_BRIGHT
};

/*
 * Fills eigenprobes, weights, intensities and faults.
 *
 * Eigenprobes are the first mode times x, y, xy, … and alternately i, orthogonal to it and to each
 * other, each with its power: a weight is an amplitude relative to the first mode. Weights drift
 * slowly over the scan and jump a little; intensities are normal about 1. Faulty frames are drawn
 * without repetition.
 */
int ff_simulate_variation(struct ff_simulation *simulation, struct ff_error *error) FF_MUST_USE;

#endif
