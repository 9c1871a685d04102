/*
 * functions/reconstruct/solvers/batchwise.h: the frame of the algorithms that take a step after
 * each of many batches: rpie, epie, lstsq. They differ in the step.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_BATCHWISE_H
#define FF_RECONSTRUCT_SOLVERS_BATCHWISE_H

#include "functions/reconstruct/solvers/batches.h"
#include "functions/reconstruct/solvers/shared.h"

struct ff_solver {
    const char *name;
    struct ff_solver_settings settings;
    struct ff_batches *batches;
    double *terms;    /* (patterns, 6): of fit(), where steps are found by position; else NULL */
    uint32_t *sample; /* (exit_limit): the patterns of a batch that do so; likewise */
    size_t sample_limit;
    size_t patterns;
};

/* Forms the sums of a batch and takes the step. `want` and `update` are those of the settings in
 * this epoch. */
typedef void (*ff_batch_step)(struct ff_solver *solver, struct ff_devices *devices,
                              struct ff_batch batch, unsigned want, const struct ff_update *update);

struct ff_solver *ff_batchwise_create(const struct ff_problem *problem,
                                      const struct ff_solver_settings *settings, const char *name,
                                      struct ff_error *error) FF_MUST_USE;
unsigned ff_batchwise_epoch(struct ff_solver *solver, struct ff_devices *devices,
                            const struct ff_epoch *epoch, ff_batch_step step);

/* The rest of the table, the same for all of them. */
void ff_batchwise_destroy(struct ff_solver *solver);
size_t ff_batchwise_batch_limit(const struct ff_solver *solver);
unsigned ff_batchwise_needs(const struct ff_solver *solver);
const enum ff_field *ff_batchwise_fields(const struct ff_solver *solver);
void ff_batchwise_save(const struct ff_solver *solver, struct ff_buffer *state);
int ff_batchwise_restore(struct ff_solver *solver, struct ff_span state,
                         struct ff_error *error) FF_MUST_USE;

#endif
