/*
 * The difference map (Thibault et al., Ultramicroscopy 109, 338 (2009)) and RAAR (Luke, Inverse
 * Problems 21, 37 (2005)) as one generalised projection: every exit wave is kept,
 *
 *     Ψ += b back(modulus(forward((1-c) Ψ + c P S))) + a P S - (a + b) Ψ
 *
 * with a = -α, b = 1, c = 1 + α in the difference map and a = 1 - 2α, b = α, c = 2 in RAAR, whose
 * relaxation is called β elsewhere. Then object and probe are fitted to all exit waves by turns:
 *
 *     O += Σ P* (Ψ - P S) / Σ |P|²,   P_m += Σ S* (Ψ_m - P_m S) / Σ |S|²
 *
 * until the probe's change is small. Changes of object, probe or positions from outside need no
 * care: the exit waves are estimates that the next fit takes up.
 */
#include "functions/reconstruct/solvers/wholewise.h"

enum { SWEEPS_MAX = 10 };

/* The probe has settled when the exit waves change by less than this, relative. */
static const double settled = 0.05;

/* Where hardly any light falls, a weight of this share of the greatest keeps the fit in bounds. */
static const double least_weight = 1e-3;

static struct ff_solver *create(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, const char *name,
                                struct ff_projection projection, struct ff_error *error)
{
    struct ff_solver *solver = ff_wholewise_create(problem, settings, name, error);
    if (solver != NULL)
        solver->projection = projection;
    return solver;
}

static struct ff_solver *create_dm(const struct ff_problem *problem,
                                   const struct ff_solver_settings *settings,
                                   struct ff_error *error)
{
    double alpha = settings->alpha;
    return create(problem, settings, "dm", (struct ff_projection){-alpha, 1, 1 + alpha}, error);
}

static struct ff_solver *create_raar(const struct ff_problem *problem,
                                     const struct ff_solver_settings *settings,
                                     struct ff_error *error)
{
    double alpha = settings->alpha;
    return create(problem, settings, "raar", (struct ff_projection){1 - 2 * alpha, alpha, 2},
                  error);
}

static unsigned needs(const struct ff_solver *solver)
{
    (void)solver;
    return FF_NEED_WAVES;
}

static void fit_object(struct ff_solver *solver, struct ff_devices *devices)
{
    const struct ff_update update = {.alpha_object = least_weight,
                                     .alpha_probe = least_weight,
                                     .step_object = solver->settings.step_object};
    ff_devices_overlap(devices, solver->all, FF_WANT_OBJECT);
    ff_devices_update(devices, &update);
}

/* Whether it hardly moved: Σ_m |ΔP_m|² V is by how much the exit waves change. */
static bool fit_probe(struct ff_solver *solver, struct ff_devices *devices)
{
    const struct ff_update update = {.alpha_object = least_weight,
                                     .alpha_probe = least_weight,
                                     .step_probe = solver->settings.step_probe};
    ff_devices_overlap(devices, solver->all, FF_WANT_PROBE);
    double change = ff_devices_lengths(devices, &update).probe_curve;
    ff_devices_update(devices, &update);
    return !(change > settled * settled * solver->total_counts);
}

static unsigned epoch(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch)
{
    bool object_moves = ff_object_moves(&solver->settings);
    bool probe_moves = ff_probe_moves(&solver->settings, epoch->since);
    if (!(solver->memory.waves_age > 0))
        ff_devices_start_waves(devices, solver->all);
    solver->memory.waves_age++;
    ff_devices_project(devices, solver->all, &solver->projection);
    bool done = false;
    for (int sweep = 0; sweep < SWEEPS_MAX && !done; sweep++) {
        if (object_moves)
            fit_object(solver, devices);
        done = !probe_moves || fit_probe(solver, devices) || !object_moves;
    }
    return 1;
}

static const enum ff_field *fields(const struct ff_solver *solver)
{
    static const enum ff_field waves[] = {FF_WAVES, FF_FIELDS};
    static const enum ff_field none[] = {FF_FIELDS};
    return solver->memory.waves_age > 0 ? waves : none;
}

const struct ff_solver_operations ff_solver_dm = {
    .name = "dm",
    .refines = 0,
    .eigenprobe_every = 1,
    .create = create_dm,
    .destroy = ff_wholewise_destroy,
    .batch_limit = ff_wholewise_batch_limit,
    .needs = needs,
    .epoch = epoch,
    .fields = fields,
    .save = ff_wholewise_save,
    .restore = ff_wholewise_restore,
};

const struct ff_solver_operations ff_solver_raar = {
    .name = "raar",
    .refines = 0,
    .eigenprobe_every = 1,
    .create = create_raar,
    .destroy = ff_wholewise_destroy,
    .batch_limit = ff_wholewise_batch_limit,
    .needs = needs,
    .epoch = epoch,
    .fields = fields,
    .save = ff_wholewise_save,
    .restore = ff_wholewise_restore,
};
