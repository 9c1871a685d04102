/*
 * functions/reconstruct/checkpoint.h: everything that a run needs to go on, as one stream of bytes.
 *
 * Layout, little-endian as on every machine that Farfield runs on, no padding between:
 *
 *     head (checkpoint.c): what it is, how far it came, the sizes of what follows
 *     identity       text, a line "name<TAB>value" for everything that decides where a run goes:
 *                    input, shapes, settings (identity.h)
 *     transforms     opaque text of the backend
 *     solver         bytes of the algorithm's own
 *     costs          float64, epochs
 *     state          object, probe, positions, velocities, drift, scales, weights (state.h)
 *     fields         those of the devices that the algorithm keeps, in its order; waves by pattern
 *     SHA-256 of all before it
 */
#ifndef FF_RECONSTRUCT_CHECKPOINT_H
#define FF_RECONSTRUCT_CHECKPOINT_H

#include "functions/reconstruct/solvers/random.h"
#include "functions/reconstruct/state.h"

/* Where the bytes go, piece by piece: kept waves may be larger than what memory has left. After
 * `begin` succeeded `end` is called once, with `whole` false when it was not all written. */
struct ff_checkpoint_sink {
    void *user;
    int (*begin)(void *user, struct ff_error *error);
    int (*write)(void *user, struct ff_span bytes, struct ff_error *error);
    int (*end)(void *user, bool whole, struct ff_error *error);
};

/* The state between two epochs. */
struct ff_checkpoint {
    size_t epoch; /* done */
    struct ff_random random;
    char device[160];
    struct ff_span identity, transforms, solver; /* borrowed */
    const double *costs;                         /* (epoch) */
    const struct ff_state *state;
    const enum ff_field *fields; /* of the devices, ended by FF_FIELDS */
};

int ff_checkpoint_write(const struct ff_problem *problem, const struct ff_checkpoint *checkpoint,
                        struct ff_devices *devices, const struct ff_checkpoint_sink *sink,
                        struct ff_error *error) FF_MUST_USE;

/* A checkpoint that was found whole and of this run. Points into the bytes it was opened from. */
struct ff_checkpoint_view {
    size_t epoch;
    struct ff_random random;
    char device[160];
    struct ff_span transforms, solver;
    struct ff_span arrays; /* costs, state and fields */
};

/* FF_INPUT_INVALID when the bytes are no whole checkpoint, or one whose identity differs from
 * `identity`: the first difference is named with both values. `epochs` is the most that it may have
 * done. */
int ff_checkpoint_open(struct ff_span bytes, struct ff_span identity, size_t epochs,
                       struct ff_checkpoint_view *view, struct ff_error *error) FF_MUST_USE;

/* Fills costs and state, whose shapes are those of the problem. */
int ff_checkpoint_take_state(const struct ff_checkpoint_view *view,
                             const struct ff_problem *problem, double *costs,
                             struct ff_state *state, struct ff_error *error) FF_MUST_USE;

/* Puts the fields, the same list as when it was written, to the devices. */
int ff_checkpoint_put_fields(const struct ff_checkpoint_view *view,
                             const struct ff_problem *problem, const struct ff_state *state,
                             const enum ff_field *fields, struct ff_devices *devices,
                             struct ff_error *error) FF_MUST_USE;

#endif
