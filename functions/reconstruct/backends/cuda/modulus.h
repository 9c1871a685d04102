/*
 * functions/reconstruct/backends/cuda/modulus.h: waves at the detector against what was measured there, on one device.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_MODULUS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_MODULUS_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked of a pattern: χ of backend.h by either noise, or the proximal map of struct ff_projection. */
enum ff_cuda_asked { FF_CUDA_LEAST_SQUARES, FF_CUDA_LIKELIHOOD, FF_CUDA_PROXIMAL };

/* Numbers that each piece of a pattern leaves: Σ (√I - √d)², the objective, Σ √(I d), Σ I over measured pixels. */
enum { FF_CUDA_PIECE_NUMBERS = 4 };

struct ff_cuda_modulus {
    enum ff_cuda_asked asked;
    struct ff_cuda_frames counts;
    const uint8_t *measured; /* (frame): 1 where pixels count; NULL: all do */
    float2 *
        waves; /* (count, fly, modes, frame): F / scale; becomes the transform of χ, ready for the inverse */
    float2 *kept;        /* (all patterns, fly, modes, frame), by number, or NULL */
    uint32_t from_kept;  /* 1: F is read there instead; 0: it is written there, if there is such */
    uint32_t cost_alone; /* 1: waves are left as they are */
    uint32_t scales_wanted; /* 1: the last two numbers are formed as well */
    float scale;            /* of F: waves × scale; 1 for those kept */
    float back;             /* what the inverse transform of F / scale must be multiplied with */
    float bound;            /* FF_CHI_BOUND, or 0: none */
    double *numbers;        /* (count, pieces, FF_CUDA_PIECE_NUMBERS): written */
};

/* So many pieces is a pattern cut into. */
uint32_t ff_cuda_modulus_pieces(const struct ff_cuda_shape *shape);

bool ff_cuda_apply_modulus(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk,
                           const struct ff_cuda_modulus *modulus);

/* What becomes of the numbers of a batch's pieces. */
struct ff_cuda_gathered {
    const uint32_t *patterns; /* (count of the batch) */
    uint32_t count, pieces;
    const double *numbers; /* (count, pieces, FF_CUDA_PIECE_NUMBERS) */
    double *costs;         /* (all patterns): Σ (√I - √d)² of each, set */
    double *cost_sums;     /* (all patterns, 2): both costs of each, added to */
    double *scales;        /* (all patterns, 2): set, or NULL */
};

/* Sums over the pieces of each pattern, in order. */
bool ff_cuda_gather_numbers(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_gathered *gathered);

/* answer[0], answer[1] = the sums of (patterns, 2) costs, which become zero; `answer` is pinned. */
bool ff_cuda_take_costs(struct ff_cuda_calls *calls, cudaStream_t stream, double *cost_sums,
                        size_t patterns, double *answer);

#ifdef __cplusplus
}
#endif

#endif
