/*
 * functions/reconstruct/backends/cuda/transforms.h: batches of two-dimensional transforms by cuFFT, unnormalised, in place.
 *
 * A plan is made for a number of waves when that number first comes, and kept, also for later runs (plans.h): the batches
 * of a run have few different sizes. All plans share one work area, so all must be executed on one stream.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_TRANSFORMS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_TRANSFORMS_H

#include "functions/reconstruct/backends/cuda/memory.h"

#include <stdint.h>

struct ff_cuda_transforms;

/* For at most `most` waves of (rows, columns) at once. Memory belongs to `memory`; `calls` and `memory` must outlive it. */
struct ff_cuda_transforms *ff_cuda_transforms_create(struct ff_cuda_calls *calls,
                                                     struct ff_cuda_memory *memory,
                                                     cudaStream_t stream, uint32_t rows,
                                                     uint32_t columns, size_t most,
                                                     struct ff_error *error) FF_MUST_USE;
void ff_cuda_transforms_destroy(struct ff_cuda_transforms *transforms);

/* Queues `count` transforms of waves that lie one behind the other. `direction` is CUFFT_FORWARD or CUFFT_INVERSE. */
bool ff_cuda_transform(struct ff_cuda_transforms *transforms, float2 *waves, size_t count,
                       int direction);

#endif
