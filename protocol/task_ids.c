/* Ids of tasks, sealed with the secret of a service. Apart from the other ids, because they bring
 * libcrypto along. */
#include "protocol/ids.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { ROW_BITS = 48 };

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

int64_t ff_task_id_claimed_key(const struct ff_id *id)
{
    uint64_t row = 0;
    for (int i = 0; i < 6; i++)
        row = row << 8 | id->bytes[i];
    return ff_task_key((uint16_t)((id->bytes[6] & 0x0f) << 8 | id->bytes[7]), row);
}

int64_t ff_task_id_key(const uint8_t secret[FF_ID_SECRET_SIZE], const struct ff_id *id)
{
    int64_t key = ff_task_id_claimed_key(id);
    struct ff_id expected;
    ff_task_id(secret, key, &expected);
    return ff_id_equal(id, &expected) ? key : -1;
}
