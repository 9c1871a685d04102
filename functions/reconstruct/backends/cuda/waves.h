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

/* V, which needs the same patches: of the modes, then that of the first one and its eigenprobes, where there are any. */
struct ff_cuda_powers {
    float *power;       /* (powers, rows, columns); NULL: it is not wanted */
    unsigned *greatest; /* (powers): bits of the greatest of each; joined */
    uint32_t
        first; /* 1: set; 0: what a chunk leaves is added to it, in the order of the exposures' lanes */
};

/* V of the modes, and where there are eigenprobes that of the first mode and them. */
static inline uint32_t ff_cuda_powers_of(const struct ff_cuda_shape *shape)
{
    return shape->eigenprobes > 0 ? 2 : 1;
}

/* Queues waves = S P, zero around the window, and V. `object` is a tile, `waves` (count, fly, modes, frame_rows, frame_columns) is
 * written whole; NULL: V alone is wanted. */
bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *object,
                        const struct ff_cuda_probes *probes, float2 *waves,
                        const struct ff_cuda_powers *powers);

#ifdef __cplusplus
}
#endif

#endif
