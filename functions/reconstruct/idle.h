/*
 * functions/reconstruct/idle.h: settings that would have no effect beside the others. They are
 * refused, so that nobody believes that they had one.
 */
#ifndef FF_RECONSTRUCT_IDLE_H
#define FF_RECONSTRUCT_IDLE_H

#include "functions/reconstruct/settings.h"

/* FF_INVALID_SETTING for the first setting that is not at its default and does nothing: it names the
 * setting and what it would need. */
int ff_settings_check_idle(const struct ff_settings *settings, struct ff_error *error) FF_MUST_USE;

#endif
