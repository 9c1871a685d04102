/*
 * functions/reconstruct/backends/cuda/lifted.cuh: the weights that steps are divided by.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LIFTED_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_LIFTED_CUH

#include "functions/reconstruct/backends/cuda/launch.cuh"

/* share × weight + floor. The floor is above zero, so that what no pattern reached is divided by something. */
__device__ inline float lifted(float share, float weight, float floor)
{
    return share * weight + fmaxf(floor, 1e-30F);
}

#endif
