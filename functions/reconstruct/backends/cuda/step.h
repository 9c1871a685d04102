/*
 * functions/reconstruct/backends/cuda/step.h: steps of one part, object or probe, with settled sums on one device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_STEP_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_STEP_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/calls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
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
    float gain; /* of the preconditioner of conjugate gradients */
};

/* value += length × gradient / D(weight). */
bool ff_cuda_step_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                       float length);
/* velocity ← momentum × velocity + length × gradient / D; value += velocity. */
bool ff_cuda_accelerate_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                             const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                             float length, float momentum);
/* gradient ← gradient / D. */
bool ff_cuda_normalise_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_part *part, struct ff_cuda_divisor divisor);
/* direction ← z + β direction with z = gain gradient / √(weight² + (α max)²); last ← gradient. */
bool ff_cuda_turn_part(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_part *part, struct ff_cuda_divisor divisor, float beta);

/* Numbers for all pixels that count, into pieces (FF_CUDA_ANSWER_PIECES, FF_CUDA_ANSWER_NUMBERS):
 * Σ |gradient|²/D, Σ |gradient|² weight/D². */
bool ff_cuda_length_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                           double *pieces);
/* Re <z, gradient>, Re <z, last>, Re <direction, gradient>. */
bool ff_cuda_turn_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_part *part, struct ff_cuda_divisor divisor,
                         double *pieces);
/* answer[i] = Σ of the pieces, in order; `answer` is pinned. */
bool ff_cuda_add_pieces(struct ff_cuda_calls *calls, cudaStream_t stream, const double *pieces,
                        double *answer);

#ifdef __cplusplus
}
#endif

#endif
