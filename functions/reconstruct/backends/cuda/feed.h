/*
 * functions/reconstruct/backends/cuda/feed.h: counts that do not fit on the device come to it chunk by chunk.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_FEED_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_FEED_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Queues to[i] = from[numbers[patterns[i]]], frames of `size` bytes: one launch gathers a chunk from page-locked memory of
 * the host, wherever its frames lie, with as few blocks as fill the bus. `size` is a multiple of `unit`: 2 or 4. */
bool ff_cuda_fetch_frames(struct ff_cuda_calls *calls, cudaStream_t stream, const void *from,
                          const uint32_t *numbers, const uint32_t *patterns, uint32_t count,
                          size_t size, size_t unit, void *to);

#ifdef __cplusplus
}
#endif

#endif
