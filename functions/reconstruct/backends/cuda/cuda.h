/*
 * functions/reconstruct/backends/cuda/cuda.h: the backend for NVIDIA devices, as the table of backends/backend.h.
 *
 * A device of its number each: struct ff_backend_plan. After the first failure a backend asks nothing more of its device; its
 * numbers are then 0, and take_cost() tells what it was: FF_NO_MEMORY, or FF_NO_DEVICE with the device and the call.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_CUDA_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_CUDA_H

#include "functions/reconstruct/backends/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct ff_backend_operations ff_backend_cuda;

#ifdef __cplusplus
}
#endif

#endif
