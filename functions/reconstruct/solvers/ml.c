/*
 * Maximum likelihood by conjugate gradients over object and probe as one unknown (Thibault and
 * Guizar-Sicairos, New J. Phys. 14, 063004 (2012)), all patterns at once. Where both move the exit
 * wave is (P + γ d_P)(O + γ d_O), so F is quadratic in γ and the intensity quartic; its coefficients
 * are formed once a step, by two transforms a mode beside the two of the gradient, and the line
 * search then costs none.
 */
#include "functions/reconstruct/solvers/wholewise.h"

static struct ff_solver *create(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error)
{
    return ff_wholewise_create(problem, settings, "ml", error);
}

static unsigned parts_of(const struct ff_solver_settings *settings, size_t epoch)
{
    return (ff_object_moves(settings) ? FF_PART_OBJECT : 0u) |
           (ff_probe_moves(settings, epoch) ? FF_PART_PROBE : 0u);
}

static bool both(unsigned parts)
{
    return parts == (FF_PART_OBJECT | FF_PART_PROBE);
}

static unsigned needs(const struct ff_solver *solver)
{
    bool first = both(parts_of(&solver->settings, 1));
    bool last = both(parts_of(&solver->settings, solver->settings.epochs));
    return FF_NEED_WAVES | FF_NEED_DIRECTIONS | (first ? 0u : FF_NEED_LINE) |
           (last ? FF_NEED_JOINT_LINE : 0u);
}

static unsigned epoch(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch)
{
    const struct ff_solver_settings *settings = &solver->settings;
    unsigned parts = parts_of(settings, epoch->since);
    unsigned want = epoch->want | (parts & FF_PART_OBJECT ? FF_WANT_OBJECT : 0u) |
                    (parts & FF_PART_PROBE ? FF_WANT_PROBE : 0u);
    if (parts == 0) {
        ff_devices_gradients(devices, solver->all, want);
        return 1;
    }
    if (epoch->since == settings->probe_start)
        solver->memory.both = (struct ff_conjugate){0}; /* the unknown is another from here on */
    ff_devices_gradients(devices, solver->all, want | FF_WANT_WAVES);
    ff_conjugate_turn(&solver->memory.both, devices, parts, settings->alpha);
    ff_devices_line(devices, solver->all, parts);
    ff_conjugate_go(devices, parts,
                    parts & FF_PART_OBJECT ? settings->step_object : settings->step_probe);
    return 1;
}

/* F is formed anew in each epoch. */
static const enum ff_field *fields(const struct ff_solver *solver)
{
    (void)solver;
    return ff_wholewise_directions(false);
}

const struct ff_solver_operations ff_solver_ml = {
    .name = "ml",
    .refines = FF_WANT_POSITIONS | FF_WANT_STRAINS | FF_WANT_SCALES,
    .eigenprobe_every = 4,
    .create = create,
    .destroy = ff_wholewise_destroy,
    .batch_limit = ff_wholewise_batch_limit,
    .needs = needs,
    .epoch = epoch,
    .fields = fields,
    .save = ff_wholewise_save,
    .restore = ff_wholewise_restore,
};
