/*
 * functions/reconstruct/backends/cuda/projection.h: exit waves that are kept against those that object and probe make, on one
 * device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PROJECTION_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_PROJECTION_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is kept, Ψ, is of the probe's shape, and lies in the corner of its place, in rows of a frame's length. */
struct ff_cuda_mixture {
    const float2 *object; /* of the tile */
    struct ff_cuda_probes probes;
    float2 *kept;                       /* (all patterns, fly, modes, frame), by number */
    float2 *waves;                      /* (count, fly, modes, frame) */
    float of_kept, of_formed, of_waves; /* shares; what has a share of 0 is not read */
};

/* waves = of_kept Ψ + of_formed P S in the window, zero around it. */
bool ff_cuda_mix_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_chunk *chunk, const struct ff_cuda_mixture *mixture);

/* Ψ = of_kept Ψ + of_formed P S + of_waves × the window of the waves. */
bool ff_cuda_mix_kept(struct ff_cuda_calls *calls, cudaStream_t stream,
                      const struct ff_cuda_chunk *chunk, const struct ff_cuda_mixture *mixture);

#ifdef __cplusplus
}
#endif

#endif
