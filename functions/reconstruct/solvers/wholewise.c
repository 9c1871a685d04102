#include "functions/reconstruct/solvers/wholewise.h"

#include <stdlib.h>

struct ff_solver *ff_wholewise_create(const struct ff_problem *problem,
                                      const struct ff_solver_settings *settings, const char *name,
                                      struct ff_error *error)
{
    struct ff_solver *solver = calloc(1, sizeof *solver);
    uint32_t *all = ff_array_create(problem->patterns, sizeof *all, "the patterns' order", error);
    if (solver == NULL || all == NULL) {
        free(solver);
        free(all);
        ff_fail(error, FF_NO_MEMORY, "no memory for the solver");
        return NULL;
    }
    for (size_t n = 0; n < problem->patterns; n++)
        all[n] = (uint32_t)n;
    *solver = (struct ff_solver){
        .name = name,
        .settings = *settings,
        .all = {all, problem->patterns},
        .total_counts = problem->total_counts,
    };
    return solver;
}

void ff_wholewise_destroy(struct ff_solver *solver)
{
    if (solver == NULL)
        return;
    free((uint32_t *)solver->all.patterns);
    free(solver);
}

size_t ff_wholewise_batch_limit(const struct ff_solver *solver)
{
    return solver->all.count;
}

void ff_wholewise_save(const struct ff_solver *solver, struct ff_buffer *state)
{
    ff_solver_save(state, solver->name, &solver->memory, sizeof solver->memory);
}

int ff_wholewise_restore(struct ff_solver *solver, struct ff_span state, struct ff_error *error)
{
    return ff_solver_restore(state, solver->name, &solver->memory, sizeof solver->memory, error);
}

const enum ff_field *ff_wholewise_directions(bool waves)
{
    static const enum ff_field with[] = {
        FF_OBJECT_DIRECTION, FF_OBJECT_GRADIENT, FF_PROBE_DIRECTION,
        FF_PROBE_GRADIENT,   FF_WAVES,           FF_FIELDS};
    static const enum ff_field without[] = {FF_OBJECT_DIRECTION, FF_OBJECT_GRADIENT,
                                            FF_PROBE_DIRECTION, FF_PROBE_GRADIENT, FF_FIELDS};
    return waves ? with : without;
}
