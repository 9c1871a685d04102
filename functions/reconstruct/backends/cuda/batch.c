/* Which patterns are at work, and what kernels must know of them. */
#include "functions/reconstruct/backends/cuda/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ff_cuda_place place_of(const struct ff_backend *b, size_t pattern, size_t k)
{
    const double *position = b->positions + 2 * (pattern * b->shape.fly + k);
    float y = (float)(position[0] - floor(position[0]));
    float x = (float)(position[1] - floor(position[1]));
    return (struct ff_cuda_place){
        .row = (uint32_t)((size_t)position[0] - b->tile.row),
        .column = (uint32_t)((size_t)position[1] - b->tile.column),
        .y = b->shifted ? 0 : y,
        .x = b->shifted ? 0 : x,
        .scale = (float)b->scales[pattern],
        .rest_y = b->shifted ? y : 0,
        .rest_x = b->shifted ? x : 0,
    };
}

/* Positions, scales and weights change between epochs: then kernels are given all of them anew. What was queued before
 * still reads the old ones, and the pinned copy may still be on its way. */
static void upload_rows(struct ff_backend *b)
{
    size_t places = b->patterns * b->shape.fly;
    size_t weights = b->patterns * b->shape.eigenprobes;
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (size_t i = 0; i < places; i++)
        b->places_host[i] = place_of(b, i / b->shape.fly, i % b->shape.fly);
    for (size_t i = 0; i < weights; i++)
        b->weights_host[i] = (float)b->weights[i];
    FF_CUDA(&b->calls, cudaMemcpyAsync(b->places, b->places_host, places * sizeof *b->places,
                                       cudaMemcpyHostToDevice, b->stream));
    if (weights > 0)
        FF_CUDA(&b->calls,
                cudaMemcpyAsync(b->weights_device, b->weights_host, weights * sizeof(float),
                                cudaMemcpyHostToDevice, b->stream));
    b->rows_changed = false;
}

/* By row, and by number among equals: neighbours share what they read of the object. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const struct ff_backend *backend = context;
    uint32_t p = *(const uint32_t *)a;
    uint32_t q = *(const uint32_t *)b;
    double row_of_p = backend->positions[2 * (size_t)backend->shape.fly * p];
    double row_of_q = backend->positions[2 * (size_t)backend->shape.fly * q];
    if (row_of_p < row_of_q || row_of_p > row_of_q)
        return row_of_p < row_of_q ? -1 : 1;
    return p < q ? -1 : p > q;
}

/* The list goes from one of several pinned ones: the last may still be on its way. */
static void upload_list(struct ff_backend *b, struct ff_batch batch)
{
    unsigned turn = b->list;
    b->list = (turn + 1) % FF_CUDA_LISTS;
    FF_CUDA(&b->calls, cudaEventSynchronize(b->list_taken[turn]));
    b->sorted = b->list_host[turn];
    b->batch_count = batch.count;
    if (batch.count == 0)
        return;
    memcpy(b->sorted, batch.patterns, batch.count * sizeof *b->sorted);
    qsort_r(b->sorted, batch.count, sizeof *b->sorted, compare_rows, b);
    size_t count = batch.count;
    if (b->want & FF_WANT_EXIT) {
        ff_cuda_place_exits(b, b->sorted + batch.count);
        count += batch.count;
    }
    FF_CUDA(&b->calls, cudaMemcpyAsync(b->list_device, b->sorted, count * sizeof *b->sorted,
                                       cudaMemcpyHostToDevice, b->stream));
    FF_CUDA(&b->calls, cudaEventRecord(b->list_taken[turn], b->stream));
}

void ff_cuda_begin_batch(struct ff_backend *b, struct ff_batch batch, unsigned want)
{
    ff_cuda_use(&b->calls);
    b->want = want;
    if (b->rows_changed)
        upload_rows(b);
    upload_list(b, batch);
}

struct ff_cuda_chunk ff_cuda_chunk_of(const struct ff_backend *b, size_t first)
{
    size_t left = b->batch_count - first;
    return (struct ff_cuda_chunk){
        .shape = b->shape,
        .count = (uint32_t)(left < b->chunk_limit ? left : b->chunk_limit),
        .patterns = b->list_device + first,
        .places = b->places,
        .weights = b->weights_device,
    };
}
