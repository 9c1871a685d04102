/*
 * functions/reconstruct/run_settings.h: the settings of a user as the settings of a run.
 */
#ifndef FF_RECONSTRUCT_RUN_SETTINGS_H
#define FF_RECONSTRUCT_RUN_SETTINGS_H

#include "functions/reconstruct/run.h"
#include "functions/reconstruct/settings.h"

/* For a problem of so many patterns. What the host decides is left empty (cores, cache folder), and so are GPUs: devices are
 * those of the CPU until ff_device_choice_apply(). The texts are borrowed from the program, not from `settings`. */
struct ff_run_settings ff_run_settings_of(const struct ff_settings *settings, size_t patterns);

#endif
