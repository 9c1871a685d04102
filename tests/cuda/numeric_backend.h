/*
 * tests/cuda/numeric_backend.h: the pretend machine of the numeric tests, for those that choose the order of its streams.
 * Others have numeric_begin() and numeric_end() of tests/numeric/backend.h, and the order that the environment says.
 */
#ifndef FF_TESTS_CUDA_NUMERIC_BACKEND_H
#define FF_TESTS_CUDA_NUMERIC_BACKEND_H

#include "standin/control.h"

/* NUMERIC_DEVICES devices with a small second cache. */
void numeric_machine_begin(enum standin_order order, uint64_t seed);
/* Whatever the backend keeps from run to run is given back first. */
void numeric_machine_end(void);

#endif
