/*
 * functions/reconstruct/algorithms.h: the algorithms by name, and what each does where the user says
 * nothing. The numbers were chosen on simulated scans whose truth is known: solvers/README.md has
 * the table and the command that makes it.
 */
#ifndef FF_RECONSTRUCT_ALGORITHMS_H
#define FF_RECONSTRUCT_ALGORITHMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of ff_algorithms. */
enum ff_algorithm {
    FF_ALGORITHM_LSTSQ,
    FF_ALGORITHM_RPIE,
    FF_ALGORITHM_EPIE,
    FF_ALGORITHM_CGRAD,
    FF_ALGORITHM_DM,
    FF_ALGORITHM_RAAR,
    FF_ALGORITHM_ML,
    FF_ALGORITHMS,
};

struct ff_algorithm_facts {
    const char *name;
    double alpha, early_alpha; /* the latter in the first early_epochs epochs */
    double step_object, step_probe;
    int64_t probe_start;

    /* Batches an epoch, in the first early_epochs epochs (and at most four fifths of them) and
     * afterwards; 0: all patterns at once. */
    size_t early_batches, early_epochs, batches;
    bool has_alpha; /* whether the setting of this name has a meaning for it; and so on */
    bool has_momentum, has_step;

    /* What it keeps for each pixel of each pattern, once for each mode and once in all. */
    size_t bytes_a_mode, bytes_a_pixel;
};

extern const struct ff_algorithm_facts ff_algorithms[FF_ALGORITHMS];

/* Their names, ended by NULL. */
extern const char *const ff_algorithm_names[];

struct ff_batch_counts {
    size_t count;                     /* of an epoch */
    size_t early_count, early_epochs; /* the same for the first epochs; no such epochs: 0 */
};

/*
 * `wanted` batches in all epochs, or for 0 what the algorithm does by itself. That is a number of
 * batches and not of patterns: what counts is how many neighbours, which see the same pixels of the
 * object, share a batch; the rest of the scan is independent of them. Batches have at least four
 * patterns.
 */
struct ff_batch_counts ff_algorithm_batches(enum ff_algorithm algorithm, size_t wanted,
                                            size_t patterns, size_t epochs);

#endif
