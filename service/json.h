/*
 * service/json.h: JSON answers, written straight into a buffer. A value or key puts the comma
 * before itself where one is needed. Text that is no UTF-8 is made valid.
 */
#ifndef FF_SERVICE_JSON_H
#define FF_SERVICE_JSON_H

#include "protocol/core/bytes.h"
#include "protocol/core/digest.h"
#include "protocol/ids.h"

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
