/*
 * functions/reconstruct/backends/cuda/load.h: the CUDA backend, loaded when devices are wanted. Knows nothing of CUDA: a
 * machine without driver, device or toolkit loses nothing but them.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LOAD_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_LOAD_H

#include "functions/reconstruct/backends/cuda/object.h"

/* Whether the driver's library can be loaded: without it no more need be tried. Cheap. */
bool ff_cuda_has_driver(void);

/*
 * Loads the backend (with cuFFT: about 90 ms and 300 MB of address space, once a process; it stays, and so do the devices'
 * contexts, for the next call) and finds the devices. FF_NO_DEVICE, and in words why: no driver, no backend in this
 * installation or one of another build, no cuFFT, a driver that is too old, no device. `found` may hold no device that
 * can be used.
 */
int ff_cuda_load(const struct ff_backend_operations **operations, struct ff_cuda_found *found,
                 struct ff_error *error) FF_MUST_USE;

/* Why none of the devices can be used, as an error: FF_NO_DEVICE. Returns -1. */
int ff_cuda_fail_unusable(const struct ff_cuda_found *found, struct ff_error *error);

#endif
