/*
 * functions/reconstruct/backends/cuda/memory.h: what a backend has allocated on its device and, page-locked, on the host. All is
 * given back at once.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_MEMORY_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_MEMORY_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stdbool.h>
#include <stddef.h>

struct ff_cuda_block {
    void *address;
    bool pinned;
};

struct ff_cuda_memory {
    struct ff_cuda_block *blocks;
    size_t count, limit;
    size_t device_bytes, pinned_bytes; /* held */
    bool overflowed;                   /* something roomy lies on the host */
};

/* Room for count × size bytes on the device that `calls` drives: zero, once `stream` has come there. At least a byte, so
 * that nothing is not taken for failure. NULL: an error that names `what`, how much it would take and what is free. */
void *ff_cuda_device(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls,
                     cudaStream_t stream, size_t count, size_t size, const char *what,
                     struct ff_error *error) FF_MUST_USE;

/* The same, page-locked on the host, where kernels can read and write it too. Zero. */
void *ff_cuda_pinned(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls, size_t count,
                     size_t size, const char *what, struct ff_error *error) FF_MUST_USE;

/* What is kept of every pattern: on the device while a thirty-second of its memory stays free beside it, else page-locked on
 * the host, where kernels read and write it over the bus: slower, with the same result. Zero. */
void *ff_cuda_roomy(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls, cudaStream_t stream,
                    size_t count, size_t size, const char *what,
                    struct ff_error *error) FF_MUST_USE;

/* Whether what was taken so lies on the host. */
bool ff_cuda_is_pinned(const struct ff_cuda_memory *memory, const void *address);

/* Whether so many bytes more fit on the device. */
bool ff_cuda_fits(struct ff_cuda_calls *calls, size_t bytes);

/* Gives all back. Nothing may be queued that uses it. */
void ff_cuda_memory_release(struct ff_cuda_memory *memory, struct ff_cuda_calls *calls);

#endif
