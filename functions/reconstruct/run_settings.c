#include "functions/reconstruct/run_settings.h"

struct ff_run_settings ff_run_settings_of(const struct ff_settings *settings, size_t patterns)
{
    return (struct ff_run_settings){
        .algorithm = ff_settings_algorithm_name(settings),
        .solver = {.epochs = (size_t)settings->epochs,
                   .batches = ff_settings_batches(settings, patterns),
                   .alpha = settings->alpha,
                   .step_object = settings->step_object,
                   .step_probe = settings->step_probe,
                   .probe_start = (size_t)settings->probe_start},
        .noise = (enum ff_noise)settings->noise,
        .devices = 1,
        .seed = (uint64_t)settings->seed,
        .threads = (unsigned)settings->threads,
        .preview_every = (size_t)settings->preview_every,
        .checkpoint_every = (size_t)settings->checkpoint_every,
        .time_limit_s = settings->time_limit_s,
    };
}
