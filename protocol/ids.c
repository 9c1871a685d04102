#include "protocol/ids.h"

#include "protocol/core/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

enum { ROW_BITS = 48 };

void ff_id_random(struct ff_id *id)
{
    size_t filled = 0;
    while (filled < FF_ID_SIZE) {
        ssize_t got = getrandom(id->bytes + filled, FF_ID_SIZE - filled, 0);
        if (got > 0)
            filled += (size_t)got;
    }
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x40);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}

bool ff_id_equal(const struct ff_id *a, const struct ff_id *b)
{
    return memcmp(a->bytes, b->bytes, FF_ID_SIZE) == 0;
}

bool ff_id_is_zero(const struct ff_id *id)
{
    static const struct ff_id zero;
    return ff_id_equal(id, &zero);
}

/* Where the 16 bytes stand in the text: groups of 4, 2, 2, 2 and 6 bytes. */
static const uint8_t text_offset[FF_ID_SIZE] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                19, 21, 24, 26, 28, 30, 32, 34};

void ff_id_text(const struct ff_id *id, char text[FF_ID_TEXT_SIZE])
{
    for (size_t i = 0; i < FF_ID_SIZE; i++) {
        char digits[3];
        ff_text_hex(&id->bytes[i], 1, digits);
        memcpy(text + text_offset[i], digits, 2);
    }
    text[8] = text[13] = text[18] = text[23] = '-';
    text[36] = '\0';
}

int ff_id_parse(const char *text, size_t size, struct ff_id *id)
{
    struct ff_id parsed;
    if (size != FF_ID_TEXT_SIZE - 1 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-')
        return -1;
    for (size_t i = 0; i < FF_ID_SIZE; i++)
        if (ff_text_unhex(text + text_offset[i], 2, &parsed.bytes[i], 1) < 0)
            return -1;
    *id = parsed;
    return 0;
}

int64_t ff_task_key(uint16_t writer, uint64_t row)
{
    return (int64_t)((uint64_t)(writer & 0x0fff) << ROW_BITS | (row & ((1ull << ROW_BITS) - 1)));
}

static void seal(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t key, uint8_t mac[8])
{
    uint8_t message[8];
    for (int i = 0; i < 8; i++)
        message[i] = (uint8_t)((uint64_t)key >> (8 * i));
    uint8_t full[EVP_MAX_MD_SIZE] = {0};
    HMAC(EVP_sha256(), secret, FF_ID_SECRET_SIZE, message, sizeof message, full, NULL);
    memcpy(mac, full, 8);
}

void ff_task_id(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t key, struct ff_id *id)
{
    uint64_t row = (uint64_t)key & ((1ull << ROW_BITS) - 1);
    unsigned writer = (unsigned)((uint64_t)key >> ROW_BITS) & 0x0fff;
    for (int i = 0; i < 6; i++)
        id->bytes[i] = (uint8_t)(row >> (40 - 8 * i));
    id->bytes[6] = (uint8_t)(0x80 | writer >> 8);
    id->bytes[7] = (uint8_t)writer;
    seal(secret, key, id->bytes + 8);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}

int64_t ff_task_id_key(const uint8_t secret[FF_ID_SECRET_SIZE], const struct ff_id *id)
{
    uint64_t row = 0;
    for (int i = 0; i < 6; i++)
        row = row << 8 | id->bytes[i];
    uint16_t writer = (uint16_t)((id->bytes[6] & 0x0f) << 8 | id->bytes[7]);
    int64_t key = ff_task_key(writer, row);
    struct ff_id expected;
    ff_task_id(secret, key, &expected);
    return ff_id_equal(id, &expected) ? key : -1;
}

bool ff_attempt_equal(struct ff_attempt a, struct ff_attempt b)
{
    return a.epoch == b.epoch && a.counter == b.counter;
}

bool ff_attempt_before(struct ff_attempt a, struct ff_attempt b)
{
    return a.epoch != b.epoch ? a.epoch < b.epoch : a.counter < b.counter;
}
