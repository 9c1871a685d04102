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
    size_t
        offered; /* a chunk ends behind so many, and none after them touches what is shared; 0: all chunks may */
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

/* How far along Hilbert's curve (Math. Ann. 38, 459 (1891)) over a tile of rows × columns the corner of a patch lies, which is at
 * (row, column) of the tile. By this, and by number among equals, batches are sorted: what lies close together in this order does
 * so in the object, and a chunk covers a compact part of it, of which its patterns share most. */
static inline uint32_t ff_cuda_along_curve(size_t row, size_t column, size_t rows, size_t columns)
{
    const uint32_t cells = 1 << 16;
    size_t side = rows > columns ? rows : columns;
    uint32_t y = (uint32_t)(row * (cells - 1) / side);
    uint32_t x = (uint32_t)(column * (cells - 1) / side);
    uint32_t along = 0;
    for (uint32_t half = cells / 2; half > 0; half /= 2) {
        bool lower = (y & half) != 0;
        bool right = (x & half) != 0;
        uint32_t other = x;
        along += half * half * (right ? (lower ? 2u : 3u) : lower);
        if (lower)
            continue;
        x = right ? cells - 1 - y : y; /* the curve in these quarters is turned */
        y = right ? cells - 1 - other : other;
    }
    return along;
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

/* Of patterns in a circle the longest run that are not shared: where it ends, *length long. */
static inline size_t ff_cuda_longest_run(const bool *shared, size_t count, size_t *length)
{
    size_t end = 0, run = 0;
    *length = 0;
    for (size_t i = 0; i < 2 * count && run < count; i++) {
        run = shared[i % count] ? 0 : run + 1;
        if (run > *length) {
            *length = run;
            end = (i + 1) % count;
        }
    }
    return end;
}

/*
 * How a batch of `count` patterns is worked off that are sorted along the curve; `shared` says which of them touch what other devices
 * have too. What is shared can be exchanged while the rest is at work, so there should be a rest. The work begins behind the
 * longest run of those that are not shared, at pattern *start, and goes round: chunks are then as compact as they can be. Where
 * that leaves no chunk to the rest, those that are shared come first (*start is 0) and are set apart, if both parts are worth launches of
 * their own, a quarter of what is done at once.
 */
static inline struct ff_cuda_chunks ff_cuda_chunks_of(const bool *shared, size_t count,
                                                      size_t limit, size_t *start)
{
    struct ff_cuda_chunks batch = {.count = count, .limit = limit};
    size_t run = 0, all = 0, least = limit / 4;
    for (size_t i = 0; i < count; i++)
        all += shared[i];
    *start = 0;
    if (all == 0)
        return batch;
    *start = ff_cuda_longest_run(shared, count, &run);
    while (batch.offered < count - run)
        batch.offered = ff_cuda_chunk_end_of(&batch, batch.offered);
    if (batch.offered < count)
        return batch;
    *start = 0;
    batch.shared = all > least && count - all > least ? all : 0;
    batch.offered = batch.shared;
    return batch;
}

#endif
