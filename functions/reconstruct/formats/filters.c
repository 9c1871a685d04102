#include "functions/reconstruct/formats/filters.h"

#include "functions/reconstruct/formats/bitshuffle.h"

#include <lz4.h>
#include <string.h>
#include <zlib.h>

enum { FILTER_LZ4 = 32004, FILTER_BITSHUFFLE = 32008, UNPACKED_MAX = 512 << 20 };

/* The filter's format: the size (8 bytes), that of a block (4), then for each block its packed size
 * (4) and its bytes, which are as they were where packing did not help. */
static bool undo_lz4(const uint8_t *from, size_t size, uint8_t *to, size_t to_bytes)
{
    if (size < 12 || ff_big_endian(from, 8) != to_bytes)
        return false;
    size_t block = ff_big_endian(from + 8, 4);
    size_t at = 12;
    if (block == 0)
        return false;
    for (size_t done = 0; done < to_bytes;) {
        size_t length = to_bytes - done < block ? to_bytes - done : block;
        if (size - at < 4)
            return false;
        size_t packed = ff_big_endian(from + at, 4);
        at += 4;
        if (packed > size - at || packed > INT32_MAX || length > INT32_MAX)
            return false;
        if (packed == length)
            memcpy(to + done, from + at, length);
        else if (LZ4_decompress_safe((const char *)from + at, (char *)to + done, (int)packed,
                                     (int)length) != (int)length)
            return false;
        at += packed;
        done += length;
    }
    return true;
}

static bool undo_deflate(const void *from, size_t size, void *to, size_t to_bytes)
{
    uLongf done = to_bytes;
    return uncompress(to, &done, from, size) == Z_OK && done == to_bytes;
}

/* Bytes of one significance stand together; what is left of the last element is as it was. */
static bool undo_shuffle(const uint8_t *from, size_t size, uint8_t *to, size_t to_bytes,
                         size_t element)
{
    if (size != to_bytes || element == 0)
        return false;
    size_t count = size / element;
    for (size_t j = 0; j < element; j++)
        for (size_t i = 0; i < count; i++)
            to[i * element + j] = from[j * count + i];
    memcpy(to + count * element, from + count * element, size - count * element);
    return true;
}

static bool undo_one(H5Z_filter_t id, const unsigned *values, size_t value_count, const void *from,
                     size_t size, void *to, size_t to_bytes)
{
    switch (id) {
    case H5Z_FILTER_DEFLATE:
        return undo_deflate(from, size, to, to_bytes);
    case H5Z_FILTER_SHUFFLE:
        return value_count > 0 && undo_shuffle(from, size, to, to_bytes, values[0]);
    case FILTER_LZ4:
        return undo_lz4(from, size, to, to_bytes);
    case FILTER_BITSHUFFLE:
        return value_count > 2 &&
               ff_bitshuffle_undo(from, size, to, to_bytes, values[2],
                                  value_count > 3 ? values[3] : 0, value_count > 4 ? values[4] : 0);
    default:
        return false;
    }
}

bool ff_pipeline_of(hid_t plist, struct ff_pipeline *pipeline)
{
    int count = H5Pget_nfilters(plist);
    memset(pipeline, 0, sizeof *pipeline);
    if (count < 0 || count > FF_PIPELINE_MAX)
        return false;
    for (int i = 0; i < count; i++) {
        unsigned flags;
        size_t values = FF_PIPELINE_VALUES_MAX;
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &values,
                                         pipeline->filters[i].values, 0, NULL, NULL);
        if ((id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != FILTER_LZ4 &&
             id != FILTER_BITSHUFFLE) ||
            values > FF_PIPELINE_VALUES_MAX)
            return false;
        pipeline->filters[i].id = id;
        pipeline->filters[i].value_count = values;
    }
    pipeline->count = (size_t)count;
    return true;
}

