/*
 * functions/simulate/pack.h: frames as chunks of HDF5, packed here, in many threads, and not by the
 * library.
 */
#ifndef FF_SIMULATE_PACK_H
#define FF_SIMULATE_PACK_H

#include "functions/reconstruct/arrays.h"

/* What a packed frame of `bytes` may need at most, with a workspace behind it. */
size_t ff_pack_room(int compression, size_t bytes);

/*
 * Packs `bytes` (elements of `element` bytes) into `to`, which has
 * ff_pack_room; the size of the chunk. `compression` is one of enum ff_simulate_compression: as it
 * is; shuffled and deflated (HDF5's filters 2 and 1); or by bitshuffle with LZ4 (filter 32008: in
 * each block of 8192 bytes the bits of one weight together, and the block packed by itself).
 */
size_t ff_pack(int compression, const void *from, size_t bytes, size_t element, void *to);

#endif
