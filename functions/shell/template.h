/*
 * functions/shell/template.h: from a registered command and the arguments of a call to the text
 * that the shell runs.
 *
 *     convert {input} -resize {width}x{height} out.png
 *     with {"input": "my scan.png", "width": 64, "height": 48}
 *     → convert 'my scan.png' -resize '64'x'48' out.png
 *
 * Every value is quoted as one word, so that no argument can be read as shell syntax; an array
 * becomes one word an element. `{{` and `}}` stand for braces; a brace that is not followed by a
 * name and `}` stays as it is, so that
 * `${HOME}`, `awk '{print $1}'` and `{ a; b; }` work unchanged.
 */
#ifndef FF_FUNCTIONS_SHELL_TEMPLATE_H
#define FF_FUNCTIONS_SHELL_TEMPLATE_H

#include "protocol/core/bytes.h"

#include <jansson.h>

/* Appends the command to `command`. A placeholder without argument is refused with the nearest
 * argument's name, and an argument that no placeholder uses is refused too, because it is a
 * mistyped one. `arguments` is an object or NULL. */
int ff_shell_expand(const char *body, const json_t *arguments, struct ff_buffer *command,
                    struct ff_error *error) FF_MUST_USE;

#endif
