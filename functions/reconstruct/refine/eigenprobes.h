/*
 * functions/reconstruct/refine/eigenprobes.h: a probe that varies over the scan, as its mean and a few
 * eigenprobes with a weight for each pattern (orthogonal probe relaxation: Odstrčil et al., Opt.
 * Express 24, 8360 (2016)). The eigenprobes themselves move with the probe, by the gradients of the
 * backend; here are their weights, and the form that makes them unique.
 */
#ifndef FF_RECONSTRUCT_REFINE_EIGENPROBES_H
#define FF_RECONSTRUCT_REFINE_EIGENPROBES_H

#include "functions/reconstruct/arrays.h"

#include <stdbool.h>

/* So many at most. */
enum { FF_EIGENPROBES_MAX = 16 };

/* A first shape for `count` eigenprobes of (rows, columns): the probe times low polynomials about its
 * centre with random complex factors, each as strong as the probe. */
void ff_eigenprobes_begin(ff_complex *eigenprobes, size_t count, const ff_complex *probe,
                          size_t rows, size_t columns, uint64_t seed);

/* Moves `weights` (patterns, count) by `terms` of FF_TERMS_WEIGHTS: half of the way to what fits best, all weights of a
 * pattern together, since patches and eigenprobes are not orthogonal to each other. Those of the first `active`
 * eigenprobes move. */
void ff_eigenprobes_weigh(double *weights, const double *terms, size_t patterns, size_t count,
                          size_t active);

/*
 * The same probes of all patterns in one form, the singular value decomposition of what varies: the
 * mean of the weights is in the probe; the weights of two eigenprobes are uncorrelated and those of
 * each have the mean square 1 / count; eigenprobes are orthogonal as real vectors, strongest first.
 * So Σ_c w_nc² is 1 in the mean, and the step by the common V (backend.h) moves the probe and what
 * varies it at the same pace. An eigenprobe without weights stays behind the others as it is.
 * `probe` is the first mode, (pixels).
 */
struct ff_eigenprobes_change;
void ff_eigenprobes_normalise(ff_complex *probe, ff_complex *eigenprobes, double *weights,
                              size_t patterns, size_t count, size_t pixels,
                              struct ff_eigenprobes_change *change);

/* What that did: weights less their means, times `weights`; the probe plus means × eigenprobes, and eigenprobes times
 * `eigenprobes`. Both (count, count), from the old by rows to the new by columns. */
struct ff_eigenprobes_change {
    double means[FF_EIGENPROBES_MAX];
    double weights[FF_EIGENPROBES_MAX * FF_EIGENPROBES_MAX];
    double eigenprobes[FF_EIGENPROBES_MAX * FF_EIGENPROBES_MAX];
};

/* Makes what a solver keeps of probe and eigenprobes say the same in the new form: a step or direction, which changes
 * as they do, or the sums that they were found from (`gradient`), which change as the weights do. Without it,
 * conjugate gradients would go on along a direction that means something else. */
void ff_eigenprobes_carry(const struct ff_eigenprobes_change *change, ff_complex *probe,
                          ff_complex *eigenprobes, size_t count, size_t pixels, bool gradient);

#endif
