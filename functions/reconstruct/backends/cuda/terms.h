/*
 * functions/reconstruct/backends/cuda/terms.h: the numbers of each pattern that need its χ, enum ff_terms, on one device.
 *
 * The probe's window is cut into pieces; a block adds up one piece of one exposure, and then the pieces are added in their
 * order. A thread's few pixels are added in float, everything beyond in double.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_TERMS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_TERMS_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/exposure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FF_CUDA_SLOPE_NUMBERS = 5,   /* of an exposure: FF_TERMS_POSITIONS */
    FF_CUDA_STRAIN_NUMBERS = 19, /* FF_TERMS_STRAINS */
};

/* So many pieces is a window cut into. */
uint32_t ff_cuda_term_pieces(const struct ff_cuda_shape *shape);

/* Numbers of FF_TERMS_WEIGHTS. */
static inline uint32_t ff_cuda_weight_numbers(const struct ff_cuda_shape *shape)
{
    return shape->eigenprobes + shape->eigenprobes * (shape->eigenprobes + 1) / 2;
}

/* What a chunk's numbers are made of. */
struct ff_cuda_terms {
    const float2 *waves;  /* (count, fly, modes, frame): χ */
    const float2 *object; /* of the tile */
    struct ff_cuda_probes probes;
    double *numbers; /* (count, fly, pieces, so many as are asked for): written */
};

/* FF_CUDA_SLOPE_NUMBERS of each piece. */
bool ff_cuda_slope_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms);
/* FF_CUDA_SLOPE_NUMBERS and behind them FF_CUDA_STRAIN_NUMBERS of each piece. */
bool ff_cuda_strain_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms);
/* ff_cuda_weight_numbers() of each piece; the probes hold the eigenprobes. */
bool ff_cuda_weight_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms);

/* What becomes of the numbers of pieces: those [from, from + count) of `each` are added over the pieces, and stand from `to` on in
 * the rows of their patterns. */
struct ff_cuda_rows {
    const double *numbers; /* (count of the chunk, groups, pieces, each) */
    uint32_t groups;       /* of a pattern with numbers of their own */
    uint32_t pieces, each;
    uint32_t from, count;
    double *rows; /* (all patterns, groups, width) */
    uint32_t to, width;
};

bool ff_cuda_add_rows(struct ff_cuda_calls *calls, cudaStream_t stream,
                      const struct ff_cuda_chunk *chunk, const struct ff_cuda_rows *rows);

#ifdef __cplusplus
}
#endif

#endif
