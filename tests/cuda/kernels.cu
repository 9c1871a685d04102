#include "functions/reconstruct/backends/cuda/launch.cuh"
#include "tests/cuda/kernels.h"

namespace
{

constexpr unsigned BLOCK = 256;

__global__ void add(float *to, const float *from, float value, size_t count)
{
    size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count)
        to[i] = from[i] + value;
}

/* Every block of a grid of any shape: the elements are dealt out to all threads. */
__global__ void add_in(float *to, const float *from, size_t count)
{
    size_t block =
        (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    size_t threads = static_cast<size_t>(blockDim.x) * blockDim.y * blockDim.z;
    size_t thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    size_t all = threads * gridDim.x * gridDim.y * gridDim.z;
    for (size_t i = block * threads + thread; i < count; i += all)
        to[i] = from[i] + 1;
}

template <bool barrier> __device__ void fold(float *shared)
{
    for (unsigned half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            shared[threadIdx.x] += shared[threadIdx.x + half];
        if (barrier)
            __syncthreads();
    }
}

template <bool barrier> __global__ void sum_tree(float *sums, const float *values)
{
    __shared__ float shared[BLOCK];
    shared[threadIdx.x] = values[blockIdx.x * BLOCK + threadIdx.x];
    __syncthreads();
    fold<barrier>(shared);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = shared[0];
    __syncthreads();
}

__global__ void sum_dynamic(float *sums, const float *values)
{
    FF_DYNAMIC_SHARED(float, shared);
    shared[threadIdx.x] = values[blockIdx.x * BLOCK + threadIdx.x];
    __syncthreads();
    fold<true>(shared);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = shared[0];
}

__device__ float sum_of_warp(float value)
{
    for (unsigned delta = 16; delta > 0; delta /= 2)
        value += __shfl_down_sync(0xffffffffU, value, delta);
    return value;
}

__global__ void sum_shuffles(float *sums, const float *values)
{
    __shared__ float warps[BLOCK / 32];
    float value = sum_of_warp(values[blockIdx.x * BLOCK + threadIdx.x]);
    if (threadIdx.x % 32 == 0)
        warps[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
        value = sum_of_warp(threadIdx.x < BLOCK / 32 ? warps[threadIdx.x] : 0);
        if (threadIdx.x == 0)
            sums[blockIdx.x] = value;
    }
}

__global__ void histogram(unsigned *bins, size_t bin_count, const unsigned *values, size_t count)
{
    size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count)
        atomicAdd(&bins[values[i] % bin_count], 1U);
}

__global__ void wrong_histogram(unsigned *bins, size_t bin_count, const unsigned *values,
                                size_t count)
{
    size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count)
        bins[values[i] % bin_count] += 1;
}

__global__ void lanes(unsigned *found)
{
    constexpr unsigned all = 0xffffffffU;
    unsigned i = threadIdx.x, value = 100 + i;
    found[i] = __shfl_sync(all, value, 5);
    found[64 + i] = __shfl_up_sync(all, value, 3);
    found[128 + i] = __shfl_down_sync(all, value, 3);
    found[192 + i] = __shfl_xor_sync(all, value, 6);
    found[256 + i] = __shfl_sync(all, value, 2, 16);
    found[320 + i] = __ballot_sync(all, i % 3 == 0);
    found[384 + i] = static_cast<unsigned>(__syncthreads_count(i < 40));
}

__global__ void partial_warp(unsigned *found)
{
    unsigned count = threadIdx.x < 64 ? 32 : 16, mask = count == 32 ? 0xffffffffU : 0xffffU;
    unsigned sum = threadIdx.x % 32;
    for (unsigned delta = 1; delta < count; delta *= 2)
        sum += __shfl_xor_sync(mask, sum, static_cast<int>(delta));
    found[threadIdx.x] = sum;
}

__global__ void diverge_branch(float *at)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        at[threadIdx.x] = 1;
}

__global__ void diverge_return(float *at)
{
    if (threadIdx.x % 2 == 1)
        return;
    __syncthreads();
    at[threadIdx.x] = 1;
}

__global__ void diverge_mask(float *at)
{
    at[threadIdx.x] = __shfl_sync(0xffffU, at[threadIdx.x], 0);
}

__global__ void diverge_warp(float *at)
{
    if (threadIdx.x % 2 == 0)
        at[threadIdx.x] = __shfl_sync(0xffffffffU, at[threadIdx.x], 0);
    else
        __syncthreads();
}

__global__ void overrun_shared(float *buffer, unsigned count)
{
    __shared__ float shared[8];
    float *volatile at = shared; /* of which the compiler knows nothing more */
    for (unsigned i = 0; i <= count; i++)
        at[i] = buffer[0];
    buffer[1] = shared[0];
}

