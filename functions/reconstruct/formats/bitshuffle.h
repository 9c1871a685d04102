/*
 * functions/reconstruct/formats/bitshuffle.h: the inverse of bitshuffle (Masui et al., Astronomy
 * and Computing 12, 181 (2015)): the bits of one significance of a block of elements stand together,
 * which then packs well.
 */
#ifndef FF_RECONSTRUCT_FORMATS_BITSHUFFLE_H
#define FF_RECONSTRUCT_FORMATS_BITSHUFFLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FF_BITSHUFFLE_PLAIN = 0, FF_BITSHUFFLE_LZ4 = 2 };

/* The numbers in the headers of packed chunks. */
static inline size_t ff_big_endian(const uint8_t *at, size_t bytes)
{
    size_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* As the HDF5 filter 32008 writes a chunk: elements of `element` bytes, `block` of them a block (0:
 * the usual number), `packing` one of the above. False: it is damaged, or packed otherwise. */
bool ff_bitshuffle_undo(const void *from, size_t size, void *to, size_t to_bytes, size_t element,
                        size_t block, unsigned packing);

#endif
