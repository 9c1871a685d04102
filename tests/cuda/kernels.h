/*
 * tests/cuda/kernels.h: small kernels that the tests of the stand-in start, some of them wrong on purpose.
 */
#ifndef FF_TESTS_CUDA_KERNELS_H
#define FF_TESTS_CUDA_KERNELS_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* to[i] = from[i] + add. Either may lie on any device. A thread an element. */
bool kernel_add(struct ff_cuda_calls *calls, cudaStream_t stream, float *to, const float *from,
                float add, size_t count);
/* The same with a grid of the shape given, whatever it is. */
bool kernel_add_in(struct ff_cuda_calls *calls, cudaStream_t stream, dim3 grid, dim3 block,
                   float *to, const float *from, size_t count);

/* Likewise, and looks at no failure. */
void kernel_add_unchecked(cudaStream_t stream, dim3 grid, float *to, const float *from,
                          size_t count);

/* sums[b] = the sum of the 256 values of block b: by a tree in static shared memory, or in dynamic shared memory, or
 * by shuffles. A wrong tree lacks the barrier between its levels. */
enum kernel_sum { SUM_TREE, SUM_TREE_WITHOUT_BARRIER, SUM_DYNAMIC, SUM_SHUFFLES };
bool kernel_sum(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_sum how, float *sums,
                const float *values, size_t blocks);

/* bins[value % bin_count] += 1 for each value, with atomics. `wrong`: without. */
bool kernel_histogram(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *bins,
                      size_t bin_count, const unsigned *values, size_t count, bool wrong);

/* What lanes get of each other: 7 × 64 numbers: shuffles by index, up, down, xor, within halves of a warp, a vote, and a
 * count of the block. */
bool kernel_lanes(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *found);
/* A block of 80 threads: the last warp has 16 lanes. found[i] = sum of the lane numbers of its warp. */
bool kernel_partial_warp(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *found);

/* Waits at a barrier in one branch only; ends half of the threads before one; leaves lanes out of a mask. */
enum kernel_divergence { DIVERGE_BRANCH, DIVERGE_RETURN, DIVERGE_MASK, DIVERGE_WARP };
bool kernel_diverge(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_divergence how,
                    float *at);

/* Writes one element behind `count` of static shared memory (8), or dynamic, or behind a buffer of the device. */
enum kernel_overrun { OVERRUN_SHARED, OVERRUN_DYNAMIC, OVERRUN_BUFFER };
bool kernel_overrun(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_overrun where,
                    float *buffer, unsigned count);

/* Two blocks of 32 threads: to[i] = what static shared memory held before anybody wrote it, then to[64 + i] likewise of
 * dynamic. */
bool kernel_unwritten(struct ff_cuda_calls *calls, cudaStream_t stream, float *to);

/* Asks for so much dynamic shared memory, and uses the last of it. `allowed`: after asking for the room. */
bool kernel_much_shared(struct ff_cuda_calls *calls, cudaStream_t stream, int bytes, bool allowed,
                        float *to);

#ifdef __cplusplus
}
#endif

#endif
