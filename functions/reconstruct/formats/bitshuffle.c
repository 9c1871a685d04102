#include "functions/reconstruct/formats/bitshuffle.h"

#include <lz4.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENT_MAX = 16, BLOCK_BYTES_MAX = 1 << 24, USUAL_BLOCK_BYTES = 8192, BLOCK_MIN = 128 };

/* The transpose of 8 × 8 bits: byte r, bit c becomes byte c, bit r, in three exchanges. */
static uint64_t transpose_bits(uint64_t bits)
{
    uint64_t moved = (bits ^ bits >> 7) & 0x00aa00aa00aa00aau;
    bits ^= moved ^ moved << 7;
    moved = (bits ^ bits >> 14) & 0x0000cccc0000ccccu;
    bits ^= moved ^ moved << 14;
    moved = (bits ^ bits >> 28) & 0x00000000f0f0f0f0u;
    return bits ^ moved ^ moved << 28;
}

/* A block of `count` elements (a multiple of 8): row 8 j + k of it holds bit k of byte j of each. */
static void undo_block(const uint8_t *from, uint8_t *to, size_t count, size_t element)
{
    size_t row = count / 8;
    for (size_t j = 0; j < element; j++)
        for (size_t g = 0; g < row; g++) {
            uint64_t bits = 0;
            for (size_t k = 0; k < 8; k++)
                bits |= (uint64_t)from[(8 * j + k) * row + g] << 8 * k;
            bits = transpose_bits(bits);
            for (size_t i = 0; i < 8; i++)
                to[(8 * g + i) * element + j] = (uint8_t)(bits >> 8 * i);
        }
}

static size_t usual_block(size_t element)
{
    size_t block = USUAL_BLOCK_BYTES / element / 8 * 8;
    return block > BLOCK_MIN ? block : BLOCK_MIN;
}

struct source {
    const uint8_t *at;
    size_t left;
    uint8_t *block; /* room for one, where they are packed */
    bool packed;
};

/* The next block of `bytes`, unpacked; NULL: it is damaged. */
static const uint8_t *next_block(struct source *source, size_t bytes)
{
    size_t taken = bytes;
    const uint8_t *block = source->at;
    if (source->packed) {
        if (source->left < 4)
            return NULL;
        taken = ff_big_endian(source->at, 4);
        source->at += 4;
        source->left -= 4;
        if (taken > source->left || taken > INT32_MAX ||
            LZ4_decompress_safe((const char *)source->at, (char *)source->block, (int)taken,
                                (int)bytes) != (int)bytes)
            return NULL;
        block = source->block;
    } else if (taken > source->left) {
        return NULL;
    }
    source->at += taken;
    source->left -= taken;
    return block;
}

/* Whole blocks, a shorter one of a multiple of 8 elements, and up to 7 elements as they were. */
static bool undo_all(struct source *source, uint8_t *to, size_t to_bytes, size_t element,
                     size_t block)
{
    size_t left = to_bytes / element;
    while (left >= 8) {
        size_t count = left < block ? left / 8 * 8 : block;
        const uint8_t *from = next_block(source, count * element);
        if (from == NULL)
            return false;
        undo_block(from, to, count, element);
        to += count * element;
        left -= count;
    }
    size_t rest = left * element + to_bytes % element;
    if (rest > source->left)
        return false;
    memcpy(to, source->at, rest);
    return true;
}

bool ff_bitshuffle_undo(const void *from, size_t size, void *to, size_t to_bytes, size_t element,
                        size_t block, unsigned packing)
{
    struct source source = {.at = from, .left = size, .packed = packing == FF_BITSHUFFLE_LZ4};
    if (element == 0 || element > ELEMENT_MAX ||
        (packing != FF_BITSHUFFLE_PLAIN && packing != FF_BITSHUFFLE_LZ4))
        return false;
    if (block == 0)
        block = usual_block(element);
    if (source.packed) {
        if (size < 12 || ff_big_endian(source.at, 8) != to_bytes)
            return false;
        block = ff_big_endian(source.at + 8, 4) / element;
        source.at += 12;
        source.left -= 12;
    }
    if (block == 0 || block % 8 != 0 || block > BLOCK_BYTES_MAX / element)
        return false;
    if (source.packed && (source.block = malloc(block * element)) == NULL)
        return false;
    bool whole = undo_all(&source, to, to_bytes, element, block);
    free(source.block);
    return whole;
}
