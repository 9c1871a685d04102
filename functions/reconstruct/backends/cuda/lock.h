/*
 * functions/reconstruct/backends/cuda/lock.h: memory of the host that several devices read, page-locked once.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LOCK_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_LOCK_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>

/* Page-locks [address, address + size) for every device, unless a device before this one has. FF_NO_MEMORY where the system does
 * not allow it. Any thread. */
int ff_cuda_lock(struct ff_cuda_calls *calls, const void *address, size_t size,
                 struct ff_error *error) FF_MUST_USE;

/* The last one that says so unlocks it. */
void ff_cuda_unlock(struct ff_cuda_calls *calls, const void *address);

#endif
