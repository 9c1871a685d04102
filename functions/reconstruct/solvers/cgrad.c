/*
 * Conjugate gradients that keep the waves at the detector: steps of the object and of the probe by
 * turns, all patterns at once. Along one of them F is linear in γ, so F + γ F(d) is known for every
 * γ once the direction has been transformed, and the whole line search costs no transform. A step is
 * 2 transforms a mode and pattern: the gradient back, the direction forward. F is formed anew, for
 * one more, at the start, after 50 steps against rounding, and where something else has changed.
 *
 * An epoch is a step of the object and one of the probe; each remembers its own last direction.
 */
#include "functions/reconstruct/solvers/wholewise.h"

enum { REFRESH_STEPS = 50 };

static struct ff_solver *create(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error)
{
    return ff_wholewise_create(problem, settings, "cgrad", error);
}

static unsigned needs(const struct ff_solver *solver)
{
    (void)solver;
    return FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_LINE;
}

static bool must_form_waves(const struct ff_solver *solver)
{
    double age = solver->memory.waves_age;
    return !(age > 0) || age >= REFRESH_STEPS;
}

/* One step of one part. `want` are further terms that the pass shall leave. */
static void take_step(struct ff_solver *solver, struct ff_devices *devices, enum ff_part part,
                      unsigned want)
{
    struct ff_whole_memory *memory = &solver->memory;
    const struct ff_solver_settings *settings = &solver->settings;
    bool of_object = part == FF_PART_OBJECT;
    bool anew = must_form_waves(solver);
    want |= of_object ? FF_WANT_OBJECT : FF_WANT_PROBE;
    want |= anew ? FF_WANT_WAVES : FF_WANT_FROM_WAVES;
    ff_devices_gradients(devices, solver->all, want);
    ff_conjugate_turn(of_object ? &memory->object : &memory->probe, devices, part, settings->alpha);
    ff_devices_line(devices, solver->all, part);
    ff_conjugate_go(devices, part, of_object ? settings->step_object : settings->step_probe);
    memory->waves_age = anew ? 1 : memory->waves_age + 1;
}

static unsigned epoch(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch)
{
    unsigned want = epoch->want;
    unsigned passes = 0;
    if (ff_object_moves(&solver->settings)) {
        take_step(solver, devices, FF_PART_OBJECT, want);
        want = 0;
        passes++;
    }
    if (ff_probe_moves(&solver->settings, epoch->since)) {
        take_step(solver, devices, FF_PART_PROBE, want);
        want = 0;
        passes++;
    }
    if (passes > 0)
        return passes;
    ff_devices_gradients(devices, solver->all, want); /* nothing moves but what refinements do */
    return 1;
}

static void changed(struct ff_solver *solver)
{
    solver->memory.waves_age = 0;
}

/* F has gathered roundings since it was formed, so it must be kept to the bit; where it is formed anew
 * next it need not be. */
static const enum ff_field *fields(const struct ff_solver *solver)
{
    return ff_wholewise_directions(!must_form_waves(solver));
}

const struct ff_solver_operations ff_solver_cgrad = {
    .name = "cgrad",
    .refines = FF_WANT_POSITIONS | FF_WANT_STRAINS | FF_WANT_SCALES,
    .eigenprobe_every = 4,
    .create = create,
    .destroy = ff_wholewise_destroy,
    .batch_limit = ff_wholewise_batch_limit,
    .needs = needs,
    .epoch = epoch,
    .changed = changed,
    .fields = fields,
    .save = ff_wholewise_save,
    .restore = ff_wholewise_restore,
};
