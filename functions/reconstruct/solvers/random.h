/*
 * functions/reconstruct/solvers/random.h: the solver's own random numbers: the same for a seed on
 * every machine. SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
 */
#ifndef FF_RECONSTRUCT_SOLVERS_RANDOM_H
#define FF_RECONSTRUCT_SOLVERS_RANDOM_H

#include <stdint.h>

/* The whole state; a checkpoint keeps it. */
struct ff_random {
    uint64_t state;
};

struct ff_random ff_random_seed(uint64_t seed);
uint64_t ff_random_next(struct ff_random *random);

/* Even in 0 … below-1, below ≥ 1. */
uint32_t ff_random_below(struct ff_random *random, uint32_t below);

/* Even in [0, 1). */
double ff_random_unit(struct ff_random *random);

#endif
