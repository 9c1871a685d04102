/*
 * functions/shell/template.h: from a registered command and the arguments of a call to the text
 * that the shell runs.
 *
 *     convert {input} -resize {width}x{height} out.png
 *     with {"input": "my scan.png", "width": 64, "height": 48}
 *     → ff_1='my scan.png'; ff_2='64'; ff_3='48'; convert "${ff_1}" -resize "${ff_2}"x"${ff_3}" out.png
 *
 * A value is never part of the text that the shell reads as syntax: it stands, quoted, in an assignment of its own, and
 * a reference to it in the command. So no argument can be run, whatever the template puts around it. The reference is
 * written so that the value stays what it is within "…", '…' and $(…) too; outside quotes it is one word, and an array
 * is one word an element. (Where the template is read wrongly here, in a here-document for example, quotes show or a
 * value falls into words; it still is not run.) `{{` and `}}` stand for braces; a brace that is not followed by a name
 * and `}` stays as it is, so that `${HOME}`, `awk '{print $1}'` and `{ a; b; }` work unchanged.
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
