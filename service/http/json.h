/*
 * service/http/json.h: JSON where it is bulk. Arguments and results are kept as the text that
 * came; they are checked and cut out here without building a tree (small bodies of other requests
 * go through jansson). Answers are written straight into a buffer.
 *
 * The scanner takes a little less than RFC 8259: nothing that common parsers (jansson, the SDK's)
 * refuse is stored, or one result would spoil a whole page of results. So: nesting to
 * FF_JSON_DEPTH, valid UTF-8, integers of 64 bits, finite reals, no \u0000, no half surrogates.
 */
#ifndef FF_SERVICE_HTTP_JSON_H
#define FF_SERVICE_HTTP_JSON_H

#include "protocol/core/bytes.h"
#include "protocol/core/digest.h"
#include "protocol/ids.h"

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

/* Writing. A value or key puts the comma before itself where one is needed. Text that is no UTF-8
 * is made valid. */
void ff_json_begin(struct ff_buffer *buffer, char open);
void ff_json_end(struct ff_buffer *buffer, char close);
void ff_json_key(struct ff_buffer *buffer, const char *key);
void ff_json_text(struct ff_buffer *buffer, struct ff_span text);
void ff_json_raw(struct ff_buffer *buffer, struct ff_span json_text);
void ff_json_integer(struct ff_buffer *buffer, int64_t value);
void ff_json_id(struct ff_buffer *buffer, const struct ff_id *id);

/* Whole members. */
void ff_json_member_text(struct ff_buffer *buffer, const char *key, const char *text);
void ff_json_member_span(struct ff_buffer *buffer, const char *key, struct ff_span text);
void ff_json_member_integer(struct ff_buffer *buffer, const char *key, int64_t value);
void ff_json_member_number(struct ff_buffer *buffer, const char *key, double value);
void ff_json_member_flag(struct ff_buffer *buffer, const char *key, bool value);
void ff_json_member_null(struct ff_buffer *buffer, const char *key);
void ff_json_member_id(struct ff_buffer *buffer, const char *key, const struct ff_id *id);
void ff_json_member_digest(struct ff_buffer *buffer, const char *key,
                           const struct ff_digest *digest);
/* RFC 3339, or null for 0. */
void ff_json_member_time(struct ff_buffer *buffer, const char *key, int64_t wall_ns);

#endif
