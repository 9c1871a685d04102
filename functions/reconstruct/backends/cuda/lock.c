#include "functions/reconstruct/backends/cuda/lock.h"

#include <pthread.h>
#include <stdint.h>

/* A run has one problem, and a process seldom more than a run at once. */
enum { RANGES = 16 };

static struct {
    const void *address;
    unsigned users;
} ranges[RANGES];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* The range that begins at `address`; NULL asks for a free one. */
static unsigned find(const void *address)
{
    unsigned i = 0;
    while (i < RANGES && ranges[i].address != address)
        i++;
    return i;
}

static int lock(struct ff_cuda_calls *calls, const void *address, size_t size,
                struct ff_error *error)
{
    unsigned i = find(address);
    if (i < RANGES) {
        ranges[i].users++;
        return 0;
    }
    i = find(NULL);
    if (i == RANGES)
        return ff_fail(error, FF_NO_MEMORY,
                       "too many runs at once whose counts do not fit on a device");
    if (!FF_CUDA(calls, cudaHostRegister((void *)(uintptr_t)address, size,
                                         cudaHostRegisterPortable | cudaHostRegisterMapped))) {
        ff_fail(
            error, FF_NO_MEMORY,
            "%.1f GB of counts do not fit on the device, and cannot be page-locked to come from "
            "the host: %s",
            (double)size / 1e9, calls->text);
        return ff_hint(error, "more devices share them; or raise the limit of locked memory");
    }
    ranges[i].address = address;
    ranges[i].users = 1;
    return 0;
}

int ff_cuda_lock(struct ff_cuda_calls *calls, const void *address, size_t size,
                 struct ff_error *error)
{
    pthread_mutex_lock(&guard);
    int result = lock(calls, address, size, error);
    pthread_mutex_unlock(&guard);
    return result;
}

void ff_cuda_unlock(struct ff_cuda_calls *calls, const void *address)
{
    pthread_mutex_lock(&guard);
    unsigned i = find(address);
    if (i < RANGES && --ranges[i].users == 0) {
        FF_CUDA_ALWAYS(calls, cudaHostUnregister((void *)(uintptr_t)address));
        ranges[i].address = NULL;
    }
    pthread_mutex_unlock(&guard);
}
