/*
 * functions/reconstruct/backends/cuda/waves.h: from object and probe to exit waves on one device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_WAVES_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_WAVES_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Queues waves = S P, zero around the window. `object` is a tile, `waves` (count, fly, modes, frame_rows, frame_columns) is
 * written whole. */
bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *object,
                        const struct ff_cuda_probes *probes, float2 *waves);

#ifdef __cplusplus
}
#endif

#endif
