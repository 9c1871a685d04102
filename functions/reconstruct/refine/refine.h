/*
 * functions/reconstruct/refine/refine.h: what moves between two epochs, whatever the algorithm:
 * positions, intensities of the exposures, the probe's variation over the scan; and what object and
 * probe are held to. Each has a file of its own here; this one puts them in order.
 *
 * They work on the state on the host from the terms that a pass leaves for each pattern
 * (backends/backend.h), so they are the same for any number of devices.
 */
#ifndef FF_RECONSTRUCT_REFINE_REFINE_H
#define FF_RECONSTRUCT_REFINE_REFINE_H

#include "functions/reconstruct/refine/constraints.h"
#include "functions/reconstruct/state.h"

/* By the names that users give them. */
struct ff_refine_settings {
    bool positions;
    bool affine;            /* also the deformation that they share */
    size_t positions_start; /* first epoch, counted from 1, that moves them */
    double search_px;       /* how far off they may be, to be searched; 0: gradients alone */
    double step_positions;
    bool intensities;
    size_t opr_modes; /* eigenprobes; 0: one probe for all patterns */
    enum ff_object_constraint object_constraint;
    enum ff_probe_constraint probe_constraint;
    bool power_balance;
};

struct ff_refiner;

/* Gives eigenprobes of `state` their first shape, drawn from `seed`. `batch_limit`: most patterns that
 * the devices take at once; `epochs`: those of the run. */
struct ff_refiner *ff_refiner_create(const struct ff_problem *problem,
                                     const struct ff_refine_settings *settings, size_t batch_limit,
                                     size_t epochs, uint64_t seed, struct ff_state *state,
                                     struct ff_error *error) FF_MUST_USE;
void ff_refiner_destroy(struct ff_refiner *refiner);

/* Which epoch `epoch` is, both from 1, since object and probe began: the search of positions has them begin
 * anew where they have settled around wrong positions. The caller does that before an epoch that is the first again,
 * with a solver that remembers nothing. */
size_t ff_refiner_since(const struct ff_refiner *refiner, size_t epoch);
void ff_refiner_begin_anew(struct ff_refiner *refiner, struct ff_devices *devices,
                           struct ff_state *state);
/* Whether they will not do so again: before that a cost that stays says nothing. */
bool ff_refiner_is_settled(const struct ff_refiner *refiner, size_t epoch);

/* The terms that epoch `epoch` has to leave: a set of enum ff_want. */
unsigned ff_refiner_want(const struct ff_refiner *refiner, size_t epoch);

/* What refinements must know of the solver. */
struct ff_refined {
    const enum ff_field *kept; /* that it goes on with, ended by FF_FIELDS: solver.h */
    size_t eigenprobe_every;   /* likewise */
};

/* After the epoch whose terms were asked for: moves `state` and gives the devices what changed. 1 when
 * anything did, 0 when not. Where the form of the eigenprobes changes, so do the kept directions and gradients of the probe. */
int ff_refiner_apply(struct ff_refiner *refiner, size_t epoch, struct ff_devices *devices,
                     struct ff_state *state, const struct ff_refined *solver,
                     struct ff_error *error) FF_MUST_USE;

/* What the user should know at the end, after so many epochs: a line for each remark, such as a scale
 * of the positions that tells of a wrong energy or distance. */
void ff_refiner_report(const struct ff_refiner *refiner, const struct ff_state *state,
                       size_t epochs, struct ff_buffer *notes);

#endif
