#include "protocol/wire.h"

#include "protocol/core/text.h"

#include <string.h>

enum { DEPTH_LIMIT = 16 };

/* The families of msgpack's first byte. */
enum family {
    POSITIVE,
    NEGATIVE,
    TEXT,
    BYTES,
    ARRAY,
    MAP,
    NIL,
    FLAG,
    FLOAT32,
    FLOAT64,
    EXTENSION,
    NEVER
};

struct head {
    enum family family;
    uint64_t value; /* number, truth value, or count of bytes or elements */
    size_t size;    /* bytes of the head itself */
};

void ff_wire_open(struct ff_wire *wire, struct ff_span frame)
{
    wire->data = frame.data;
    wire->size = frame.size;
    wire->at = 0;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* First bytes from 0xc0 to 0xdf: family, bytes of the number that follows, bytes of extension type.
 */
static const struct {
    uint8_t family, number, extra;
    uint8_t value;
} long_heads[32] = {
    {NIL, 0, 0, 0},        {NEVER, 0, 0, 0},     {FLAG, 0, 0, 0},      {FLAG, 0, 0, 1},
    {BYTES, 1, 0, 0},      {BYTES, 2, 0, 0},     {BYTES, 4, 0, 0},     {EXTENSION, 1, 1, 0},
    {EXTENSION, 2, 1, 0},  {EXTENSION, 4, 1, 0}, {FLOAT32, 4, 0, 0},   {FLOAT64, 8, 0, 0},
    {POSITIVE, 1, 0, 0},   {POSITIVE, 2, 0, 0},  {POSITIVE, 4, 0, 0},  {POSITIVE, 8, 0, 0},
    {NEGATIVE, 1, 0, 0},   {NEGATIVE, 2, 0, 0},  {NEGATIVE, 4, 0, 0},  {NEGATIVE, 8, 0, 0},
    {EXTENSION, 0, 1, 1},  {EXTENSION, 0, 1, 2}, {EXTENSION, 0, 1, 4}, {EXTENSION, 0, 1, 8},
    {EXTENSION, 0, 1, 16}, {TEXT, 1, 0, 0},      {TEXT, 2, 0, 0},      {TEXT, 4, 0, 0},
    {ARRAY, 2, 0, 0},      {ARRAY, 4, 0, 0},     {MAP, 2, 0, 0},       {MAP, 4, 0, 0},
};

static struct head short_head(uint8_t first)
{
    struct head head = {POSITIVE, first, 1};
    if (first >= 0xe0)
        head.family = NEGATIVE;
    else if (first >= 0xa0)
        head = (struct head){TEXT, first & 0x1fu, 1};
    else if (first >= 0x90)
        head = (struct head){ARRAY, first & 0x0fu, 1};
    else if (first >= 0x80)
        head = (struct head){MAP, first & 0x0fu, 1};
    return head;
}

static int fail(const struct ff_wire *wire, const char *what, struct ff_error *error)
{
    return ff_fail(error, FF_PROTOCOL, "%s at byte %zu of a message of %zu bytes", what, wire->at,
                   wire->size);
}

/* Reads a head without moving, and checks that what it announces can be there. */
static int peek(const struct ff_wire *wire, struct head *head, struct ff_error *error)
{
    *head = (struct head){NEVER, 0, 0};
    size_t left = wire->size - wire->at;
    if (left == 0)
        return fail(wire, "it ends too early", error);
    const uint8_t *from = wire->data + wire->at;
    if (*from < 0xc0 || *from >= 0xe0) {
        *head = short_head(*from);
    } else {
        unsigned row = *from - 0xc0u;
        unsigned number = long_heads[row].number;
        head->family = (enum family)long_heads[row].family;
        head->size = 1u + number + long_heads[row].extra;
        if (head->size > left)
            return fail(wire, "it ends inside a number", error);
        head->value = number > 0 ? big_endian(from + 1, number) : long_heads[row].value;
    }
    left -= head->size;
    uint64_t need = 0;
    if (head->family == TEXT || head->family == BYTES || head->family == EXTENSION ||
        head->family == ARRAY)
        need = head->value;
    else if (head->family == MAP)
        need = 2 * head->value; /* at most 2 × 2^32 */
    if (head->family == NEVER || need > left)
        return fail(wire, "a length that the message cannot hold", error);
    return 0;
}

static int take(struct ff_wire *wire, enum family family, const char *what, struct head *head,
                struct ff_error *error)
{
    if (peek(wire, head, error) < 0)
        return -1;
    if (head->family != family)
        return fail(wire, what, error);
    wire->at += head->size;
    return 0;
}

int ff_wire_array(struct ff_wire *wire, uint32_t *count, struct ff_error *error)
{
    struct head head;
    if (take(wire, ARRAY, "something else than an array", &head, error) < 0)
        return -1;
    *count = (uint32_t)head.value;
    return 0;
}

int ff_wire_map(struct ff_wire *wire, uint32_t *count, struct ff_error *error)
{
    struct head head;
    if (take(wire, MAP, "something else than a map", &head, error) < 0)
        return -1;
    *count = (uint32_t)head.value;
    return 0;
}

int ff_wire_u64(struct ff_wire *wire, uint64_t *value, struct ff_error *error)
{
    struct head head;
    if (take(wire, POSITIVE, "something else than a number of 0 or more", &head, error) < 0)
        return -1;
    *value = head.value;
    return 0;
}

int ff_wire_f64(struct ff_wire *wire, double *value, struct ff_error *error)
{
    struct head head;
    if (take(wire, FLOAT64, "something else than a double", &head, error) < 0)
        return -1;
    memcpy(value, &head.value, sizeof *value);
    return 0;
}

int ff_wire_flag(struct ff_wire *wire, bool *value, struct ff_error *error)
{
    struct head head;
    if (take(wire, FLAG, "something else than true or false", &head, error) < 0)
        return -1;
    *value = head.value != 0;
    return 0;
}

static bool is_text(const uint8_t *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = ff_text_sequence(text + at, size - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static int take_run(struct ff_wire *wire, enum family family, const char *what, size_t limit,
                    struct ff_span *run, struct ff_error *error)
{
    struct head head;
    if (peek(wire, &head, error) < 0)
        return -1;
    if (head.family != family)
        return fail(wire, what, error);
    if (head.value > limit)
        return ff_fail(error, FF_PROTOCOL, "%llu bytes where at most %zu may stand, at byte %zu",
                       (unsigned long long)head.value, limit, wire->at);
    const uint8_t *from = wire->data + wire->at + head.size;
    if (family == TEXT && !is_text(from, head.value))
        return fail(wire, "text that is not UTF-8", error);
    run->data = from;
    run->size = head.value;
    wire->at += head.size + head.value;
    return 0;
}

int ff_wire_text(struct ff_wire *wire, size_t limit, struct ff_span *text, struct ff_error *error)
{
    return take_run(wire, TEXT, "something else than text", limit, text, error);
}

int ff_wire_bytes(struct ff_wire *wire, size_t limit, struct ff_span *bytes, struct ff_error *error)
{
    return take_run(wire, BYTES, "something else than bytes", limit, bytes, error);
}

/* Elements still to be skipped at each open level; a level closes when its count is used up. */
int ff_wire_skip(struct ff_wire *wire, struct ff_error *error)
{
    size_t start = wire->at;
    uint64_t left[DEPTH_LIMIT] = {1};
    unsigned depth = 1;
    while (depth > 0) {
        if (left[depth - 1] == 0) {
            depth--;
            continue;
        }
        left[depth - 1]--;
        struct head head;
        if (peek(wire, &head, error) < 0)
            break;
        wire->at += head.size;
        if (head.family == TEXT || head.family == BYTES || head.family == EXTENSION)
            wire->at += head.value;
        if ((head.family != ARRAY && head.family != MAP) || head.value == 0)
            continue;
        if (depth == DEPTH_LIMIT) {
            fail(wire, "values nested too deep", error);
            break;
        }
        left[depth++] = head.family == MAP ? 2 * head.value : head.value;
    }
    if (depth == 0)
        return 0;
    wire->at = start;
    return -1;
}

int ff_wire_end(const struct ff_wire *wire, struct ff_error *error)
{
    return wire->at == wire->size ? 0 : fail(wire, "bytes left over", error);
}
