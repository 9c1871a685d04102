/*
 * functions/reconstruct/refine/eigenprobes.h: a probe that varies over the scan, as its mean and a few
 * eigenprobes with a weight for each pattern (orthogonal probe relaxation: Odstrčil et al., Opt.
 * Express 24, 8360 (2016)). The eigenprobes themselves move with the probe, by the gradients of the
 * backend; here are their weights, and the form that makes them unique.
 */
#ifndef FF_RECONSTRUCT_REFINE_EIGENPROBES_H
#define FF_RECONSTRUCT_REFINE_EIGENPROBES_H

#include "functions/reconstruct/arrays.h"

/* A first shape for `count` eigenprobes of (rows, columns): the probe times low polynomials about its
 * centre with random complex factors, each as strong as the probe. */
void ff_eigenprobes_begin(ff_complex *eigenprobes, size_t count, const ff_complex *probe,
                          size_t rows, size_t columns, uint64_t seed);

/* Moves `weights` (patterns, count) by `terms` (patterns, count, 2) of FF_TERMS_WEIGHTS. */
void ff_eigenprobes_weigh(double *weights, const double *terms, size_t patterns, size_t count);

/*
 * The same probes of all patterns in one form: the mean of the weights is in the probe, eigenprobes
 * are orthogonal as real vectors and each as strong as the probe. `probe` is the first mode, (pixels).
 */
void ff_eigenprobes_normalise(ff_complex *probe, ff_complex *eigenprobes, double *weights,
                              size_t patterns, size_t count, size_t pixels);

#endif
