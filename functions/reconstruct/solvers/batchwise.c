#include "functions/reconstruct/solvers/batchwise.h"

#include <stdlib.h>

struct ff_solver *ff_batchwise_create(const struct ff_problem *problem,
                                      const struct ff_solver_settings *settings, const char *name,
                                      struct ff_error *error)
{
    struct ff_solver *solver = calloc(1, sizeof *solver);
    if (solver == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the solver");
        return NULL;
    }
    solver->name = name;
    solver->settings = *settings;
    solver->patterns = problem->patterns;
    solver->batches = ff_batches_create(problem, settings, error);
    if (solver->batches == NULL) {
        ff_batchwise_destroy(solver);
        return NULL;
    }
    return solver;
}

void ff_batchwise_destroy(struct ff_solver *solver)
{
    if (solver == NULL)
        return;
    ff_batches_destroy(solver->batches);
    free(solver->terms);
    free(solver->sample);
    free(solver);
}

size_t ff_batchwise_batch_limit(const struct ff_solver *solver)
{
    return ff_batches_limit(solver->batches);
}

unsigned ff_batchwise_needs(const struct ff_solver *solver)
{
    return (solver->settings.momentum > 0 ? FF_NEED_VELOCITIES : 0u) |
           (solver->terms != NULL ? FF_NEED_EXIT : 0u);
}

unsigned ff_batchwise_epoch(struct ff_solver *solver, struct ff_devices *devices,
                            const struct ff_epoch *epoch, ff_batch_step step)
{
    const struct ff_solver_settings *settings = &solver->settings;
    bool probe_moves = ff_probe_moves(settings, epoch->since);
    unsigned want = epoch->want | FF_WANT_BOUNDED |
                    (ff_object_moves(settings) ? FF_WANT_OBJECT : 0u) |
                    (probe_moves ? FF_WANT_PROBE : 0u);
    double alpha = epoch->since <= settings->early_epochs ? settings->early_alpha : settings->alpha;
    const struct ff_update update = {
        .alpha_object = alpha,
        .alpha_probe = alpha,
        .step_object = settings->step_object,
        .step_probe = probe_moves ? settings->step_probe : 0,
        .momentum = settings->momentum,
    };
    size_t count = ff_batches_deal(solver->batches, epoch->since, epoch->random);
    for (size_t i = 0; i < count; i++)
        step(solver, devices, ff_batches_at(solver->batches, i), want, &update);
    return 1;
}

const enum ff_field *ff_batchwise_fields(const struct ff_solver *solver)
{
    static const enum ff_field none[] = {FF_FIELDS};
    static const enum ff_field velocities[] = {FF_OBJECT_VELOCITY, FF_PROBE_VELOCITY, FF_FIELDS};
    return solver->settings.momentum > 0 ? velocities : none;
}

/* Nothing else moves on from one epoch to the next but object, probe and random state. */
void ff_batchwise_save(const struct ff_solver *solver, struct ff_buffer *state)
{
    ff_solver_save(state, solver->name, NULL, 0);
}

int ff_batchwise_restore(struct ff_solver *solver, struct ff_span state, struct ff_error *error)
{
    return ff_solver_restore(state, solver->name, NULL, 0, error);
}
