/*
 * client/command/value_view.h: the result of a function for a person at a terminal.
 */
#ifndef FF_CLIENT_COMMAND_VALUE_VIEW_H
#define FF_CLIENT_COMMAND_VALUE_VIEW_H

#include "protocol/core/error.h"

#include <jansson.h>
#include <stdio.h>

/*
 * Prints a JSON value: on one line as it is where it fits `columns`; else an object as `key  value` lines, the numbers
 * of a list beside each other, its texts below each other, and the keys of an object inside indented. What is nested deeper, and a long value that
 * is no object, is printed as JSON. Numbers that are not whole are rounded to six digits in such lines only.
 */
int ff_value_show(FILE *stream, const json_t *value, int columns,
                  struct ff_error *error) FF_MUST_USE;

#endif
