#include "functions/simulate/pack.h"

#include "functions/simulate/settings.h"

#include <lz4.h>
#include <string.h>
#include <zlib.h>

/* The block of bitshuffle; a header of its chunk says it, so that any reader follows. */
enum { BLOCK_BYTES = 8192, HEADER_BYTES = 12, LENGTH_BYTES = 4, DEFLATE_LEVEL = 1 };

static void put_big(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static size_t packed_limit(int compression, size_t bytes)
{
    size_t blocks = bytes / BLOCK_BYTES + 1;
    if (compression == FF_SIMULATE_GZIP)
        return compressBound(bytes);
    if (compression == FF_SIMULATE_BITSHUFFLE)
        return HEADER_BYTES + (blocks + 1) * (LENGTH_BYTES + LZ4_COMPRESSBOUND(BLOCK_BYTES));
    return bytes;
}

size_t ff_pack_room(int compression, size_t bytes)
{
    return packed_limit(compression, bytes) + bytes;
}

/* The first bytes of all elements, then the second ones, … */
static void shuffle(const uint8_t *from, size_t bytes, size_t element, uint8_t *to)
{
    size_t count = bytes / element;
    for (size_t b = 0; b < element; b++)
        for (size_t i = 0; i < count; i++)
            to[b * count + i] = from[i * element + b];
}

/* The lowest bits of all elements, then the next ones, …; eight elements make a byte, the first
 * one its lowest bit. */
static void shuffle_bits(const uint8_t *from, size_t bytes, size_t element, uint8_t *to)
{
    size_t count = bytes / element;
    memset(to, 0, bytes);
    for (size_t i = 0; i < count; i++)
        for (size_t bit = 0; bit < 8 * element; bit++)
            if (from[i * element + bit / 8] >> (bit % 8) & 1)
                to[bit * (count / 8) + i / 8] |= (uint8_t)(1u << (i % 8));
}

static size_t pack_bits(const uint8_t *from, size_t bytes, size_t element, uint8_t *to,
                        uint8_t *work)
{
    size_t at = HEADER_BYTES;
    put_big(to, bytes, 8);
    put_big(to + 8, BLOCK_BYTES, 4);
    /* Fewer than eight elements at the end stay as they are. */
    size_t whole = bytes / (8 * element) * 8 * element;
    for (size_t done = 0; done < whole;) {
        size_t block = whole - done < BLOCK_BYTES ? whole - done : BLOCK_BYTES;
        shuffle_bits(from + done, block, element, work);
        int packed = LZ4_compress_default((const char *)work, (char *)to + at + LENGTH_BYTES,
                                          (int)block, LZ4_COMPRESSBOUND(BLOCK_BYTES));
        put_big(to + at, (uint64_t)packed, LENGTH_BYTES);
        at += LENGTH_BYTES + (size_t)packed;
        done += block;
    }
    memcpy(to + at, from + whole, bytes - whole);
    return at + bytes - whole;
}

size_t ff_pack(int compression, const void *from, size_t bytes, size_t element, void *to)
{
    size_t limit = packed_limit(compression, bytes);
    uint8_t *work = (uint8_t *)to + limit;
    if (compression == FF_SIMULATE_BITSHUFFLE)
        return pack_bits(from, bytes, element, to, work);
    if (compression == FF_SIMULATE_GZIP) {
        uLongf packed = limit;
        shuffle(from, bytes, element, work);
        /* With this much room it cannot fail. */
        int result = compress2(to, &packed, work, bytes, DEFLATE_LEVEL);
        return result == Z_OK ? packed : 0;
    }
    memcpy(to, from, bytes);
    return bytes;
}
