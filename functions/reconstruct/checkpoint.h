/*
 * functions/reconstruct/checkpoint.h: everything that a run needs to go on, in one block of bytes.
 *
 * Layout, little-endian as on every machine that Farfield runs on: a head (in checkpoint.c), then
 * costs (float64, epochs), object and probe (complex64, shapes of the head), the solver's own state.
 * No pointers, no padding between.
 */
#ifndef FF_RECONSTRUCT_CHECKPOINT_H
#define FF_RECONSTRUCT_CHECKPOINT_H

#include "functions/reconstruct/run.h"

/* The state between two epochs. Pointers are borrowed. */
struct ff_checkpoint {
    size_t epoch; /* done */
    struct ff_random random;
    const double *costs;
    ff_complex *object;
    ff_complex *probe;
    struct ff_span solver_state;
    struct ff_span transforms; /* of the backend, so that a resumed run has the same bits */
    char device[160];
};

/* Appends the bytes. */
int ff_checkpoint_write(const struct ff_problem *problem, const struct ff_run_settings *settings,
                        const struct ff_checkpoint *state, struct ff_buffer *bytes,
                        struct ff_error *error) FF_MUST_USE;

/* Checks that the bytes are whole and of this problem and these settings, then copies object, probe
 * and costs to where `state` points and fills the rest; solver_state and transforms point into `bytes`. */
int ff_checkpoint_read(struct ff_span bytes, const struct ff_problem *problem,
                       const struct ff_run_settings *settings, double *costs,
                       struct ff_checkpoint *state, struct ff_error *error) FF_MUST_USE;

/* Most bytes that a checkpoint of this problem has. */
size_t ff_checkpoint_limit(const struct ff_problem *problem,
                           const struct ff_run_settings *settings);

#endif
