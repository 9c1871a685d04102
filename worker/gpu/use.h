/*
 * worker/gpu/use.h: whether reconstructions can use the GPUs that are here.
 */
#ifndef FF_WORKER_GPU_USE_H
#define FF_WORKER_GPU_USE_H

#include "protocol/core/error.h"

#include <stdbool.h>

/* Prints what `farfield doctor --gpus` says: lines, or one JSON object. That is a process of its own, because it loads CUDA
 * and the driver, which nothing of the worker does. */
int ff_gpu_use_print(bool json, struct ff_error *error) FF_MUST_USE;

#endif
