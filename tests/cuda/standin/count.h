/*
 * tests/cuda/standin/count.h: between the counts and the hooks that see each access of a counted kernel.
 */
#ifndef FF_TESTS_CUDA_STANDIN_COUNT_H
#define FF_TESTS_CUDA_STANDIN_COUNT_H

#include "control.h"

/* The launch that this thread runs; kernel is NULL while it runs none. Others may be in host code that is counted too. */
struct counting {
    struct standin_kernel_count *kernel;
    int device;
    uint64_t peer_read[STANDIN_DEVICES], peer_written[STANDIN_DEVICES];
};

extern _Thread_local struct counting standin_counting;

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_ATOMIC };

void standin_count_access(const void *address, size_t size, enum access access);
/* Adds the sectors that the launch touched, and forgets them. */
void standin_sectors_end(struct standin_kernel_count *count);

#endif
