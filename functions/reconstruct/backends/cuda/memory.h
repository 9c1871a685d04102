/*
 * functions/reconstruct/backends/cuda/memory.h: what a backend has allocated on its device and, page-locked, on the host. All is
 * given back at once.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_MEMORY_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_MEMORY_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>

struct ff_cuda_block {
    void *address;
    bool pinned;
};

struct ff_cuda_memory {
    struct ff_cuda_block *blocks;
    size_t count, limit;
    size_t device_bytes, pinned_bytes; /* held */
};

/* Room for count × size bytes on the device that `calls` drives: zero, once `stream` has come there. At least a byte, so
 * that nothing is not taken for failure. NULL: an error that names `what`, how much it would take and what is free. */
void *ff_cuda_device(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls,
                     cudaStream_t stream, size_t count, size_t size, const char *what,
                     struct ff_error *error) FF_MUST_USE;

/* The same, page-locked on the host, where kernels can read and write it too. Zero. */
void *ff_cuda_pinned(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls, size_t count,
                     size_t size, const char *what, struct ff_error *error) FF_MUST_USE;

/* Gives all back. Nothing may be queued that uses it. */
void ff_cuda_memory_release(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls);

#endif
