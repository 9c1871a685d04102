#include "protocol/ids.h"

#include "protocol/core/text.h"

#include <string.h>
#include <sys/random.h>

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

bool ff_attempt_equal(struct ff_attempt a, struct ff_attempt b)
{
    return a.epoch == b.epoch && a.counter == b.counter;
}

bool ff_attempt_before(struct ff_attempt a, struct ff_attempt b)
{
    return a.epoch != b.epoch ? a.epoch < b.epoch : a.counter < b.counter;
}
