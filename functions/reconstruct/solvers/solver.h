/*
 * functions/reconstruct/solvers/solver.h: an algorithm, written once over backends/backend.h.
 *
 * A solver owns the order of stages and its own state; the backend owns object and probe. run.c
 * owns the loop over epochs, progress, stop, previews and checkpoints.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_SOLVER_H
#define FF_RECONSTRUCT_SOLVERS_SOLVER_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/solvers/random.h"

#include "protocol/core/bytes.h"

/* The settings that solvers read, each by the name that users give it. */
struct ff_solver_settings {
    size_t epochs;
    size_t batches;     /* ≥ 1 */
    double alpha;       /* 0 … 1: see rpie.c */
    double step_object; /* 0: the object is known */
    double step_probe;  /* 0: the probe is known */
    size_t probe_start; /* first epoch, counted from 1, in which the probe moves */
};

struct ff_solver;

struct ff_solver_operations {
    const char *name; /* as in the setting `algorithm` */

    struct ff_solver *(*create)(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error);
    void (*destroy)(struct ff_solver *solver);

    /* Most patterns in one batch: what the backend is to be created with. */
    size_t (*batch_limit)(const struct ff_solver *solver);

    /* One pass over all patterns; `epoch` counts from 1. The backend gathers Σ (√I - √d)² as it was
     * met on the way, and any failure of the device: run.c asks it afterwards. */
    void (*epoch)(struct ff_solver *solver, const struct ff_backend_operations *operations,
                  struct ff_backend *backend, struct ff_random *random, size_t epoch);

    /* What resuming needs beside object, probe and random state. Restoring what was not saved by
     * the same algorithm fails. A solver without such state saves nothing. */
    void (*save)(const struct ff_solver *solver, struct ff_buffer *state);
    int (*restore)(struct ff_solver *solver, struct ff_span state, struct ff_error *error);
};

extern const struct ff_solver_operations ff_solver_rpie;

#endif
