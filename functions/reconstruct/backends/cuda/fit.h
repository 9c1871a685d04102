/*
 * functions/reconstruct/backends/cuda/fit.h: χ_0 of some patterns, kept until object and probe have their sums, and what these
 * would change in the exit waves of those patterns against it: FF_TERMS_STEPS, on one device.
 *
 * Sums over a whole pattern do not need 24 bits of each value: the upper halves of both floats, rounded to nearest, share a word.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_FIT_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_FIT_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FF_CUDA_STEP_NUMBERS = 6 };
#define FF_CUDA_NO_EXIT UINT32_MAX

/* Queues: χ_0 of the chunk's patterns into `exits` (places, fly, rows, columns). `places` (count of the chunk) says where, or
 * FF_CUDA_NO_EXIT. */
bool ff_cuda_keep_exits(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *waves,
                        const uint32_t *places, uint32_t *exits);

struct ff_cuda_fit {
    const uint32_t *exits;     /* (count of the chunk, fly, rows, columns) */
    const float2 *object;      /* of the tile */
    const float2 *object_step; /* likewise; NULL: it does not move */
    struct ff_cuda_probes probes;
    struct ff_cuda_probes probe_steps; /* values NULL: it does not move */
    double *numbers; /* (count, fly, pieces of terms.h, FF_CUDA_STEP_NUMBERS): written */
};

bool ff_cuda_fit_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const struct ff_cuda_fit *fit);

#ifdef __cplusplus
}
#endif

#endif
