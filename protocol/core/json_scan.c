#include "protocol/core/json_scan.h"

#include "protocol/core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const struct ff_json *json, struct ff_error *error, const char *what)
{
    if (json->at >= json->end)
        return ff_fail(error, FF_INVALID_JSON,
                       "not valid JSON, it ends too early (at byte %zu): %s",
                       (size_t)(json->end - json->start), what);
    return ff_fail(error, FF_INVALID_JSON, "not valid JSON at byte %zu: %s",
                   (size_t)(json->at - json->start), what);
}

static void skip_space(struct ff_json *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r'))
        json->at++;
}

void ff_json_open(struct ff_json *json, struct ff_span text)
{
    json->start = text.size > 0 ? text.data : "";
    json->at = json->start;
    json->end = json->start + text.size;
    json->first = true;
}

/* ---- strings ---- */

/* Four hexadecimal digits behind "\u"; -1 where they are none. */
static int hex4(const char *at, const char *end)
{
    uint8_t bytes[2];
    if (end - at < 4 || ff_text_unhex(at, 4, bytes, 2) < 0)
        return -1;
    return bytes[0] << 8 | bytes[1];
}

static int take_unicode_escape(struct ff_json *json, struct ff_error *error)
{
    int unit = hex4(json->at + 2, json->end);
    if (unit < 0)
        return refuse(json, error, "four hexadecimal digits must follow \\u");
    if (unit == 0)
        return refuse(json, error, "\\u0000 is not supported in text");
    bool high = unit >= 0xd800 && unit < 0xdc00;
    if (unit >= 0xdc00 && unit < 0xe000)
        return refuse(json, error, "half a surrogate pair");
    if (high) {
        bool second = json->end - json->at >= 12 && json->at[6] == '\\' && json->at[7] == 'u';
        int low = second ? hex4(json->at + 8, json->end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return refuse(json, error, "half a surrogate pair");
    }
    json->at += high ? 12 : 6;
    return 0;
}

static int take_escape(struct ff_json *json, struct ff_error *error)
{
    if (json->end - json->at < 2) {
        json->at = json->end;
        return refuse(json, error, "inside a string");
    }
    char kind = json->at[1];
    if (kind == 'u')
        return take_unicode_escape(json, error);
    if (kind == '\0' || strchr("\"\\/bfnrt", kind) == NULL)
        return refuse(json, error, "an escape that JSON does not have");
    json->at += 2;
    return 0;
}

/* Which bytes stand for themselves inside a string. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static int take_string(struct ff_json *json, struct ff_span *inside, struct ff_error *error)
{
    const char *begin = ++json->at;
    for (;;) {
        while (json->at < json->end && is_plain((unsigned char)*json->at))
            json->at++;
        if (json->at >= json->end)
            return refuse(json, error, "inside a string");
        unsigned char byte = (unsigned char)*json->at;
        if (byte == '"')
            break;
        if (byte == '\\') {
            if (take_escape(json, error) < 0)
                return -1;
            continue;
        }
        if (byte < 0x20)
            return refuse(json, error, "a control character inside a string");
        size_t length = ff_text_sequence(json->at, (size_t)(json->end - json->at));
        if (length == 0)
            return refuse(json, error, "the text is not UTF-8");
        json->at += length;
    }
    inside->data = begin;
    inside->size = (size_t)(json->at - begin);
    json->at++;
    return 0;
}

/* ---- numbers ---- */

static size_t take_digits(struct ff_json *json)
{
    const char *begin = json->at;
    while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
        json->at++;
    return (size_t)(json->at - begin);
}

static int check_range(struct ff_json *json, const char *begin, bool real, struct ff_error *error)
{
    char text[64];
    size_t size = (size_t)(json->at - begin);
    int64_t integer;
    /* A short integer without exponent cannot be out of range. */
    if (!real && size <= 18)
        return 0;
    if (size >= sizeof text)
        return refuse(json, error, "a number of more than 63 characters");
    memcpy(text, begin, size);
    text[size] = '\0';
    if (!real && ff_text_integer(text, INT64_MIN, INT64_MAX, &integer) < 0)
        return refuse(json, error, "an integer beyond 64 bits");
    if (real && !isfinite(strtod(text, NULL)))
        return refuse(json, error, "a number beyond the range of double");
    return 0;
}

static int take_number(struct ff_json *json, struct ff_error *error)
{
    const char *begin = json->at;
    bool real = false;
    if (*json->at == '-')
        json->at++;
    bool zero = json->at < json->end && *json->at == '0';
    size_t digits = take_digits(json);
    if (digits == 0)
        return refuse(json, error, "a value must stand here");
    if (zero && digits > 1)
        return refuse(json, error, "a number with leading zeros");
    if (json->at < json->end && *json->at == '.') {
        json->at++;
        real = true;
        if (take_digits(json) == 0)
            return refuse(json, error, "digits must follow the point of a number");
    }
    if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        json->at++;
        real = true;
        if (json->at < json->end && (*json->at == '+' || *json->at == '-'))
            json->at++;
        if (take_digits(json) == 0)
            return refuse(json, error, "digits must follow the exponent of a number");
    }
    return check_range(json, begin, real, error);
}

