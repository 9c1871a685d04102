/*
 * functions/reconstruct/backends/cuda/waves.h: from object and probe to exit waves on one device.
 *
 * Waves are interleaved complex numbers in float, (patterns, modes, rows, columns) of the batch: the layout that the
 * batched transforms take.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_WAVES_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_WAVES_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a patch lies on the device's tile: its corner, and the weights of the four bilinear taps, each times the amplitude
 * scale of the pattern: of the corner, its right neighbour, the one below, and that one's. */
struct ff_cuda_patch {
    uint32_t row, column;
    float taps[4];
};

/* All pointers are of the device. */
struct ff_cuda_exposure {
    const struct ff_cuda_patch *patches; /* (patterns) */
    const float2
        *object; /* (…, object_columns): the tile. One row and column more than any patch */
    const float2 *probe; /* (modes, probe_rows, probe_columns) */
    float2 *waves;       /* (patterns, modes, rows, columns): written whole */
    uint32_t object_columns;
    uint32_t modes, probe_rows, probe_columns;
    uint32_t rows, columns; /* of a wave: at least the probe's; what the probe lacks becomes zero */
};

/* waves = S P: queues the whole batch. */
bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_exposure *exposure, size_t patterns);

#ifdef __cplusplus
}
#endif

#endif
