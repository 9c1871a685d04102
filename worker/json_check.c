#include "worker/json_check.h"

#include "protocol/core/text.h"

#include <string.h>

enum { DEPTH_LIMIT = 512 };

struct cursor {
    const char *text;
    size_t size;
    size_t at;
};

static int peek(const struct cursor *cursor)
{
    return cursor->at < cursor->size ? (unsigned char)cursor->text[cursor->at] : -1;
}

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->size && cursor->text[cursor->at] != '\0' &&
           strchr(" \t\n\r", cursor->text[cursor->at]) != NULL)
        cursor->at++;
}

static bool take(struct cursor *cursor, int character)
{
    if (peek(cursor) != character)
        return false;
    cursor->at++;
    return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);
    if (cursor->size - cursor->at < length || memcmp(cursor->text + cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static size_t take_digits(struct cursor *cursor)
{
    size_t start = cursor->at;
    while (peek(cursor) >= '0' && peek(cursor) <= '9')
        cursor->at++;
    return cursor->at - start;
}

static bool take_number(struct cursor *cursor)
{
    take(cursor, '-');
    if (!take(cursor, '0') && take_digits(cursor) == 0)
        return false;
    if (take(cursor, '.') && take_digits(cursor) == 0)
        return false;
    if (take(cursor, 'e') || take(cursor, 'E')) {
        if (!take(cursor, '+'))
            take(cursor, '-');
        return take_digits(cursor) > 0;
    }
    return true;
}

static bool take_escape(struct cursor *cursor)
{
    int next = peek(cursor);
    if (next == -1)
        return false;
    cursor->at++;
    if (next != 'u')
        return next != '\0' && strchr("\"\\/bfnrt", next) != NULL;
    for (int i = 0; i < 4; i++) {
        int digit = peek(cursor);
        if (digit <= 0 || strchr("0123456789abcdefABCDEF", digit) == NULL)
            return false;
        cursor->at++;
    }
    return true;
}

static bool take_string(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    for (;;) {
        int next = peek(cursor);
        if (next < ' ')
            return false;
        if (next < 0x80) {
            cursor->at++;
            if (next == '"')
                return true;
            if (next == '\\' && !take_escape(cursor))
                return false;
            continue;
        }
        size_t length = ff_text_sequence(cursor->text + cursor->at, cursor->size - cursor->at);
        if (length == 0)
            return false;
        cursor->at += length;
    }
}

static bool take_scalar(struct cursor *cursor)
{
    switch (peek(cursor)) {
    case '"':
        return take_string(cursor);
    case 't':
        return take_word(cursor, "true");
    case 'f':
        return take_word(cursor, "false");
    case 'n':
        return take_word(cursor, "null");
    default:
        return take_number(cursor);
    }
}

static bool take_key(struct cursor *cursor)
{
    skip_space(cursor);
    if (!take_string(cursor))
        return false;
    skip_space(cursor);
    return take(cursor, ':');
}

/* One value. Open brackets stand in `closers`; a recursion would let the text choose the depth of the stack. */
static bool take_value(struct cursor *cursor)
{
    char closers[DEPTH_LIMIT];
    size_t depth = 0;
    for (;;) {
        skip_space(cursor);
        int next = peek(cursor);
        if (next == '[' || next == '{') {
            if (depth == DEPTH_LIMIT)
                return false;
            cursor->at++;
            skip_space(cursor);
            char closer = next == '[' ? ']' : '}';
            closers[depth++] = closer;
            if (peek(cursor) != closer) {
                if (closer == '}' && !take_key(cursor))
                    return false;
                continue;
            }
        } else if (!take_scalar(cursor)) {
            return false;
        }
        /* A value has ended: close what ends here, up to a comma. */
        for (;;) {
            skip_space(cursor);
            if (depth == 0)
                return true;
            if (take(cursor, closers[depth - 1])) {
                depth--;
                continue;
            }
            if (!take(cursor, ',') || (closers[depth - 1] == '}' && !take_key(cursor)))
                return false;
            break;
        }
    }
}

int ff_json_check(struct ff_span text, struct ff_error *error)
{
    struct cursor cursor = {text.data, text.size, 0};
    if (take_value(&cursor) && cursor.at == cursor.size)
        return 0;
    return ff_fail(error, FF_INVALID_JSON, "not valid JSON at byte %zu of %zu", cursor.at,
                   text.size);
}
