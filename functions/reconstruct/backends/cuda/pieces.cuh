/*
 * functions/reconstruct/backends/cuda/pieces.cuh: kernels that add up numbers over the probe's window of each exposure. A block has a piece of one
 * window; a thread's few pixels of it are added in float, everything beyond in double (terms.h).
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PIECES_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_PIECES_CUH

#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/terms.h"

constexpr uint32_t FF_PIECE_THREADS = 256;
constexpr uint32_t FF_PIECE_PIXELS = 8 * FF_PIECE_THREADS;

/* What a block has: its threads take every FF_PIECE_THREADS-th pixel. */
struct ff_piece {
    uint32_t exposure, from, end;
};

__device__ inline struct ff_piece piece_of(const struct ff_cuda_shape &shape, uint32_t block,
                                           uint32_t pieces)
{
    uint32_t from = block % pieces * FF_PIECE_PIXELS;
    uint32_t size = shape.rows * shape.columns;
    return {block / pieces, from, from + FF_PIECE_PIXELS < size ? from + FF_PIECE_PIXELS : size};
}

/* What a block needs of shared memory for COUNT numbers. */
template <unsigned COUNT> struct ff_piece_room {
    double sums[COUNT][FF_PIECE_THREADS / 32];
};

/* numbers[i] = Σ over the threads of values[i], of which it is thread 0 that writes. */
template <unsigned COUNT>
__device__ inline void leave_sums(const float (&values)[COUNT], struct ff_piece_room<COUNT> &room,
                                  double *numbers)
{
    double wide[COUNT], all[COUNT];
    for (uint32_t k = 0; k < COUNT; k++)
        wide[k] = static_cast<double>(values[k]);
    block_sums<FF_PIECE_THREADS>(wide, room.sums, threadIdx.x, all);
    for (uint32_t k = 0; threadIdx.x == 0 && k < COUNT; k++)
        numbers[k] = all[k];
}

#endif
