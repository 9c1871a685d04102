/*
 * functions/simulate/poisson.h: counts with a given mean.
 */
#ifndef FF_SIMULATE_POISSON_H
#define FF_SIMULATE_POISSON_H

#include "functions/reconstruct/solvers/random.h"

/* By multiplication for small means, by Hörmann's transformed rejection (PTRS, 1993) for others. */
double ff_simulate_poisson(struct ff_random *random, double mean);

#endif