bool ff_pipeline_undo(const struct ff_pipeline *pipeline, unsigned skipped, const void *packed,
                      size_t size, void *chunk, void *spare, size_t chunk_bytes)
{
    const void *from = packed;
    size_t left = 0; /* filters still to be undone */
    for (size_t i = 0; i < pipeline->count; i++)
        left += (skipped >> i & 1) == 0;
    if (left == 0) {
        if (size == chunk_bytes)
            memcpy(chunk, packed, size);
        return size == chunk_bytes;
    }
    for (size_t i = pipeline->count; i-- > 0;) {
        if (skipped >> i & 1)
            continue;
        /* The last one ends in `chunk`. */
        void *to = left-- % 2 == 1 ? chunk : spare;
        if (!undo_one(pipeline->filters[i].id, pipeline->filters[i].values,
                      pipeline->filters[i].value_count, from, size, to, chunk_bytes))
            return false;
        from = to;
        size = chunk_bytes;
    }
    return true;
}

/* The size that a chunk says it unpacks to; 0: it does not say. LZ4 packs at most 255 to 1. */
static size_t claimed_bytes(const uint8_t *from, size_t size)
{
    size_t claimed = size >= 12 ? ff_big_endian(from, 8) : 0;
    return claimed <= UNPACKED_MAX && claimed / 256 <= size ? claimed : 0;
}

/* As the HDF5 library calls a filter: it replaces the buffer. 0: failed, as packing always does. */
static size_t run(H5Z_filter_t id, unsigned flags, size_t value_count, const unsigned values[],
                  size_t size, size_t *buffer_size, void **buffer)
{
    bool plain = id == FILTER_BITSHUFFLE && (value_count < 5 || values[4] == 0);
    size_t bytes = plain ? size : claimed_bytes(*buffer, size);
    if ((flags & H5Z_FLAG_REVERSE) == 0 || bytes == 0)
        return 0;
    void *unpacked = H5allocate_memory(bytes, false);
    if (unpacked == NULL)
        return 0;
    if (!undo_one(id, values, value_count, *buffer, size, unpacked, bytes)) {
        H5free_memory(unpacked);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = unpacked;
    *buffer_size = bytes;
    return bytes;
}

static size_t run_lz4(unsigned flags, size_t value_count, const unsigned values[], size_t size,
                      size_t *buffer_size, void **buffer)
{
    return run(FILTER_LZ4, flags, value_count, values, size, buffer_size, buffer);
}

static size_t run_bitshuffle(unsigned flags, size_t value_count, const unsigned values[],
                             size_t size, size_t *buffer_size, void **buffer)
{
    return run(FILTER_BITSHUFFLE, flags, value_count, values, size, buffer_size, buffer);
}

void ff_filters_register(void)
{
    /* Said to pack as well, or else the library makes no dataset for chunks that come packed. */
    static const H5Z_class2_t classes[] = {
        {H5Z_CLASS_T_VERS, FILTER_LZ4, 1, 1, "LZ4", NULL, NULL, run_lz4},
        {H5Z_CLASS_T_VERS, FILTER_BITSHUFFLE, 1, 1, "bitshuffle", NULL, NULL, run_bitshuffle},
    };
    static bool done;
    for (size_t i = 0; !done && i < sizeof classes / sizeof classes[0]; i++)
        H5Zregister(&classes[i]);
    done = true;
}

bool ff_filter_knows(H5Z_filter_t filter, size_t value_count, const unsigned *values)
{
    return filter != FILTER_BITSHUFFLE || value_count < 5 || values[4] == FF_BITSHUFFLE_PLAIN ||
           values[4] == FF_BITSHUFFLE_LZ4;
}

const char *ff_filter_package(H5Z_filter_t filter)
{
    static const struct {
        H5Z_filter_t filter;
        const char *package;
    } packages[] = {
        {307, "hdf5-filter-plugin"}, /* bzip2 */
        {32000, "hdf5-plugin-lzf"},
        {32001, "hdf5-filter-plugin-blosc-serial"},
        {32013, "hdf5-filter-plugin-zfp-serial"},
    };
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++)
        if (packages[i].filter == filter)
            return packages[i].package;
    return NULL;
}
