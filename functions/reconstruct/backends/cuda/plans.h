/*
 * functions/reconstruct/backends/cuda/plans.h: plans of cuFFT that outlive a run. The runner of a lease makes one call after the
 * other in one process, often of one shape: making the plans again would take longer than the first epochs.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PLANS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_PLANS_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stddef.h>

/* What a plan transforms: `count` waves of (size[0], size[1]), one behind the other, on a device. */
struct ff_cuda_plan_shape {
    int device;
    int size[2];
    size_t count;
};

struct ff_cuda_plan {
    struct ff_cuda_plan_shape shape;
    cufftHandle handle; /* without a work area, and of no stream */
    size_t area_bytes;  /* that it needs of one */
};

/* True when one of the shape was kept; it is then the caller's. Any thread. */
bool ff_cuda_plans_take(const struct ff_cuda_plan_shape *shape, struct ff_cuda_plan *plan);

/* Keeps the caller's plan; nothing may be queued that uses it. The one kept longest goes where there are too many, and none is kept
 * of a device that failed. Any thread whose device is that of `calls`. */
void ff_cuda_plans_keep(struct ff_cuda_calls *calls, const struct ff_cuda_plan *plan);

/* Destroys all that are kept. */
void ff_cuda_plans_drop(void);

#endif
