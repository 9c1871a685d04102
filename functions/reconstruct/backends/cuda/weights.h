/*
 * functions/reconstruct/backends/cuda/weights.h: W, the weights of the object's pixels, on one device: they need no χ, so that whole batches
 * of them can be had beside other work. V, those of the probe's, comes with the waves (waves.h).
 *
 * Gathered as the sums of sums.h are, in the order of the chunk.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_WEIGHTS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_WEIGHTS_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ff_cuda_weights {
    struct ff_cuda_probes probes;
    uint32_t before,
        all; /* patterns of the batch before those of the chunk, whose list goes on in both directions, and all */
    float *weight;      /* W of the tile */
    unsigned *greatest; /* bits of max W; joined */
};

bool ff_cuda_weigh(struct ff_cuda_calls *calls, cudaStream_t stream,
                   const struct ff_cuda_chunk *chunk, const struct ff_cuda_weights *weights);

#ifdef __cplusplus
}
#endif

#endif
