/*
 * functions/reconstruct/backends/cuda/find.h: the devices that CUDA shows to this process.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_FIND_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_FIND_H

#include "functions/reconstruct/backends/cuda/object.h"

/* See struct ff_cuda_object. Makes no context. */
int ff_cuda_find(struct ff_cuda_found *found, struct ff_error *error) FF_MUST_USE;

/* How many of them can be used; 0 where CUDA finds none. */
unsigned ff_cuda_present(void);

/* CUDA's number of device `n` of a run, or -1: devices that cannot be used are passed over. */
int ff_cuda_number(unsigned n);

/* "GPU-8f1c…, NVIDIA A100-SXM4-40GB" of CUDA's device of that number; "" where it does not say. */
void ff_cuda_identify(int number, char *text, size_t size);
/* Likewise of `count` devices at once: places[i] of a run, or i where that is NULL. */
void ff_cuda_numbers(const unsigned *places, unsigned count, int *numbers);

#endif
