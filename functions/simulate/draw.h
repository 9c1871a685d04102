/*
 * functions/simulate/draw.h: random numbers of the distributions that a measurement has. What is
 * drawn for a pattern depends on seed, pattern and purpose alone, never on the order or on threads.
 */
#ifndef FF_SIMULATE_DRAW_H
#define FF_SIMULATE_DRAW_H

#include "functions/reconstruct/solvers/random.h"

#include <stddef.h>

/* What a stream of numbers is for. */
enum ff_draw { FF_DRAW_COUNTS, FF_DRAW_POSITION, FF_DRAW_WEIGHTS, FF_DRAW_PIXEL };

struct ff_random ff_simulate_stream(int64_t seed, size_t index, enum ff_draw purpose);

/* By multiplication for small means, by Hörmann's transformed rejection (PTRS, 1993) for others. */
double ff_simulate_poisson(struct ff_random *random, double mean);

/* Mean 0, variance 1, by Box and Muller. */
double ff_simulate_normal(struct ff_random *random);

#endif
