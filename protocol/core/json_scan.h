/*
 * protocol/core/json_scan.h: JSON text, checked and cut into values without building a tree. What a
 * runner accepts as a result, what the service accepts as arguments and results: one rule.
 *
 * It takes a little less than RFC 8259: nothing that common parsers (jansson, the SDK's) refuse is
 * taken, or one result would spoil a whole page of results. So: nesting to FF_JSON_DEPTH, valid
 * UTF-8, integers of 64 bits, finite reals, no \u0000, no half surrogates. Errors are
 * FF_INVALID_JSON and say at which byte.
 */
#ifndef FF_PROTOCOL_CORE_JSON_SCAN_H
#define FF_PROTOCOL_CORE_JSON_SCAN_H

#include "protocol/core/bytes.h"

enum { FF_JSON_DEPTH = 128 };

/* A cursor over a text. */
struct ff_json {
    const char *start, *at, *end;
    bool first; /* nothing of the present container was read yet */
};

void ff_json_open(struct ff_json *json, struct ff_span text);

/* Takes one value of any kind and gives its text. */
int ff_json_value(struct ff_json *json, struct ff_span *value, struct ff_error *error) FF_MUST_USE;

/* Goes into an object or array: `open` is '{' or '['. */
int ff_json_enter(struct ff_json *json, char open, struct ff_error *error) FF_MUST_USE;

/* 1: stands before the next member's value, and *key is its name (between the quotes, as written).
 * 0: the object is over. */
int ff_json_member(struct ff_json *json, struct ff_span *key, struct ff_error *error) FF_MUST_USE;

/* 1: stands before the next element. 0: the array is over. */
int ff_json_element(struct ff_json *json, struct ff_error *error) FF_MUST_USE;

/* Nothing but space may be left. */
int ff_json_finish(struct ff_json *json, struct ff_error *error) FF_MUST_USE;

/* All of a text is one value. */
int ff_json_check(struct ff_span text, struct ff_error *error) FF_MUST_USE;

#endif
