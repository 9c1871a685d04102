/*
 * functions/reconstruct/backends/cuda/complex.cuh: complex numbers in kernels.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_COMPLEX_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_COMPLEX_CUH

#include "functions/reconstruct/backends/cuda/launch.cuh"

/* a b */
__device__ inline float2 times(float2 a, float2 b)
{
    return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

/* a* b */
__device__ inline float2 conjugate_times(float2 a, float2 b)
{
    return make_float2(a.x * b.x + a.y * b.y, a.x * b.y - a.y * b.x);
}

__device__ inline float2 plus(float2 a, float2 b)
{
    return make_float2(a.x + b.x, a.y + b.y);
}

__device__ inline float2 scaled(float factor, float2 a)
{
    return make_float2(factor * a.x, factor * a.y);
}

/* |a|² */
__device__ inline float square_of(float2 a)
{
    return a.x * a.x + a.y * a.y;
}

/* Re a* b */
__device__ inline float real_product(float2 a, float2 b)
{
    return a.x * b.x + a.y * b.y;
}

#endif
