/* occupancy: reads lines `MAJOR THREADS REGISTERS SHARED_BYTES` (compute capability, threads of a block, registers of a
 * thread, shared memory of a block) and prints for each how much of a multiprocessor's threads run at once, in percent. By the
 * toolkit's own cuda_occupancy.h, with the figures of A100 (8) and H100 (9) written out: no device is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime_api.h>
/* Has defaults for C++ alone. */
#include <cuda_occupancy.h>

static int percent(int major, int threads, int registers, size_t shared)
{
    cudaOccDeviceProp properties = {
        .computeMajor = major,
        .maxThreadsPerBlock = 1024,
        .maxThreadsPerMultiprocessor = 2048,
        .regsPerBlock = 65536,
        .regsPerMultiprocessor = 65536,
        .warpSize = 32,
        .sharedMemPerBlock = 48 << 10,
        .sharedMemPerMultiprocessor = (size_t)(major >= 9 ? 228 : 164) << 10,
        .numSms = major >= 9 ? 132 : 108,
        .sharedMemPerBlockOptin = (size_t)(major >= 9 ? 227 : 163) << 10,
        .reservedSharedMemPerBlock = 1024,
    };
    cudaOccFuncAttributes attributes = {
        .maxThreadsPerBlock = threads,
        .numRegs = registers,
        .shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN,
        .maxDynamicSharedSizeBytes = shared,
    };
    cudaOccDeviceState state = {.cacheConfig = CACHE_PREFER_NONE, .carveoutConfig = 100};
    cudaOccResult result;
    if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &properties, &attributes, &state, threads,
                                                shared) != CUDA_OCC_SUCCESS)
        return -1;
    return result.activeBlocksPerMultiprocessor * threads * 100 / 2048;
}

int main(void)
{
    int major, threads, registers;
    size_t shared;
    while (scanf("%d %d %d %zu", &major, &threads, &registers, &shared) == 4) {
        int found = percent(major, threads, registers, shared);
        if (found < 0) {
            fprintf(stderr, "occupancy: %d %d %d %zu: not a block that runs\n", major, threads,
                    registers, shared);
            return 1;
        }
        printf("%d\n", found);
    }
    return feof(stdin) ? 0 : 1;
}
