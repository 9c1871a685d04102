/*
 * client/command/arguments.h: the arguments of a task, as `run --args` gives them.
 *
 * The task runs in another folder and perhaps on another host, so relative paths are made absolute here, where the
 * user sees what they mean. What counts as a path is a value of the top-level object that
 *   - stands under input, output, initial_probe or initial_object, whether the file is there or not; or
 *   - stands under mask, resume or config and names a file that is there (they may be words, too); or
 *   - begins with ./ or ../, under any key.
 * Empty text, absolute paths and addresses (with ://) stay as they are. Nothing else is touched.
 */
#ifndef FF_CLIENT_COMMAND_ARGUMENTS_H
#define FF_CLIENT_COMMAND_ARGUMENTS_H

#include "protocol/core/error.h"

#include <jansson.h>

/* `given`: JSON, or @FILE that holds it (@- is standard input), or NULL for an empty object. */
int ff_arguments_read(const char *given, json_t **arguments, struct ff_error *error) FF_MUST_USE;

/* Makes the paths absolute, starting at `folder`. */
int ff_arguments_resolve(json_t *arguments, const char *folder, struct ff_error *error) FF_MUST_USE;

/* The first text of the top-level object that stays as it is although it names a file in `folder`: most likely it was
 * meant as a path. Borrowed; NULL where there is none. */
const char *ff_arguments_missed_path(const json_t *arguments, const char *folder);

#endif
