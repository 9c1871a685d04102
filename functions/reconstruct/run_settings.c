#include "functions/reconstruct/run_settings.h"

struct ff_run_settings ff_run_settings_of(const struct ff_settings *settings, size_t patterns)
{
    unsigned devices;
    if (ff_settings_devices(settings, &devices, NULL) < 0) /* refused before it came here */
        devices = 1;
    return (struct ff_run_settings){
        .algorithm = ff_settings_algorithm_name(settings),
        .solver = {.epochs = (size_t)settings->epochs,
                   .batches = ff_settings_batches(settings, patterns),
                   .alpha = settings->alpha,
                   .step_object = settings->step_object,
                   .step_probe = settings->step_probe,
                   .probe_start = (size_t)settings->probe_start},
        .refine = {.positions = settings->positions != 0,
                   .affine = settings->affine != 0,
                   .positions_start = (size_t)settings->positions_start,
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
        .devices = devices,
        .seed = (uint64_t)settings->seed,
        .threads = (unsigned)settings->threads,
        .preview_every = (size_t)settings->preview_every,
        .checkpoint_every = (size_t)settings->checkpoint_every,
        .time_limit_s = settings->time_limit_s,
    };
}
