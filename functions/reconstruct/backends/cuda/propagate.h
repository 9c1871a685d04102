/*
 * functions/reconstruct/backends/cuda/propagate.h: the near field's filter on one device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PROPAGATE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_PROPAGATE_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Queues waves × transfer, or its conjugate: (count, size) and (size). */
bool ff_cuda_filter(struct ff_cuda_calls *calls, cudaStream_t stream, float2 *waves, size_t count,
                    size_t size, const float2 *transfer, bool conjugate);

#ifdef __cplusplus
}
#endif

#endif
