/* Ids of tasks, sealed with the secret of a service. */
#include "protocol/ids.h"

#include <string.h>

enum { ROW_BITS = 48 };

int64_t ff_task_key(uint16_t writer, uint64_t row)
{
    return (int64_t)((uint64_t)(writer & 0x0fff) << ROW_BITS | (row & ((1ull << ROW_BITS) - 1)));
}

/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF") of the key's eight bytes, under the first 16
 * bytes of the secret. A keyed function of 64 bits is all that an id has room for, and a service computes several a
 * task: this takes some 20 ns where HMAC-SHA256 took over a microsecond.
 */
struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_rounds(struct sip *sip, int count)
{
    while (count-- > 0) {
        sip->a += sip->b;
        sip->b = rotate(sip->b, 13) ^ sip->a;
        sip->a = rotate(sip->a, 32);
        sip->c += sip->d;
        sip->d = rotate(sip->d, 16) ^ sip->c;
        sip->a += sip->d;
        sip->d = rotate(sip->d, 21) ^ sip->a;
        sip->c += sip->b;
        sip->b = rotate(sip->b, 17) ^ sip->c;
        sip->c = rotate(sip->c, 32);
    }
}

static void sip_take(struct sip *sip, uint64_t word)
{
    sip->d ^= word;
    sip_rounds(sip, 2);
    sip->a ^= word;
}

static uint64_t little_endian(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void seal(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t key, uint8_t mac[8])
{
    uint64_t k0 = little_endian(secret);
    uint64_t k1 = little_endian(secret + 8);
    struct sip sip = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573};
    sip_take(&sip, (uint64_t)key);
    sip_take(&sip, (uint64_t)8 << 56); /* the length of the message */
    sip.c ^= 0xff;
    sip_rounds(&sip, 4);
    uint64_t value = sip.a ^ sip.b ^ sip.c ^ sip.d;
    for (int i = 0; i < 8; i++)
        mac[i] = (uint8_t)(value >> (8 * i));
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
