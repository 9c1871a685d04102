/*
 * functions/reconstruct/backends/cuda/sums.h: what the exit waves' changes of a chunk ask of object and probe, on one device.
 *
 * Every sum is gathered: a pixel of the object asks all exposures that cover it, a pixel of the probe all exposures, in
 * the order of the chunk. So nothing is added by two threads at once, and the bits are the same each time.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_SUMS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_SUMS_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ff_cuda_sums {
    const float2 *waves;  /* (count, fly, modes, frame): χ */
    const float2 *object; /* of the tile */
    struct ff_cuda_probes probes;
    uint32_t object_wanted; /* N_O */
    uint32_t probe_wanted;  /* N_P and N_E */
    uint32_t before,
        all; /* patterns of the batch before those of the chunk, whose list goes on in both directions, and all */
    float2 *gradient;       /* N_O of the tile */
    float2 *probe_gradient; /* N_P, then N_E */
};

bool ff_cuda_sum(struct ff_cuda_calls *calls, cudaStream_t stream,
                 const struct ff_cuda_chunk *chunk, const struct ff_cuda_sums *sums);

#ifdef __cplusplus
}
#endif

#endif
