/*
 * LSQ-ML (Odstrcil, Menzel, Guizar-Sicairos, Opt. Express 26, 3108 (2018)): the directions are those
 * of rpie, and how far to go along them is found by least squares. The settings' steps are factors
 * of that.
 *
 * With step=batch there is one pair of lengths for the batch, the minima of the two quadratic
 * models Σ |D|² X γ²/2 - Re<D, N> γ, which the sums of the batch have already: no second pass.
 * With step=position each pattern finds its own pair and the mean is taken (step_pair.h); that
 * needs a second pass over its exit waves, without transforms. Of a batch of many patterns a sample
 * does so, every so many-th along the scan: its exit waves are kept until then.
 */
#include "functions/reconstruct/solvers/batchwise.h"
#include "functions/reconstruct/solvers/step_pair.h"

static struct ff_solver *create(const struct ff_problem *problem,
                                const struct ff_solver_settings *settings, struct ff_error *error)
{
    struct ff_solver *solver = ff_batchwise_create(problem, settings, "lstsq", error);
    if (solver == NULL || settings->step == FF_STEP_BATCH)
        return solver;
    size_t width = ff_terms_width(FF_TERMS_STEPS, problem->fly, 0);
    solver->terms = ff_array_create(ff_array_elements(problem->patterns, width, 1),
                                    sizeof *solver->terms, "the steps of the patterns", error);
    solver->sample_limit = ff_step_pair_sample(problem->patterns, ff_batchwise_batch_limit(solver));
    solver->sample = ff_array_create(solver->sample_limit, sizeof *solver->sample,
                                     "a sample of the patterns", error);
    if (solver->terms == NULL || solver->sample == NULL) {
        ff_batchwise_destroy(solver);
        return NULL;
    }
    return solver;
}

static double length(double slope, double curve)
{
    return curve > 0 ? slope / curve : 0;
}

static void step_by_batch(struct ff_solver *solver, struct ff_devices *devices,
                          struct ff_batch batch, unsigned want, const struct ff_update *update)
{
    (void)solver;
    ff_devices_gradients(devices, batch, want);
    struct ff_update step = *update;
    struct ff_length_terms terms = ff_devices_lengths(devices, update);
    step.step_object *= length(terms.object_slope, terms.object_curve);
    step.step_probe *= length(terms.probe_slope, terms.probe_curve);
    ff_devices_update(devices, &step);
}

static size_t exit_limit(const struct ff_solver *solver)
{
    return solver->sample_limit;
}

/* Batches are in the order of the scan, so the sample lies as evenly. */
static struct ff_batch sample_of(struct ff_solver *solver, struct ff_batch batch)
{
    size_t count = batch.count < solver->sample_limit ? batch.count : solver->sample_limit;
    for (size_t i = 0; i < count; i++)
        solver->sample[i] = batch.patterns[i * batch.count / count];
    return (struct ff_batch){solver->sample, count};
}

static void step_by_position(struct ff_solver *solver, struct ff_devices *devices,
                             struct ff_batch batch, unsigned want, const struct ff_update *update)
{
    struct ff_batch sample = sample_of(solver, batch);
    ff_devices_sample(devices, sample);
    ff_devices_gradients(devices, batch, want | FF_WANT_EXIT);
    ff_devices_normalise(devices, update);
    ff_devices_fit(devices, sample);
    ff_devices_get_terms(devices, FF_TERMS_STEPS, solver->terms);
    struct ff_step_pair pair =
        ff_step_pair_of(solver->terms, sample, update->step_object > 0, update->step_probe > 0);
    struct ff_update step = *update;
    step.normalised = true;
    step.step_object *= pair.object;
    step.step_probe *= pair.probe;
    ff_devices_update(devices, &step);
}

static unsigned epoch(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch)
{
    return ff_batchwise_epoch(solver, devices, epoch,
                              solver->terms != NULL ? step_by_position : step_by_batch);
}

const struct ff_solver_operations ff_solver_lstsq = {
    .name = "lstsq",
    .refines = FF_WANT_POSITIONS | FF_WANT_STRAINS | FF_WANT_SCALES | FF_WANT_WEIGHTS,
    .eigenprobe_every = 1,
    .create = create,
    .destroy = ff_batchwise_destroy,
    .batch_limit = ff_batchwise_batch_limit,
    .exit_limit = exit_limit,
    .needs = ff_batchwise_needs,
    .epoch = epoch,
    .fields = ff_batchwise_fields,
    .save = ff_batchwise_save,
    .restore = ff_batchwise_restore,
};
