/*
 * functions/reconstruct/run_settings.h: the settings of a user as the settings of a run.
 */
#ifndef FF_RECONSTRUCT_RUN_SETTINGS_H
#define FF_RECONSTRUCT_RUN_SETTINGS_H

#include "functions/reconstruct/run.h"
#include "functions/reconstruct/settings.h"

/* For a problem of so many patterns. What the host decides (cores, cache folder) is left empty. The
 * texts are borrowed from the program, not from `settings`. */
struct ff_run_settings ff_run_settings_of(const struct ff_settings *settings, size_t patterns);

#endif
