/*
 * client/command/parse.h: a command line against the row of its verb.
 *
 * `--name value`, `--name=value`, `-n value`, `-nvalue`, switches together (`-fq`), operands anywhere, and `--` after
 * which everything is an operand. What is unknown is refused with the nearest known name.
 */
#ifndef FF_CLIENT_COMMAND_PARSE_H
#define FF_CLIENT_COMMAND_PARSE_H

#include "client/command/command.h"

#include <stdint.h>

/* `arguments` are those behind the verb. Everything in *invocation borrows from them; dispose it also after a
 * failure (FF_INVALID_ARGUMENT). With --help, nothing else is checked. */
int ff_parse(const struct ff_command *command, int count, char *const arguments[],
             struct ff_invocation *invocation, struct ff_error *error) FF_MUST_USE;
void ff_invocation_dispose(struct ff_invocation *invocation);

/* Options by their long name. The last one given wins; NULL and false where it was not given. */
const char *ff_given_text(const struct ff_invocation *invocation, const char *name);
bool ff_given(const struct ff_invocation *invocation, const char *name);

/* The value of an option as a whole number of low…high, `otherwise` where it was not given. */
int ff_given_integer(const struct ff_invocation *invocation, const char *name, int64_t low,
                     int64_t high, int64_t otherwise, int64_t *value,
                     struct ff_error *error) FF_MUST_USE;

/* "90", "90s", "15m", "2h", "1d": seconds. */
int ff_parse_seconds(const char *text, double *seconds) FF_MUST_USE;

/* "task show", or "run". */
void ff_command_title(const struct ff_command *command, char *text, size_t size);

#endif
