/*
 * Mini-batch rPIE (Maiden, Johnson, Li, Optica 4, 736 (2017), in the batch form of tike): the sums
 * of a batch, divided by their weights, with the weights lifted towards their maximum by alpha:
 *
 *     O   += step_object  N_O   / ((1-α) W + α max W)
 *     P_m += step_probe   N_P,m / ((1-α) V + α max V)
 *
 * α = 1 is ePIE's batch form. Both use the object and probe from before the step.
 */
#include "functions/reconstruct/solvers/batches.h"
#include "functions/reconstruct/solvers/solver.h"

#include <stdlib.h>

struct ff_solver {
    struct ff_solver_settings settings;
    struct ff_batches *batches;
};

static void destroy(struct ff_solver *solver)
{
    if (solver == NULL)
        return;
    ff_batches_destroy(solver->batches);
    free(solver);
}

static struct ff_solver *create(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error)
{
    struct ff_solver *solver = calloc(1, sizeof *solver);
    if (solver == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the solver");
        return NULL;
    }
    solver->settings = *settings;
    solver->batches = ff_batches_create(problem->patterns, settings->batches, error);
    if (solver->batches == NULL) {
        destroy(solver);
        return NULL;
    }
    return solver;
}

static size_t batch_limit(const struct ff_solver *solver)
{
    return ff_batches_limit(solver->batches);
}

static unsigned needs(const struct ff_solver *solver)
{
    (void)solver;
    return 0;
}

static void epoch(struct ff_solver *solver, struct ff_devices *devices,
                  const struct ff_epoch *epoch)
{
    const struct ff_solver_settings *settings = &solver->settings;
    bool probe_moves = settings->step_probe > 0 && epoch->number >= settings->probe_start;
    unsigned want = epoch->want | (settings->step_object > 0 ? FF_WANT_OBJECT : 0u) |
                    (probe_moves ? FF_WANT_PROBE : 0u);
    const struct ff_update update = {
        .alpha_object = settings->alpha,
        .alpha_probe = settings->alpha,
        .step_object = settings->step_object,
        .step_probe = probe_moves ? settings->step_probe : 0,
    };
    ff_batches_deal(solver->batches, epoch->random);
    for (size_t i = 0; i < ff_batches_count(solver->batches); i++) {
        ff_devices_gradients(devices, ff_batches_at(solver->batches, i), want);
        ff_devices_update(devices, &update);
    }
}

static const enum ff_field *fields(const struct ff_solver *solver)
{
    static const enum ff_field none[] = {FF_FIELDS};
    (void)solver;
    return none;
}

/* Nothing moves on from one epoch to the next but object, probe and random state. */
static void save(const struct ff_solver *solver, struct ff_buffer *state)
{
    (void)solver;
    (void)state;
}

static int restore(struct ff_solver *solver, struct ff_span state, struct ff_error *error)
{
    (void)solver;
    return state.size == 0 ? 0 : ff_fail(error, FF_INPUT_INVALID, "state of another algorithm");
}

const struct ff_solver_operations ff_solver_rpie = {
    .name = "rpie",
    .refines = true,
    .create = create,
    .destroy = destroy,
    .batch_limit = batch_limit,
    .needs = needs,
    .epoch = epoch,
    .fields = fields,
    .save = save,
    .restore = restore,
};
