/*
 * client/command/preview.h: `farfield task preview`: the pictures that a task has published so far.
 */
#ifndef FF_CLIENT_COMMAND_PREVIEW_H
#define FF_CLIENT_COMMAND_PREVIEW_H

#include "client/command/command.h"

/* Saves the newest preview of a task: of the name given as the second operand, else of its only one. Replaces the
 * output file whole. */
int ff_preview_save(const struct ff_invocation *invocation, struct ff_error *error) FF_MUST_USE;

extern const struct ff_command_option ff_preview_options[];

#endif
