/*
 * functions/reconstruct/formats/filters.h: unpacking the chunks of a dataset, also outside the HDF5
 * library, which is one thread at a time.
 *
 * LZ4 (filter 32004) and bitshuffle with and without LZ4 (32008), in which area detectors write,
 * are undone here with every length checked, since the usual plugin for bitshuffle trusts its
 * input; any other filter is looked for among the library's plugins.
 */
#ifndef FF_RECONSTRUCT_FORMATS_FILTERS_H
#define FF_RECONSTRUCT_FORMATS_FILTERS_H

#include "protocol/core/error.h"

#include <hdf5.h>
#include <stdbool.h>

/* Makes LZ4 and bitshuffle known to the HDF5 library of this process. */
void ff_filters_register(void);

/* The Debian package that brings a filter, or NULL. */
const char *ff_filter_package(H5Z_filter_t filter);

/* False for a way of packing that one of the two has and that is not undone here. */
bool ff_filter_knows(H5Z_filter_t filter, size_t value_count, const unsigned *values);

enum { FF_PIPELINE_MAX = 8, FF_PIPELINE_VALUES_MAX = 8 };

/* The filters of a dataset, all of which can be undone here. */
struct ff_pipeline {
    size_t count;
    struct {
        H5Z_filter_t id;
        size_t value_count;
        unsigned values[FF_PIPELINE_VALUES_MAX];
    } filters[FF_PIPELINE_MAX];
};

/* False when one of the filters of a dataset's creation properties cannot be undone here. */
bool ff_pipeline_of(hid_t plist, struct ff_pipeline *pipeline);

/*
 * Unpacks a chunk of `size` bytes at `packed` into `chunk` of exactly `chunk_bytes`; `spare` is as
 * large. `skipped` is the chunk's filter mask. `packed` may be overwritten. False: it is damaged.
 */
bool ff_pipeline_undo(const struct ff_pipeline *pipeline, unsigned skipped, const void *packed,
                      size_t size, void *chunk, void *spare, size_t chunk_bytes) FF_MUST_USE;

#endif
