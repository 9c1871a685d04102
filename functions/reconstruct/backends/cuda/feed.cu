/* Counts from the host, chunk by chunk. */
#include "functions/reconstruct/backends/cuda/feed.h"
#include "functions/reconstruct/backends/cuda/launch.cuh"

#include <algorithm>

namespace
{

constexpr uint32_t THREADS = 256;
constexpr uint32_t BLOCKS_MOST =
    32; /* enough for the bus; the others of the device go on computing */

/* A block takes every so many-th frame. Reads of a warp are one behind the other: whole packets of the bus. */
template <typename T>
__global__ void __launch_bounds__(THREADS)
    fetch_frames(const T *from, const uint32_t *numbers, const uint32_t *patterns, uint32_t count,
                 size_t values, T *to)
{
    for (uint32_t i = blockIdx.x; i < count; i += gridDim.x) {
        const T *frame = from + static_cast<size_t>(numbers[patterns[i]]) * values;
        for (size_t at = threadIdx.x; at < values; at += THREADS)
            to[i * values + at] = frame[at];
    }
}

template <typename T>
bool fetch(struct ff_cuda_calls *calls, cudaStream_t stream, const void *from,
           const uint32_t *numbers, const uint32_t *patterns, uint32_t count, size_t size, void *to)
{
    return ff_cuda_launch(calls, stream, dim3(std::min(count, BLOCKS_MOST)), dim3(THREADS), 0,
                          fetch_frames<T>, "fetch_frames", static_cast<const T *>(from), numbers,
                          patterns, count, size / sizeof(T), static_cast<T *>(to));
}

} // namespace

bool ff_cuda_fetch_frames(struct ff_cuda_calls *calls, cudaStream_t stream, const void *from,
                          const uint32_t *numbers, const uint32_t *patterns, uint32_t count,
                          size_t size, size_t unit, void *to)
{
    if (size % sizeof(uint4) == 0 && reinterpret_cast<uintptr_t>(from) % sizeof(uint4) == 0)
        return fetch<uint4>(calls, stream, from, numbers, patterns, count, size, to);
    if (unit == sizeof(float))
        return fetch<float>(calls, stream, from, numbers, patterns, count, size, to);
    return fetch<uint16_t>(calls, stream, from, numbers, patterns, count, size, to);
}
