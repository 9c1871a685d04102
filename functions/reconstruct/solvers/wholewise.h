/*
 * functions/reconstruct/solvers/wholewise.h: the frame of the algorithms that take all patterns at
 * once: cgrad, ml, dm, raar. They differ in the epoch, and in what they remember of the last one.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_WHOLEWISE_H
#define FF_RECONSTRUCT_SOLVERS_WHOLEWISE_H

#include "functions/reconstruct/solvers/conjugate.h"
#include "functions/reconstruct/solvers/shared.h"

/* What one epoch leaves for the next, beside fields of the devices; saved as it is. */
struct ff_whole_memory {
    struct ff_conjugate object, probe,
        both; /* turns of one part alone, and of both as one unknown */
    double
        waves_age; /* steps that FF_WAVES have gone through since they were formed, a whole number;
                         0: they must be formed */
};

struct ff_solver {
    const char *name;
    struct ff_solver_settings settings;
    struct ff_batch all;
    double total_counts;
    struct ff_projection projection; /* of dm and raar */
    struct ff_whole_memory memory;
};

/* `name` outlives it. */
struct ff_solver *ff_wholewise_create(const struct ff_problem *problem,
                                      const struct ff_solver_settings *settings, const char *name,
                                      struct ff_error *error) FF_MUST_USE;
void ff_wholewise_destroy(struct ff_solver *solver);
size_t ff_wholewise_batch_limit(const struct ff_solver *solver);
void ff_wholewise_save(const struct ff_solver *solver, struct ff_buffer *state);
int ff_wholewise_restore(struct ff_solver *solver, struct ff_span state,
                         struct ff_error *error) FF_MUST_USE;

/* Directions and last gradients, and where `waves` the waves. */
const enum ff_field *ff_wholewise_directions(bool waves);

#endif
