/* The decoder of the messages: every frame that a stranger can send. What decodes must encode
 * again. */
#include "tests/fuzz/fuzz.h"

#include "protocol/codec.h"

#include <stdlib.h>
#include <string.h>

/* One item of each kind, encoded under the type of the message, for the round trip. */
static bool encode_item(struct ff_encoder *encoder, const union ff_item *item)
{
    switch (encoder->type) {
#define ENCODE_CASE(name, number, kind, most)                                                      \
    case name:                                                                                     \
        return ff_encode_##kind(encoder, &item->kind);
        FF_MESSAGES(ENCODE_CASE)
#undef ENCODE_CASE
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ff_decoder decoder;
    struct ff_error error;
    union ff_item item;
    struct ff_span frame = {data, size};
    if (ff_decode_open(&decoder, frame, &error) < 0)
        return 0;
    struct ff_buffer again;
    struct ff_encoder encoder;
    ff_buffer_init(&again, 2 * FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &again, decoder.type);
    while (ff_decode_next(&decoder, &item, &error) > 0)
        if (!encode_item(&encoder, &item))
            abort();
    if (ff_encode_end(&encoder, &error) < 0)
        abort(); /* what was within the limits when it was read is within them when it is written */
    ff_buffer_dispose(&again);
    return 0;
}

enum kind {
#define KIND_ROW(kind, fields) KIND_##kind,
    FF_ITEM_KINDS(KIND_ROW)
#undef KIND_ROW
};

static const struct {
    enum ff_message_type type;
    enum kind kind;
} messages[] = {
#define MESSAGE_ROW(name, number, kind, most) {name, KIND_##kind},
    FF_MESSAGES(MESSAGE_ROW)
#undef MESSAGE_ROW
};

/* Every member nonzero, so that every field is in the seed; spans of a few bytes. */
static void fill_item(enum kind kind, union ff_item *item)
{
    static const struct ff_span run = {"seed", 4};
    memset(item, 1, sizeof *item);
    switch (kind) {
#define FILL_TEXT(member)  member = run;
#define FILL_BYTES(member) member = run;
#define FILL_FLAG(member)  member = true;
#define FILL_U64(member)
#define FILL_F64(member)
#define FILL_ID(member)
#define FILL_DIGEST(member)
#define FILL_ATTEMPT(member)
#define FILL_MEMBER(kind, type, member, key, limit) FILL_##type(item->kind.member)
#define FILL_CASE(kind, fields)                                                                    \
    case KIND_##kind:                                                                              \
        fields(FILL_MEMBER, kind) break;
        FF_ITEM_KINDS(FILL_CASE)
    }
}

bool fuzz_seed(unsigned index, struct ff_buffer *buffer)
{
    if (index >= sizeof messages / sizeof messages[0])
        return false;
    struct ff_encoder encoder;
    union ff_item item;
    fill_item(messages[index].kind, &item);
    ff_encode_begin(&encoder, buffer, messages[index].type);
    return encode_item(&encoder, &item) && ff_encode_end(&encoder, NULL) == 0;
}
