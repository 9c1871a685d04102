#include "service/json.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"

#include <math.h>
#include <string.h>

/* A comma is needed unless something was just opened, or a key stands before. */
static void separate(struct ff_buffer *buffer)
{
    if (buffer->size == 0 || buffer->failed)
        return;
    char last = (char)buffer->data[buffer->size - 1];
    if (last != '{' && last != '[' && last != ':')
        ff_buffer_append(buffer, ",", 1);
}

void ff_json_begin(struct ff_buffer *buffer, char open)
{
    separate(buffer);
    ff_buffer_append(buffer, &open, 1);
}

void ff_json_end(struct ff_buffer *buffer, char close)
{
    ff_buffer_append(buffer, &close, 1);
}

static void append_escaped(struct ff_buffer *buffer, unsigned char byte)
{
    static const char *const names[0x20] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    if (byte == '"' || byte == '\\') {
        char pair[2] = {'\\', (char)byte};
        ff_buffer_append(buffer, pair, 2);
    } else if (byte != 0 && byte < 0x20) {
        if (names[byte] != NULL)
            ff_buffer_append_text(buffer, names[byte]);
        else
            ff_buffer_printf(buffer, "\\u%04x", byte);
    } else {
        ff_buffer_append_text(buffer, "\xef\xbf\xbd"); /* U+FFFD: no UTF-8, or NUL */
    }
}

static void append_quoted(struct ff_buffer *buffer, const char *text, size_t size)
{
    const char *end = text + size;
    ff_buffer_append(buffer, "\"", 1);
    while (text < end) {
        const char *begin = text;
        size_t length = 1;
        while (text < end && *text != '"' && *text != '\\' && (unsigned char)*text >= 0x20 &&
               (length = (unsigned char)*text < 0x80
                             ? 1
                             : ff_text_sequence(text, (size_t)(end - text))) > 0)
            text += length;
        ff_buffer_append(buffer, begin, (size_t)(text - begin));
        if (text < end)
            append_escaped(buffer, (unsigned char)*text++);
    }
    ff_buffer_append(buffer, "\"", 1);
}

void ff_json_text(struct ff_buffer *buffer, struct ff_span text)
{
    separate(buffer);
    append_quoted(buffer, text.data, text.size);
}

void ff_json_key(struct ff_buffer *buffer, const char *key)
{
    separate(buffer);
    append_quoted(buffer, key, strlen(key));
    ff_buffer_append(buffer, ":", 1);
}

void ff_json_raw(struct ff_buffer *buffer, struct ff_span json_text)
{
    separate(buffer);
    ff_buffer_append(buffer, json_text.data, json_text.size);
}

void ff_json_integer(struct ff_buffer *buffer, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    separate(buffer);
    ff_buffer_append(buffer, at, (size_t)(digits + sizeof digits - at));
}

void ff_json_id(struct ff_buffer *buffer, const struct ff_id *id)
{
    char text[FF_ID_TEXT_SIZE + 1] = "\"";
    separate(buffer);
    ff_id_text(id, text + 1);
    text[FF_ID_TEXT_SIZE] = '"';
    ff_buffer_append(buffer, text, sizeof text);
}

void ff_json_member_text(struct ff_buffer *buffer, const char *key, const char *text)
{
    ff_json_key(buffer, key);
    if (text == NULL)
        ff_buffer_append_text(buffer, "null");
    else
        append_quoted(buffer, text, strlen(text));
}

void ff_json_member_span(struct ff_buffer *buffer, const char *key, struct ff_span text)
{
    ff_json_key(buffer, key);
    append_quoted(buffer, text.data, text.size);
}

void ff_json_member_integer(struct ff_buffer *buffer, const char *key, int64_t value)
{
    ff_json_key(buffer, key);
    ff_json_integer(buffer, value);
}

void ff_json_member_number(struct ff_buffer *buffer, const char *key, double value)
{
    ff_json_key(buffer, key);
    if (isfinite(value))
        ff_buffer_printf(buffer, "%.9g", value);
    else
        ff_buffer_append_text(buffer, "null");
}

void ff_json_member_flag(struct ff_buffer *buffer, const char *key, bool value)
{
    ff_json_key(buffer, key);
    ff_buffer_append_text(buffer, value ? "true" : "false");
}

void ff_json_member_null(struct ff_buffer *buffer, const char *key)
{
    ff_json_key(buffer, key);
    ff_buffer_append_text(buffer, "null");
}

void ff_json_member_id(struct ff_buffer *buffer, const char *key, const struct ff_id *id)
{
    ff_json_key(buffer, key);
    ff_json_id(buffer, id);
}

void ff_json_member_digest(struct ff_buffer *buffer, const char *key,
                           const struct ff_digest *digest)
{
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(digest, text);
    ff_json_member_text(buffer, key, text);
}

void ff_json_member_time(struct ff_buffer *buffer, const char *key, int64_t wall_ns)
{
    char text[FF_TIME_TEXT_SIZE];
    if (wall_ns != 0)
        ff_time_text(wall_ns, text);
    ff_json_member_text(buffer, key, wall_ns != 0 ? text : NULL);
}
