/*
 * worker/gpu/nvml.h: the NVIDIA management library, loaded where it is; no header or library of NVIDIA is needed to build.
 */
#ifndef FF_WORKER_GPU_NVML_H
#define FF_WORKER_GPU_NVML_H

#include "worker/gpu/devices.h"

/* Fills devices and links. -1 when there is no library or it finds no driver. */
int ff_nvml_find(struct ff_gpu_devices *devices);

#endif
