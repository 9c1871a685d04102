/*
 * functions/reconstruct/backends/cuda/chunks.h: how a batch is cut into what is at work at once. Pure functions, which know
 * nothing of CUDA: the backend works by them, and the model of bench/model/ counts by them.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_CHUNKS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_CHUNKS_H

#include "functions/reconstruct/backends/backend.h"

/* A batch of `count` patterns, of which the first `shared` are chunks of their own; 0: they are not apart. */
struct ff_cuda_chunks {
    size_t count, shared, limit;
};

/* As many patterns of `bytes_each` as fit half of the second cache: between the launches that a chunk takes they then stay
 * there. Never fewer than one, never more than a batch. */
static inline size_t ff_cuda_chunk_limit(size_t cache, size_t bytes_each, size_t batch_limit)
{
    size_t limit = cache / 2 / bytes_each;
    limit = limit < batch_limit ? limit : batch_limit;
    return limit > 0 ? limit : 1;
}

/* Whether a patch of rows × columns whose corner is at (row, column) of the object touches what another device has too, with the
 * row and column that its taps reach further. */
static inline bool ff_cuda_is_shared(const struct ff_link *links, size_t link_count, size_t row,
                                     size_t column, size_t rows, size_t columns)
{
    for (size_t i = 0; i < link_count; i++) {
        const struct ff_area *area = &links[i].area;
        if (row < area->row + area->rows && row + rows + 1 > area->row &&
            column < area->column + area->columns && column + columns + 1 > area->column)
            return true;
    }
    return false;
}

/* How many are set apart where `shared` of `count` are shared: both parts must be worth launches of their own, a quarter of
 * what is done at once. */
static inline size_t ff_cuda_set_apart(size_t shared, size_t count, size_t limit)
{
    size_t least = limit / 4;
    return shared > least && count - shared > least ? shared : 0;
}

/* Where the chunk ends that begins at pattern `first`: chunks of either part are of equal counts. */
static inline size_t ff_cuda_chunk_end_of(const struct ff_cuda_chunks *batch, size_t first)
{
    bool is_shared = first < batch->shared;
    size_t begin = is_shared ? 0 : batch->shared;
    size_t count = (is_shared ? batch->shared : batch->count) - begin;
    size_t chunks = (count + batch->limit - 1) / batch->limit;
    size_t each = (count + chunks - 1) / chunks;
    size_t end = first + each;
    return end < begin + count ? end : begin + count;
}

/* The exposures of a chunk are cut into so many lanes for the probe's sums: few enough that adding them costs little. */
static inline uint32_t ff_cuda_lanes_of(size_t exposures)
{
    const size_t each = 16, most = 32;
    size_t lanes = exposures / each;
    lanes = lanes > 0 ? lanes : 1;
    return (uint32_t)(lanes < most ? lanes : most);
}

#endif
