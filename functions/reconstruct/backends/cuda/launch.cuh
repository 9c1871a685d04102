/*
 * functions/reconstruct/backends/cuda/launch.cuh: the border between the backend and what runs it. Every .cu of the
 * backend includes this first. Under nvcc a kernel is started on the device. Any other compiler is asked for a header
 * that offers the device's built-ins on the CPU; the tests have one (tests/cuda/README.md), and the same sources
 * then run there.
 *
 * What differs between the two is written here, and nowhere else:
 *   ff_cuda_launch()        instead of <<<…>>>
 *   FF_DYNAMIC_SHARED()     instead of extern __shared__
 *   ff_cuda_room()          for kernels that want more than 48 KiB of it
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LAUNCH_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_LAUNCH_CUH

#include "functions/reconstruct/backends/cuda/calls.h"

#include <utility>

#include <cuda_runtime.h>

#ifdef __CUDACC__

/* Declares `T *name`, the dynamic shared memory of the block, aligned to 16 bytes. The name behind it is one for all
 * kernels of a file, so these may take it as different types. */
#define FF_DYNAMIC_SHARED(T, name)                                                                 \
    extern __shared__ __align__(16) unsigned char ff_dynamic_shared[];                             \
    T *const name = reinterpret_cast<T *>(ff_dynamic_shared)

template <typename... Parameters, typename... Arguments>
cudaError_t ff_cuda_start(cudaStream_t stream, dim3 grid, dim3 block, size_t shared_bytes,
                          const char *, void (*kernel)(Parameters...), Arguments &&...arguments)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

#else
#include <ff_cuda_on_cpu.h>
#endif

/* Queues `kernel` (named `name` in messages) on a stream of the device that this host thread drives. Arguments are
 * copied before it returns. True when it was queued; nothing is queued after a failure. */
template <typename... Parameters, typename... Arguments>
bool ff_cuda_launch(struct ff_cuda_calls *calls, cudaStream_t stream, dim3 grid, dim3 block,
                    size_t shared_bytes, void (*kernel)(Parameters...), const char *name,
                    Arguments &&...arguments)
{
    return !calls->failed &&
           ff_cuda_check(calls,
                         ff_cuda_start(stream, grid, block, shared_bytes, name, kernel,
                                       std::forward<Arguments>(arguments)...),
                         name);
}

/* Lets `kernel` have up to `shared_bytes` of dynamic shared memory: needed once for each device above 48 KiB. */
template <typename... Parameters>
bool ff_cuda_room(struct ff_cuda_calls *calls, void (*kernel)(Parameters...), int shared_bytes)
{
    return FF_CUDA(calls,
                   cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel),
                                        cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes));
}

#endif
