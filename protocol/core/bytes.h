/*
 * protocol/core/bytes.h: views of bytes, and a buffer that grows up to a stated limit.
 */
#ifndef FF_PROTOCOL_CORE_BYTES_H
#define FF_PROTOCOL_CORE_BYTES_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: valid as long as what they point into. Not terminated. */
struct ff_span {
    const void *data;
    size_t size;
};

/* A span over a terminated string, without its terminator. NULL gives the empty span. */
struct ff_span ff_span_of(const char *text);
bool ff_span_equal(struct ff_span a, struct ff_span b);

/* A terminated copy that the caller frees, or NULL when memory is out. */
char *ff_span_copy(struct ff_span span) FF_MUST_USE;

/*
 * Owned bytes. `limit` is mandatory: growth beyond it fails and marks the buffer failed; later appends are then
 * ignored, so a sequence of appends is checked once, at its end.
 */
struct ff_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
    bool failed;
};

void ff_buffer_init(struct ff_buffer *buffer, size_t limit);
void ff_buffer_dispose(struct ff_buffer *buffer);
void ff_buffer_clear(struct ff_buffer *buffer);
void ff_buffer_append(struct ff_buffer *buffer, const void *data, size_t size);
void ff_buffer_append_text(struct ff_buffer *buffer, const char *text);
void ff_buffer_printf(struct ff_buffer *buffer, const char *format, ...) FF_PRINTF(2, 3);

/* Makes room for `size` more bytes and returns where they go (then add to ->size), or NULL. */
void *ff_buffer_reserve(struct ff_buffer *buffer, size_t size);

/* Drops the first `size` bytes. */
void ff_buffer_consume(struct ff_buffer *buffer, size_t size);

/* The content as a terminated string that the buffer keeps owning; "" when it failed. */
const char *ff_buffer_text(struct ff_buffer *buffer);
struct ff_span ff_buffer_span(const struct ff_buffer *buffer);

/* -1 with FF_TOO_LARGE or FF_NO_MEMORY when an append has failed, saying what the buffer was for. */
int ff_buffer_check(const struct ff_buffer *buffer, const char *what,
                    struct ff_error *error) FF_MUST_USE;

#endif
