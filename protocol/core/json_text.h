/*
 * protocol/core/json_text.h: JSON values as text, numbers with as many digits as they need and no more (jansson
 * writes .1 as 0.10000000000000001).
 */
#ifndef FF_PROTOCOL_CORE_JSON_TEXT_H
#define FF_PROTOCOL_CORE_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A string that came from elsewhere: a new reference, "(not UTF-8)" where it is no text, null for NULL. */
json_t *ff_json_text(const char *text);

/* Any value, on one line or indented by two. -1 for NULL and where memory is out; what the stream says is its own affair. */
int ff_json_print(const json_t *value, bool indented, FILE *stream);

#endif
