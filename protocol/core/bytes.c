#include "protocol/core/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ff_span ff_span_of(const char *text)
{
    struct ff_span span = {text, text != NULL ? strlen(text) : 0};
    return span;
}

bool ff_span_equal(struct ff_span a, struct ff_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

char *ff_span_copy(struct ff_span span)
{
    char *copy = malloc(span.size + 1);
    if (copy == NULL)
        return NULL;
    if (span.size > 0)
        memcpy(copy, span.data, span.size);
    copy[span.size] = '\0';
    return copy;
}

void ff_buffer_init(struct ff_buffer *buffer, size_t limit)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->limit = limit;
}

void ff_buffer_dispose(struct ff_buffer *buffer)
{
    free(buffer->data);
    size_t limit = buffer->limit;
    ff_buffer_init(buffer, limit);
}

void ff_buffer_clear(struct ff_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void *ff_buffer_reserve(struct ff_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    if (size > buffer->limit || buffer->size > buffer->limit - size) {
        buffer->failed = true;
        return NULL;
    }
    /* One byte more than asked for, so that ff_buffer_text can terminate without growing. */
    size_t need = buffer->size + size + 1;
    if (need > buffer->capacity) {
        size_t capacity = buffer->capacity < 128 ? 128 : buffer->capacity;
        while (capacity < need)
            capacity += capacity / 2;
        uint8_t *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void ff_buffer_append(struct ff_buffer *buffer, const void *data, size_t size)
{
    void *to = ff_buffer_reserve(buffer, size);
    if (to == NULL || size == 0)
        return;
    memcpy(to, data, size);
    buffer->size += size;
}

void ff_buffer_append_text(struct ff_buffer *buffer, const char *text)
{
    ff_buffer_append(buffer, text, strlen(text));
}

void ff_buffer_printf(struct ff_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    char *to = ff_buffer_reserve(buffer, (size_t)length);
    if (to == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(to, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

void ff_buffer_consume(struct ff_buffer *buffer, size_t size)
{
    if (size >= buffer->size) {
        buffer->size = 0;
        return;
    }
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

const char *ff_buffer_text(struct ff_buffer *buffer)
{
    if (buffer->failed || ff_buffer_reserve(buffer, 0) == NULL)
        return "";
    buffer->data[buffer->size] = '\0';
    return (const char *)buffer->data;
}

struct ff_span ff_buffer_span(const struct ff_buffer *buffer)
{
    struct ff_span span = {buffer->data, buffer->size};
    return span;
}

int ff_buffer_check(const struct ff_buffer *buffer, const char *what, struct ff_error *error)
{
    if (!buffer->failed)
        return 0;
    return ff_fail(error, FF_TOO_LARGE, "%s is larger than its limit of %zu bytes", what,
                   buffer->limit);
}