/* ---- any value ---- */

static int take_word(struct ff_json *json, const char *word, struct ff_error *error)
{
    size_t size = strlen(word);
    if ((size_t)(json->end - json->at) < size || memcmp(json->at, word, size) != 0)
        return refuse(json, error, "a value must stand here");
    json->at += size;
    return 0;
}

/* A string, number or word. */
static int take_scalar(struct ff_json *json, struct ff_error *error)
{
    struct ff_span inside;
    switch (*json->at) {
    case '"':
        return take_string(json, &inside, error);
    case 't':
        return take_word(json, "true", error);
    case 'f':
        return take_word(json, "false", error);
    case 'n':
        return take_word(json, "null", error);
    default:
        return take_number(json, error);
    }
}

/* The key and colon of a member, up to its value. */
static int take_key(struct ff_json *json, struct ff_span *key, struct ff_error *error)
{
    skip_space(json);
    if (json->at >= json->end || *json->at != '"')
        return refuse(json, error, "a name in double quotes must stand here");
    if (take_string(json, key, error) < 0)
        return -1;
    skip_space(json);
    if (json->at >= json->end || *json->at != ':')
        return refuse(json, error, "a colon must stand here");
    json->at++;
    skip_space(json);
    return 0;
}

/* Steps to the next entry of a container whose closing bracket is `close`. 1: there is one. 0:
 * closed. */
static int next_entry(struct ff_json *json, char close, bool first, struct ff_error *error)
{
    skip_space(json);
    if (json->at < json->end && *json->at == close) {
        json->at++;
        return 0;
    }
    if (first)
        return json->at < json->end ? 1 : refuse(json, error, "inside an array or object");
    if (json->at >= json->end || *json->at != ',')
        return refuse(json, error, "a comma or the closing bracket must stand here");
    json->at++;
    skip_space(json);
    if (json->at < json->end && *json->at == close)
        return refuse(json, error, "nothing follows the comma");
    return 1;
}

int ff_json_value(struct ff_json *json, struct ff_span *value, struct ff_error *error)
{
    char closes[FF_JSON_DEPTH];
    int depth = 0;
    bool first = false;
    skip_space(json);
    const char *begin = json->at;
    do {
        /* Here a value begins. */
        if (json->at >= json->end)
            return refuse(json, error, "a value must stand here");
        bool opens = *json->at == '{' || *json->at == '[';
        if (opens && depth == FF_JSON_DEPTH)
            return refuse(json, error, "nested too deeply");
        if (opens)
            closes[depth++] = *json->at++ == '{' ? '}' : ']';
        else if (take_scalar(json, error) < 0)
            return -1;
        first = opens;
        /* Go on to where the next value begins, closing what is over. */
        int more = 0;
        while (depth > 0 && (more = next_entry(json, closes[depth - 1], first, error)) == 0) {
            depth--;
            first = false;
        }
        struct ff_span key;
        if (more < 0 || (depth > 0 && closes[depth - 1] == '}' && take_key(json, &key, error) < 0))
            return -1;
    } while (depth > 0);
    value->data = begin;
    value->size = (size_t)(json->at - begin);
    return 0;
}

int ff_json_enter(struct ff_json *json, char open, struct ff_error *error)
{
    skip_space(json);
    if (json->at >= json->end || *json->at != open)
        return refuse(json, error,
                      open == '{' ? "an object must stand here" : "an array must stand here");
    json->at++;
    json->first = true;
    return 0;
}

int ff_json_member(struct ff_json *json, struct ff_span *key, struct ff_error *error)
{
    int more = next_entry(json, '}', json->first, error);
    json->first = false;
    if (more <= 0)
        return more;
    return take_key(json, key, error) < 0 ? -1 : 1;
}

int ff_json_element(struct ff_json *json, struct ff_error *error)
{
    int more = next_entry(json, ']', json->first, error);
    json->first = false;
    return more;
}

int ff_json_finish(struct ff_json *json, struct ff_error *error)
{
    skip_space(json);
    return json->at == json->end ? 0 : refuse(json, error, "something follows the value");
}

int ff_json_check(struct ff_span text, struct ff_error *error)
{
    struct ff_json json;
    struct ff_span value;
    ff_json_open(&json, text);
    if (ff_json_value(&json, &value, error) < 0)
        return -1;
    return ff_json_finish(&json, error);
}
