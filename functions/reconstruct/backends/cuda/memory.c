#include "functions/reconstruct/backends/cuda/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A place for a further block, or NULL. */
static struct ff_cuda_block *next_block(struct ff_cuda_memory *memory)
{
    if (memory->count == memory->limit) {
        size_t limit = 2 * memory->limit + 32;
        struct ff_cuda_block *blocks = realloc(memory->blocks, limit * sizeof *blocks);
        if (blocks == NULL)
            return NULL;
        memory->blocks = blocks;
        memory->limit = limit;
    }
    return &memory->blocks[memory->count];
}

/* A failure to allocate, with how much there is. The calls are then as good as before: nothing was queued. */
static void *fail_memory(struct ff_cuda_calls *calls, size_t size, const char *what,
                         struct ff_error *error)
{
    size_t available = 0;
    size_t total = 0;
    bool short_of_memory = calls->first == cudaErrorMemoryAllocation;
    if (short_of_memory && cudaMemGetInfo(&available, &total) == cudaSuccess)
        ff_fail(error, FF_NO_MEMORY,
                "device %d: no memory for %s: %.1f MB wanted, %.1f MB of %.1f MB are free",
                calls->device, what, (double)size / 1e6, (double)available / 1e6,
                (double)total / 1e6);
    else if (ff_cuda_report(calls, error) == 0)
        ff_fail(error, FF_NO_MEMORY, "no memory for %s", what);
    return NULL;
}

static size_t size_of(size_t count, size_t size)
{
    if (count > 0 && size > SIZE_MAX / 2 / count)
        return SIZE_MAX / 2; /* fails with the amount in words */
    return count * size > 0 ? count * size : 1;
}

void *ff_cuda_device(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls,
                     cudaStream_t stream, size_t count, size_t size, const char *what,
                     struct ff_error *error)
{
    size_t bytes = size_of(count, size);
    struct ff_cuda_block *block = next_block(memory);
    void *address = NULL;
    if (block == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %s", what);
        return NULL;
    }
    if (!FF_CUDA(calls, cudaMalloc(&address, bytes)))
        return fail_memory(calls, bytes, what, error);
    *block = (struct ff_cuda_block){address, false};
    memory->count++;
    memory->device_bytes += bytes;
    if (!FF_CUDA(calls, cudaMemsetAsync(address, 0, bytes, stream)))
        return fail_memory(calls, bytes, what, error);
    return address;
}

void *ff_cuda_pinned(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls, size_t count,
                     size_t size, const char *what, struct ff_error *error)
{
    size_t bytes = size_of(count, size);
    struct ff_cuda_block *block = next_block(memory);
    void *address = NULL;
    if (block == NULL || !FF_CUDA(calls, cudaMallocHost(&address, bytes)) || address == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no page-locked memory for %s: %.1f MB wanted", what,
                (double)bytes / 1e6);
        return NULL;
    }
    memset(address, 0, bytes);
    *block = (struct ff_cuda_block){address, true};
    memory->count++;
    memory->pinned_bytes += bytes;
    return address;
}

/* Left free beside all that was allocated: plans of other batch sizes take some, and so does the driver. */
#define LEFT_FREE(total) ((total) / 32)

bool ff_cuda_fits(struct ff_cuda_calls *calls, size_t bytes)
{
    size_t available = 0;
    size_t total = 0;
    return FF_CUDA(calls, cudaMemGetInfo(&available, &total)) && bytes <= available &&
           LEFT_FREE(total) <= available - bytes;
}

void *ff_cuda_roomy(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls, cudaStream_t stream,
                    size_t count, size_t size, const char *what, struct ff_error *error)
{
    if (ff_cuda_fits(calls, size_of(count, size)))
        return ff_cuda_device(memory, calls, stream, count, size, what, error);
    memory->overflowed = true;
    return ff_cuda_pinned(memory, calls, count, size, what, error);
}

bool ff_cuda_is_pinned(const struct ff_cuda_memory *memory, const void *address)
{
    for (size_t i = 0; i < memory->count; i++)
        if (memory->blocks[i].address == address)
            return memory->blocks[i].pinned;
    return false;
}

void ff_cuda_memory_release(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls)
{
    for (size_t i = memory->count; i-- > 0;) {
        const struct ff_cuda_block *block = &memory->blocks[i];
        if (block->pinned)
            FF_CUDA_ALWAYS(calls, cudaFreeHost(block->address));
        else
            FF_CUDA_ALWAYS(calls, cudaFree(block->address));
    }
    free(memory->blocks);
    *memory = (struct ff_cuda_memory){0};
}
