/*
 * Mini-batch rPIE (Maiden, Johnson, Li, Optica 4, 736 (2017), in the batch form of tike): the sums
 * of a batch, divided by their weights, with the weights lifted towards their maximum by alpha:
 *
 *     O   += step_object  N_O   / ((1-α) W + α max W)
 *     P_m += step_probe   N_P,m / ((1-α) V + α max V)
 *
 * Both use the object and probe from before the step. ePIE (Maiden and Rodenburg, Ultramicroscopy
 * 109, 1256 (2009)) in this form is α = 1. With momentum, velocities take the steps' place, as in
 * mPIE.
 */
#include "functions/reconstruct/solvers/batchwise.h"

static struct ff_solver *create_rpie(const struct ff_problem *problem,
                                     const struct ff_solver_settings *settings,
                                     struct ff_error *error)
{
    return ff_batchwise_create(problem, settings, "rpie", error);
}

static struct ff_solver *create_epie(const struct ff_problem *problem,
                                     const struct ff_solver_settings *settings,
                                     struct ff_error *error)
{
    struct ff_solver_settings whole = *settings;
    whole.alpha = 1;
    return ff_batchwise_create(problem, &whole, "epie", error);
}

static void take_step(struct ff_solver *solver, struct ff_devices *devices, struct ff_batch batch,
                      unsigned want, const struct ff_update *update)
{
    (void)solver;
    ff_devices_gradients(devices, batch, update->momentum > 0 ? want : want | FF_WANT_STEP);
    ff_devices_update(devices, update);
}

static unsigned epoch(struct ff_solver *solver, struct ff_devices *devices,
                      const struct ff_epoch *epoch)
{
    return ff_batchwise_epoch(solver, devices, epoch, take_step);
}

const struct ff_solver_operations ff_solver_rpie = {
    .name = "rpie",
    .refines = FF_WANT_POSITIONS | FF_WANT_STRAINS | FF_WANT_SCALES | FF_WANT_WEIGHTS,
    .eigenprobe_every = 1,
    .create = create_rpie,
    .destroy = ff_batchwise_destroy,
    .batch_limit = ff_batchwise_batch_limit,
    .needs = ff_batchwise_needs,
    .epoch = epoch,
    .fields = ff_batchwise_fields,
    .save = ff_batchwise_save,
    .restore = ff_batchwise_restore,
};

const struct ff_solver_operations ff_solver_epie = {
    .name = "epie",
    .refines = FF_WANT_POSITIONS | FF_WANT_STRAINS | FF_WANT_SCALES | FF_WANT_WEIGHTS,
    .eigenprobe_every = 1,
    .create = create_epie,
    .destroy = ff_batchwise_destroy,
    .batch_limit = ff_batchwise_batch_limit,
    .needs = ff_batchwise_needs,
    .epoch = epoch,
    .fields = ff_batchwise_fields,
    .save = ff_batchwise_save,
    .restore = ff_batchwise_restore,
};
