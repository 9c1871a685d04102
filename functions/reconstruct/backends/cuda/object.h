/*
 * functions/reconstruct/backends/cuda/object.h: the border between the programs and the CUDA backend, which is a shared
 * object of its own (lib/farfield/backends/cuda.so): only it knows CUDA, and it is loaded only where devices are wanted.
 * It exports one symbol, `farfield_cuda`.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_OBJECT_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_OBJECT_H

#include "functions/reconstruct/backends/backend.h"

enum { FF_CUDA_DEVICES_MAX = 32, FF_CUDA_CAPABILITY_MIN = 8 /* the major number: Ampere */ };

/* A device that CUDA shows to this process, within CUDA_VISIBLE_DEVICES. */
struct ff_cuda_device {
    char name[128];
    char uuid[41]; /* "GPU-8f1c…", as in leases */
    uint64_t memory_bytes;
    int major, minor; /* compute capability */
    int number;       /* among the visible ones, as CUDA counts them */
    char why[128];    /* why it cannot be used; "" where it can */
};

struct ff_cuda_found {
    int driver, runtime; /* 13000 is CUDA 13.0 */
    unsigned count;      /* of devices */
    unsigned usable;     /* those that can be used; device n of a run is the n-th of them */
    struct ff_cuda_device devices[FF_CUDA_DEVICES_MAX];
};

struct ff_cuda_object {
    uint32_t size; /* of this structure */
    const char
        *abi; /* FF_CUDA_ABI of its build: of another one, nothing behind it may be touched */
    const struct ff_backend_operations *operations;
    /* What there is. FF_NO_DEVICE, with the reason, where CUDA finds no device or cannot be used at all; devices that are
     * there and cannot be used are no error. */
    int (*find)(struct ff_cuda_found *found, struct ff_error *error);
};

#endif