__global__ void overrun_dynamic(float *buffer, unsigned count)
{
    FF_DYNAMIC_SHARED(float, shared);
    for (unsigned i = 0; i <= count; i++)
        shared[i] = buffer[0];
    buffer[1] = shared[0];
}

__global__ void overrun_buffer(float *buffer, unsigned count)
{
    buffer[count] = 1;
}

__global__ void unwritten(float *to)
{
    constexpr unsigned size = 32;
    __shared__ float shared[size];
    FF_DYNAMIC_SHARED(float, dynamic);
    unsigned i = blockIdx.x * size + threadIdx.x;
    to[i] = shared[threadIdx.x];
    to[2 * size + i] = dynamic[threadIdx.x];
    shared[threadIdx.x] = dynamic[threadIdx.x] = 1;
}

__global__ void much_shared(float *to, int bytes)
{
    FF_DYNAMIC_SHARED(float, shared);
    int last = bytes / 4 - 1;
    shared[last] = 42;
    to[0] = shared[last];
}

unsigned blocks_for(size_t count)
{
    return static_cast<unsigned>((count + BLOCK - 1) / BLOCK);
}

} // namespace

bool kernel_add(struct ff_cuda_calls *calls, cudaStream_t stream, float *to, const float *from,
                float value, size_t count)
{
    return ff_cuda_launch(calls, stream, blocks_for(count), BLOCK, 0, add, "add", to, from, value,
                          count);
}

bool kernel_add_in(struct ff_cuda_calls *calls, cudaStream_t stream, dim3 grid, dim3 block,
                   float *to, const float *from, size_t count)
{
    return ff_cuda_launch(calls, stream, grid, block, 0, add_in, "add_in", to, from, count);
}

void kernel_add_unchecked(cudaStream_t stream, dim3 grid, float *to, const float *from,
                          size_t count)
{
    (void)ff_cuda_start(stream, grid, 1, 0, "add_in", add_in, to, from, count);
}

bool kernel_sum(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_sum how, float *sums,
                const float *values, size_t blocks)
{
    dim3 grid(static_cast<unsigned>(blocks));
    switch (how) {
    case SUM_TREE:
        return ff_cuda_launch(calls, stream, grid, BLOCK, 0, sum_tree<true>, "sum_tree", sums,
                              values);
    case SUM_TREE_WITHOUT_BARRIER:
        return ff_cuda_launch(calls, stream, grid, BLOCK, 0, sum_tree<false>,
                              "sum_tree_without_barrier", sums, values);
    case SUM_DYNAMIC:
        return ff_cuda_launch(calls, stream, grid, BLOCK, BLOCK * sizeof(float), sum_dynamic,
                              "sum_dynamic", sums, values);
    default:
        return ff_cuda_launch(calls, stream, grid, BLOCK, 0, sum_shuffles, "sum_shuffles", sums,
                              values);
    }
}

bool kernel_histogram(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *bins,
                      size_t bin_count, const unsigned *values, size_t count, bool wrong)
{
    return ff_cuda_launch(calls, stream, blocks_for(count), BLOCK, 0,
                          wrong ? wrong_histogram : histogram, "histogram", bins, bin_count, values,
                          count);
}

bool kernel_lanes(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *found)
{
    return ff_cuda_launch(calls, stream, 1, 64, 0, lanes, "lanes", found);
}

bool kernel_partial_warp(struct ff_cuda_calls *calls, cudaStream_t stream, unsigned *found)
{
    return ff_cuda_launch(calls, stream, 1, 80, 0, partial_warp, "partial_warp", found);
}

bool kernel_diverge(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_divergence how,
                    float *at)
{
    void (*const kernels[])(float *) = {diverge_branch, diverge_return, diverge_mask, diverge_warp};
    return ff_cuda_launch(calls, stream, 1, 64, 0, kernels[how], "diverge", at);
}

bool kernel_overrun(struct ff_cuda_calls *calls, cudaStream_t stream, enum kernel_overrun where,
                    float *buffer, unsigned count)
{
    void (*const kernels[])(float *, unsigned) = {overrun_shared, overrun_dynamic, overrun_buffer};
    size_t shared = where == OVERRUN_DYNAMIC ? count * sizeof(float) : 0;
    return ff_cuda_launch(calls, stream, 1, 1, shared, kernels[where], "overrun", buffer, count);
}

bool kernel_unwritten(struct ff_cuda_calls *calls, cudaStream_t stream, float *to)
{
    return ff_cuda_launch(calls, stream, 2, 32, 32 * sizeof(float), unwritten, "unwritten", to);
}

bool kernel_much_shared(struct ff_cuda_calls *calls, cudaStream_t stream, int bytes, bool allowed,
                        float *to)
{
    if (allowed && !ff_cuda_room(calls, much_shared, bytes))
        return false;
    return ff_cuda_launch(calls, stream, 1, 1, static_cast<size_t>(bytes), much_shared,
                          "much_shared", to, bytes);
}
