/*
 * functions/reconstruct/backends/cuda/step.h: steps of object and probe with settled sums on one device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_STEP_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_STEP_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/calls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FF_CUDA_PARTS =
        4, /* with weights of their own: the object, the first mode, the others, the eigenprobes */
    FF_CUDA_ANSWER_PIECES = 256, /* into so many pieces pixels are cut for numbers of all of them */
    FF_CUDA_ANSWER_NUMBERS = 4,
};

/* D(X) = share X + α max X, the floor never nothing; 1 where `greatest` is NULL. */
struct ff_cuda_divisor {
    float share, alpha;
    const unsigned *greatest; /* of the device: bits of max X */
};

/* One part: a tile of the object, or the probes that share a weight. All pointers are of the device; NULL what a stage has
 * no use for. */
struct ff_cuda_part {
    size_t planes, rows, columns;
    float2 *value, *gradient, *velocity, *last, *direction; /* (planes, rows, columns) */
    const float *weight;                                    /* (rows, columns) */
    const struct ff_area *areas; /* what counts of a plane, in it; NULL: all of it */
    size_t area_count;
    struct ff_cuda_divisor divisor;
    float length; /* of the step */
    float gain;   /* of the preconditioner of conjugate gradients */
};

/* All that move at once: one launch for all of them. */
struct ff_cuda_parts {
    struct ff_cuda_part part[FF_CUDA_PARTS];
    uint32_t count;
};

/* value += length × gradient / D(weight). */
bool ff_cuda_step_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_parts *parts);
/* velocity ← momentum × velocity + length × gradient / D; value += velocity. */
bool ff_cuda_accelerate_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                              const struct ff_cuda_parts *parts, float momentum);
/* gradient ← gradient / D. */
bool ff_cuda_normalise_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                             const struct ff_cuda_parts *parts);
/* direction ← z + β direction with z = gain gradient / √(weight² + (α max)²); last ← gradient. */
bool ff_cuda_turn_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_parts *parts, float beta);

/* Numbers of each part over all pixels that count: Σ |gradient|²/D, Σ |gradient|² weight/D². They go by pieces
 * (FF_CUDA_PARTS, FF_CUDA_ANSWER_PIECES, FF_CUDA_ANSWER_NUMBERS) of the device into the pinned answer
 * (FF_CUDA_PARTS, FF_CUDA_ANSWER_NUMBERS). */
bool ff_cuda_lengths_of_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                              const struct ff_cuda_parts *parts, double *pieces, double *answer);
/* Likewise Re <z, gradient>, Re <z, last>, Re <direction, gradient>. */
bool ff_cuda_turn_terms_of_parts(struct ff_cuda_calls *calls, cudaStream_t stream,
                                 const struct ff_cuda_parts *parts, double *pieces, double *answer);

/* The last step of both, for numbers of `count` parts whose pieces anybody left: sums over the pieces, in order. */
bool ff_cuda_add_pieces(struct ff_cuda_calls *calls, cudaStream_t stream, uint32_t count,
                        const double *pieces, double *answer);

#ifdef __cplusplus
}
#endif

#endif
