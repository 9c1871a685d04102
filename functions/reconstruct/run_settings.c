#include "functions/reconstruct/run_settings.h"

#include <math.h>

static double number(double set, double otherwise)
{
    return isnan(set) ? otherwise : set;
}

static struct ff_solver_settings solver_settings(const struct ff_settings *settings,
                                                 size_t patterns)
{
    const struct ff_algorithm_facts *facts = &ff_algorithms[settings->algorithm];
    struct ff_batch_counts batches = ff_settings_batches(settings, patterns);
    return (struct ff_solver_settings){
        .epochs = (size_t)settings->epochs,
        .batches = batches.count,
        .early_batches = batches.early_count,
        .early_epochs = batches.early_epochs,
        .early_alpha = number(settings->alpha, facts->early_alpha),
        .alpha = number(settings->alpha, facts->alpha),
        .step = (enum ff_step)settings->step,
        .step_object = number(settings->step_object, facts->step_object),
        .step_probe = number(settings->step_probe, facts->step_probe),
        .momentum = settings->momentum,
        .probe_start =
            (size_t)(settings->probe_start > 0 ? settings->probe_start : facts->probe_start),
    };
}

struct ff_run_settings ff_run_settings_of(const struct ff_settings *settings, size_t patterns)
{
    struct ff_device_wish wish;
    if (ff_settings_devices(settings, &wish, NULL) < 0) /* refused before it came here */
        wish = (struct ff_device_wish){FF_DEVICES_CPU, 1};
    return (struct ff_run_settings){
        .algorithm = ff_settings_algorithm_name(settings),
        .solver = solver_settings(settings, patterns),
        .refine = {.positions = settings->positions != 0,
                   .affine = settings->affine != 0,
                   .positions_start = (size_t)settings->positions_start,
                   .search_px = settings->positions_search,
                   .step_positions = settings->step_positions,
                   .intensities = settings->intensities != 0,
                   .opr_modes = (size_t)settings->opr_modes,
                   .object_constraint = (enum ff_object_constraint)settings->object_constraint,
                   .probe_constraint = (enum ff_probe_constraint)settings->probe_constraint,
                   .power_balance = settings->power_balance != 0},
        .noise = (enum ff_noise)settings->noise,
        .subpixel = (enum ff_subpixel)settings->subpixel,
        .engine = (enum ff_engine)settings->transform,
        .stop_when = settings->stop_when,
        .stop_window = (size_t)settings->stop_window,
        .devices = wish.kind == FF_DEVICES_CPU ? wish.count : 1,
        .seed = (uint64_t)settings->seed,
        .threads = (unsigned)settings->threads,
        .preview_every = (size_t)settings->preview_every,
        .checkpoint_every = (size_t)settings->checkpoint_every,
        .time_limit_s = settings->time_limit_s,
    };
}
