/*
 * functions/reconstruct/backends/cuda/reduce.cuh: numbers of a whole block from those of its threads, in an order that depends on nothing.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_REDUCE_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_REDUCE_CUH

#include "functions/reconstruct/backends/cuda/launch.cuh"

/* Σ over the threads of a warp, in all of them. */
__device__ inline double warp_sum(double value)
{
    for (int distance = 16; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}

/* sums[i] = Σ over all threads of values[i], for thread 0 alone; other threads' sums are left. THREADS is a multiple of 32, all of
 * them call, and `room` is shared. They may call again with the same room. */
template <unsigned THREADS, unsigned COUNT>
__device__ void block_sums(const double (&values)[COUNT], double (&room)[COUNT][THREADS / 32],
                           unsigned thread, double (&sums)[COUNT])
{
    for (unsigned i = 0; i < COUNT; i++) {
        double sum = warp_sum(values[i]);
        if (thread % 32 == 0)
            room[i][thread / 32] = sum;
    }
    __syncthreads();
    for (unsigned i = 0; thread == 0 && i < COUNT; i++) {
        sums[i] = 0;
        for (unsigned warp = 0; warp < THREADS / 32; warp++)
            sums[i] += room[i][warp];
    }
    __syncthreads();
}

/* Block b of the grid leaves its sums in piece b of (blocks, COUNT). As block_sums(). */
template <unsigned THREADS, unsigned COUNT>
__device__ void leave_piece(const double (&values)[COUNT], double (&room)[COUNT][THREADS / 32],
                            double *pieces)
{
    double sums[COUNT];
    block_sums<THREADS>(values, room, threadIdx.x, sums);
    for (unsigned k = 0; threadIdx.x == 0 && k < COUNT; k++)
        pieces[blockIdx.x * COUNT + k] = sums[k];
}

/* Block b leaves zeros there, and may end: it has no values. */
template <unsigned COUNT> __device__ void leave_zeros(double *pieces)
{
    if (threadIdx.x < COUNT)
        pieces[blockIdx.x * COUNT + threadIdx.x] = 0;
}

/* The greatest of what the threads of a warp have, in all of them. */
__device__ inline float warp_greatest(float value)
{
    for (int distance = 16; distance > 0; distance /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, distance));
    return value;
}

/* Joined into *most, at least 0, whatever the order of blocks: non-negative numbers are in the order of their bits. */
__device__ inline void join_one(float value, unsigned *most)
{
    atomicMax(most, __float_as_uint(value));
}

/* The greatest of what all threads have, joined. */
template <unsigned THREADS>
__device__ void join_greatest(float value, float (&room)[THREADS / 32], unsigned thread,
                              unsigned *most)
{
    value = warp_greatest(value);
    if (thread % 32 == 0)
        room[thread / 32] = value;
    __syncthreads();
    if (thread == 0) {
        for (unsigned warp = 1; warp < THREADS / 32; warp++)
            value = fmaxf(value, room[warp]);
        join_one(value, most);
    }
    __syncthreads();
}

#endif
