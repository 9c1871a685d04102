#include "protocol/codec.h"

#include "protocol/core/text.h"

#include <msgpack.h>
#include <string.h>

enum field_type {
    FIELD_U64,
    FIELD_F64,
    FIELD_FLAG,
    FIELD_ID,
    FIELD_DIGEST,
    FIELD_ATTEMPT,
    FIELD_TEXT,
    FIELD_BYTES
};

struct field {
    const char *member;
    const char *key;
    enum field_type type;
    size_t offset;
    size_t limit;
};

enum item_kind {
#define FF_KIND_ENUM(kind, fields) KIND_##kind,
    FF_ITEM_KINDS(FF_KIND_ENUM)
#undef FF_KIND_ENUM
        KIND_COUNT
};

#define FF_FIELD_ROW(item, ftype, fmember, fkey, flimit)                                           \
    {#fmember, fkey, FIELD_##ftype, offsetof(struct ff_##item, fmember), flimit},
#define FF_KIND_FIELDS(kind, fields)                                                               \
    static const struct field kind##_fields[] = {fields(FF_FIELD_ROW, kind)};
FF_ITEM_KINDS(FF_KIND_FIELDS)
#undef FF_KIND_FIELDS
#undef FF_FIELD_ROW

static const struct {
    const char *name;
    const struct field *fields;
    size_t count;
    size_t size;
} kinds[KIND_COUNT] = {
#define FF_KIND_ROW(kind, table)                                                                   \
    [KIND_##kind] = {#kind, kind##_fields, sizeof kind##_fields / sizeof kind##_fields[0],         \
                     sizeof(struct ff_##kind)},
    FF_ITEM_KINDS(FF_KIND_ROW)
#undef FF_KIND_ROW
};

struct message_row {
    const char *name;
    enum ff_message_type type;
    enum item_kind kind;
    uint32_t most;
};

static const struct message_row messages[] = {
#define FF_MESSAGE_ROW(name, number, kind, most) {#name, name, KIND_##kind, most},
    FF_MESSAGES(FF_MESSAGE_ROW)
#undef FF_MESSAGE_ROW
};

enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

static const struct message_row *row_of(uint64_t type)
{
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        if ((uint64_t)messages[i].type == type)
            return &messages[i];
    return NULL;
}

const char *ff_message_name(enum ff_message_type type)
{
    const struct message_row *row = row_of((uint64_t)type);
    return row != NULL ? row->name + strlen("FF_MSG_") : "?";
}

/* ---- encoding ---- */

static int write_to_buffer(void *context, const char *data, size_t size)
{
    struct ff_buffer *buffer = context;
    ff_buffer_append(buffer, data, size);
    return buffer->failed ? -1 : 0;
}

/* The bytes of `text` that are valid UTF-8 from its start, at most `limit`, ending between
 * characters. */
static size_t valid_start(struct ff_span text, size_t limit)
{
    const char *bytes = text.data;
    size_t at = 0;
    while (at < text.size) {
        size_t length = ff_text_sequence(bytes + at, text.size - at);
        if (length == 0 || at + length > limit)
            break;
        at += length;
    }
    return at;
}

/* Packs text that a decoder accepts, whatever it was: what functions and commands say may be in any
 * encoding and of any length, and must not cost a link. Bytes that are no UTF-8 become U+FFFD; the
 * end beyond the limit is cut. */
static void pack_text(msgpack_packer *packer, struct ff_span text, size_t limit)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t valid = valid_start(text, limit);
    if (valid == text.size) {
        msgpack_pack_str(packer, text.size);
        msgpack_pack_str_body(packer, text.data, text.size);
        return;
    }
    struct ff_buffer clean;
    ff_buffer_init(&clean, limit);
    for (;;) {
        ff_buffer_append(&clean, text.data, valid);
        text.data = (const char *)text.data + valid;
        text.size -= valid;
        bool broken = text.size > 0 && ff_text_sequence(text.data, text.size) == 0;
        if (!broken || clean.size + sizeof replacement - 1 > limit)
            break;
        ff_buffer_append(&clean, replacement, sizeof replacement - 1);
        text.data = (const char *)text.data + 1;
        text.size -= 1;
        valid = valid_start(text, limit - clean.size);
    }
    msgpack_pack_str(packer, clean.size);
    msgpack_pack_str_body(packer, clean.data, clean.size);
    ff_buffer_dispose(&clean);
}

static void pack_bytes(msgpack_packer *packer, struct ff_span run)
{
    msgpack_pack_bin(packer, run.size);
    msgpack_pack_bin_body(packer, run.data, run.size);
}

static size_t fixed_size(enum field_type type)
{
    switch (type) {
    case FIELD_ID:
        return FF_ID_SIZE;
    case FIELD_DIGEST:
        return FF_DIGEST_SIZE;
    case FIELD_ATTEMPT:
        return sizeof(struct ff_attempt);
    case FIELD_U64:
        return sizeof(uint64_t);
    case FIELD_F64:
        return sizeof(double);
    case FIELD_FLAG:
        return sizeof(bool);
    case FIELD_TEXT:
    case FIELD_BYTES:
        break;
    }
    return 0;
}

/* Zero and empty are not sent. */
static bool is_absent(const struct field *field, const uint8_t *value)
{
    if (field->type == FIELD_TEXT || field->type == FIELD_BYTES) {
        struct ff_span run;
        memcpy(&run, value, sizeof run);
        return run.size == 0;
    }
    size_t size = fixed_size(field->type);
    for (size_t i = 0; i < size; i++)
        if (value[i] != 0)
            return false;
    return true;
}

static void pack_value(msgpack_packer *packer, const struct field *field, const void *value)
{
    switch (field->type) {
    case FIELD_U64:
        msgpack_pack_uint64(packer, *(const uint64_t *)value);
        break;
    case FIELD_F64:
        msgpack_pack_double(packer, *(const double *)value);
        break;
    case FIELD_FLAG:
        msgpack_pack_true(packer);
        break;
    case FIELD_ID:
    case FIELD_DIGEST: {
        struct ff_span run = {value, fixed_size(field->type)};
        pack_bytes(packer, run);
        break;
    }
    case FIELD_ATTEMPT: {
        const struct ff_attempt *attempt = value;
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, attempt->epoch);
        msgpack_pack_uint64(packer, attempt->counter);
        break;
    }
    case FIELD_TEXT:
        pack_text(packer, *(const struct ff_span *)value, field->limit);
        break;
    case FIELD_BYTES:
        pack_bytes(packer, *(const struct ff_span *)value);
        break;
    }
}

void ff_encode_begin(struct ff_encoder *encoder, struct ff_buffer *buffer,
                     enum ff_message_type type)
{
    ff_buffer_clear(buffer);
    encoder->buffer = buffer;
    encoder->items = 0;
    encoder->type = type;
    msgpack_packer packer;
    msgpack_packer_init(&packer, buffer, write_to_buffer);
    msgpack_pack_array(&packer, 2);
    msgpack_pack_uint64(&packer, (uint64_t)type);
    /* An array of 32-bit count, so that the count can be set at the end. */
    ff_buffer_append(buffer, "\xdd\0\0\0\0", 5);
    encoder->count_at = buffer->size - 4;
}

/* How many fields are to be sent; bytes beyond their limit mark the buffer failed, because nobody
 * could read them. */
static size_t count_present(struct ff_encoder *encoder, enum item_kind kind, const uint8_t *item)
{
    size_t present = 0;
    for (size_t i = 0; i < kinds[kind].count; i++) {
        const struct field *field = &kinds[kind].fields[i];
        const uint8_t *value = item + field->offset;
        if (is_absent(field, value))
            continue;
        present++;
        if (field->type == FIELD_BYTES && ((const struct ff_span *)value)->size > field->limit)
            encoder->buffer->failed = true;
    }
    return present;
}

static bool encode_item(struct ff_encoder *encoder, enum item_kind kind, const uint8_t *item)
{
    struct ff_buffer *buffer = encoder->buffer;
    const struct message_row *row = row_of((uint64_t)encoder->type);
    if (row == NULL || row->kind != kind)
        buffer->failed = true;
    if (buffer->failed || encoder->items >= row->most)
        return false;
    size_t before = buffer->size;
    size_t present = count_present(encoder, kind, item);
    msgpack_packer packer;
    msgpack_packer_init(&packer, buffer, write_to_buffer);
    bool fits = !buffer->failed;
    msgpack_pack_map(&packer, present);
    for (size_t i = 0; i < kinds[kind].count; i++) {
        const struct field *field = &kinds[kind].fields[i];
        const uint8_t *value = item + field->offset;
        if (is_absent(field, value))
            continue;
        pack_text(&packer, ff_span_of(field->key), FF_NAME_LIMIT);
        pack_value(&packer, field, value);
    }
    if (buffer->failed) {
        /* Full: the items so far stay a good message. One that does not fit alone never will. */
        buffer->size = before;
        buffer->failed = !fits || encoder->items == 0;
        return false;
    }
    encoder->items++;
    return true;
}

#define FF_ENCODE_DEFINE(kind, fields)                                                             \
    bool ff_encode_##kind(struct ff_encoder *encoder, const struct ff_##kind *item)                \
    {                                                                                              \
        return encode_item(encoder, KIND_##kind, (const uint8_t *)item);                           \
    }
FF_ITEM_KINDS(FF_ENCODE_DEFINE)
#undef FF_ENCODE_DEFINE

bool ff_encode_raw(struct ff_encoder *encoder, struct ff_span raw)
{
    struct ff_buffer *buffer = encoder->buffer;
    const struct message_row *row = row_of((uint64_t)encoder->type);
    if (buffer->failed || row == NULL || encoder->items >= row->most)
        return false;
    size_t before = buffer->size;
    ff_buffer_append(buffer, raw.data, raw.size);
    if (buffer->failed) {
        buffer->size = before;
        buffer->failed = encoder->items == 0;
        return false;
    }
    encoder->items++;
    return true;
}

int ff_encode_end(struct ff_encoder *encoder, struct ff_error *error)
{
    if (encoder->buffer->failed)
        return ff_fail(error, FF_TOO_LARGE, "a %s message does not fit its limits",
                       ff_message_name(encoder->type));
    uint8_t *count = encoder->buffer->data + encoder->count_at;
    for (int i = 0; i < 4; i++)
        count[i] = (uint8_t)(encoder->items >> (24 - 8 * i));
    return 0;
}

/* ---- decoding ---- */

int ff_decode_open(struct ff_decoder *decoder, struct ff_span frame, struct ff_error *error)
{
    uint32_t parts;
    uint64_t type;
    ff_wire_open(&decoder->wire, frame);
    if (frame.size > FF_MESSAGE_LIMIT)
        return ff_fail(error, FF_PROTOCOL, "a message of %zu bytes; the limit is %d", frame.size,
                       FF_MESSAGE_LIMIT);
    if (ff_wire_array(&decoder->wire, &parts, error) < 0)
        return -1;
    if (parts != 2)
        return ff_fail(error, FF_PROTOCOL, "a message of %u parts; there must be 2", parts);
    if (ff_wire_u64(&decoder->wire, &type, error) < 0)
        return -1;
    const struct message_row *row = row_of(type);
    if (row == NULL)
        return ff_fail(error, FF_UNSUPPORTED, "message type %llu is not known to this version",
                       (unsigned long long)type);
    decoder->type = row->type;
    if (ff_wire_array(&decoder->wire, &decoder->left, error) < 0)
        return -1;
    if (decoder->left > row->most)
        return ff_fail(error, FF_PROTOCOL, "%u items in a %s message; the limit is %u",
                       decoder->left, ff_message_name(row->type), row->most);
    return 0;
}

static int take_fixed(struct ff_wire *wire, size_t size, void *to, struct ff_error *error)
{
    struct ff_span run;
    if (ff_wire_bytes(wire, size, &run, error) < 0)
        return -1;
    if (run.size != size)
        return ff_fail(error, FF_PROTOCOL, "%zu bytes where %zu must stand", run.size, size);
    memcpy(to, run.data, size);
    return 0;
}

static int take_value(struct ff_wire *wire, const struct field *field, void *to,
                      struct ff_error *error)
{
    uint32_t parts;
    switch (field->type) {
    case FIELD_U64:
        return ff_wire_u64(wire, to, error);
    case FIELD_F64:
        return ff_wire_f64(wire, to, error);
    case FIELD_FLAG:
        return ff_wire_flag(wire, to, error);
    case FIELD_ID:
    case FIELD_DIGEST:
        return take_fixed(wire, fixed_size(field->type), to, error);
    case FIELD_ATTEMPT: {
        struct ff_attempt *attempt = to;
        if (ff_wire_array(wire, &parts, error) < 0)
            return -1;
        if (parts != 2)
            return ff_fail(error, FF_PROTOCOL, "an attempt of %u parts; there must be 2", parts);
        if (ff_wire_u64(wire, &attempt->epoch, error) < 0)
            return -1;
        return ff_wire_u64(wire, &attempt->counter, error);
    }
    case FIELD_TEXT:
        return ff_wire_text(wire, field->limit, to, error);
    case FIELD_BYTES:
        return ff_wire_bytes(wire, field->limit, to, error);
    }
    return -1;
}

static const struct field *find_field(enum item_kind kind, struct ff_span key, size_t guess)
{
    size_t count = kinds[kind].count;
    for (size_t i = 0; i < count; i++) {
        /* Fields come in the order of the table, so the search begins behind the last one found. */
        const struct field *field = &kinds[kind].fields[(guess + i) % count];
        if (strlen(field->key) == key.size && memcmp(field->key, key.data, key.size) == 0)
            return field;
    }
    return NULL;
}

static int take_item(struct ff_wire *wire, enum item_kind kind, uint8_t *item,
                     struct ff_error *error)
{
    uint32_t pairs;
    size_t guess = 0;
    if (ff_wire_map(wire, &pairs, error) < 0)
        return -1;
    for (uint32_t i = 0; i < pairs; i++) {
        struct ff_span key;
        if (ff_wire_text(wire, FF_NAME_LIMIT, &key, error) < 0)
            return -1;
        const struct field *field = find_field(kind, key, guess);
        if (field == NULL) {
            if (ff_wire_skip(wire, error) < 0)
                return -1;
            continue;
        }
        guess = (size_t)(field - kinds[kind].fields) + 1;
        if (take_value(wire, field, item + field->offset, error) < 0)
            return ff_fail_prefix(error, "field \"%s\" of a %s: ", field->key, kinds[kind].name);
    }
    return 0;
}

int ff_decode_next(struct ff_decoder *decoder, union ff_item *item, struct ff_error *error)
{
    if (decoder->left == 0)
        return ff_wire_end(&decoder->wire, error);
    const struct message_row *row = row_of((uint64_t)decoder->type);
    memset(item, 0, kinds[row->kind].size);
    size_t before = decoder->wire.at;
    if (take_item(&decoder->wire, row->kind, (uint8_t *)item, error) < 0)
        return ff_fail_prefix(error, "%s message: ", ff_message_name(row->type));
    decoder->raw.data = decoder->wire.data + before;
    decoder->raw.size = decoder->wire.at - before;
    decoder->left--;
    return 1;
}

/* ---- description ---- */

static const char *const type_names[] = {
    [FIELD_U64] = "unsigned integer",
    [FIELD_F64] = "double",
    [FIELD_FLAG] = "true",
    [FIELD_ID] = "16 bytes",
    [FIELD_DIGEST] = "32 bytes",
    [FIELD_ATTEMPT] = "[epoch, counter]",
    [FIELD_TEXT] = "text",
    [FIELD_BYTES] = "bytes",
};

void ff_messages_describe(struct ff_buffer *buffer)
{
    ff_buffer_append_text(buffer, "| message | number | items | most |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        ff_buffer_printf(buffer, "| %s | %d | %s | %u |\n", ff_message_name(messages[i].type),
                         (int)messages[i].type, kinds[messages[i].kind].name, messages[i].most);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        ff_buffer_printf(buffer, "\n`%s`\n\n| key | member | type | limit |\n|---|---|---|---|\n",
                         kinds[k].name);
        for (size_t i = 0; i < kinds[k].count; i++) {
            const struct field *field = &kinds[k].fields[i];
            ff_buffer_printf(buffer, "| `%s` | %s | %s | ", field->key, field->member,
                             type_names[field->type]);
            if (field->limit > 0)
                ff_buffer_printf(buffer, "%zu |\n", field->limit);
            else
                ff_buffer_append_text(buffer, "|\n");
        }
    }
}
