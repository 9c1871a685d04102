/* The near field's filter. */
#include "functions/reconstruct/backends/cuda/complex.cuh"
#include "functions/reconstruct/backends/cuda/propagate.h"

namespace
{

constexpr uint32_t THREADS = 256;

__global__ void __launch_bounds__(THREADS)
    filter(float2 *waves, uint32_t pieces, size_t size, const float2 *transfer, bool conjugate)
{
    size_t at = static_cast<size_t>(blockIdx.x % pieces) * THREADS + threadIdx.x;
    if (at >= size)
        return;
    float2 *wave = waves + blockIdx.x / pieces * size + at;
    float2 h = transfer[at];
    *wave = conjugate ? conjugate_times(h, *wave) : times(h, *wave);
}

} // namespace

bool ff_cuda_filter(struct ff_cuda_calls *calls, cudaStream_t stream, float2 *waves, size_t count,
                    size_t size, const float2 *transfer, bool conjugate)
{
    uint32_t pieces = static_cast<uint32_t>((size + THREADS - 1) / THREADS);
    return ff_cuda_launch(calls, stream, dim3(static_cast<uint32_t>(count) * pieces), dim3(THREADS),
                          0, filter, "filter", waves, pieces, size, transfer, conjugate);
}
