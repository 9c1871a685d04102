/*
 * functions/reconstruct/solvers/step_pair.h: how far to go along a direction of the object and one of
 * the probe at once.
 *
 * To first order a step a of the object and b of the probe change the exit wave of a pattern by
 * a u + b v; the pair that comes nearest to χ solves two equations (Odstrcil, Menzel, Guizar-Sicairos,
 * Opt. Express 26, 3108 (2018), eq. 22). Each pattern has its own; their mean is taken. The
 * diagonal is lifted by half of its mean over the batch, so that a pattern with little light in it
 * has little to say.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_STEP_PAIR_H
#define FF_RECONSTRUCT_SOLVERS_STEP_PAIR_H

#include "functions/reconstruct/backends/backend.h"

struct ff_step_pair {
    double object, probe; /* neither is negative */
};

/* How many patterns of a batch tell its mean pair: all, but of a large scan no more than a part, whose exit waves take a
 * sixteenth of what the counts take. The mean of a hundred is as good as that of a thousand. */
size_t ff_step_pair_sample(size_t patterns, size_t batch_limit);

/* The mean pair of a batch. `terms` are FF_TERMS_STEPS, a row of 6 for each pattern of the problem. What
 * does not move (`object`, `probe` false) leaves the other to be found alone. */
struct ff_step_pair ff_step_pair_of(const double *terms, struct ff_batch batch, bool object,
                                    bool probe);

#endif
