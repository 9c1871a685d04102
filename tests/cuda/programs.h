/*
 * tests/cuda/programs.h: small programs over one device that are right, or lack one thing. Each returns how many of its
 * numbers are wrong; the machine has begun.
 */
#ifndef FF_TESTS_CUDA_PROGRAMS_H
#define FF_TESTS_CUDA_PROGRAMS_H

#include "tests/cuda/kernels.h"

#ifdef __SANITIZE_THREAD__ /* for which each thread of a block is one of its own */
enum { PROGRAM_COUNT = 300, PROGRAM_BLOCKS = 2 };
#else
enum { PROGRAM_COUNT = 600, PROGRAM_BLOCKS = 6 };
#endif

/* A chain over two streams: the second adds to what the first has made. `waits`: for the event. */
size_t wrong_after_chain(bool waits);
/* The second stream writes over what the first reads: after that is done, if `waits`. */
size_t wrong_after_overwrite(bool waits);
/* Copies up from pinned memory, which is then used again: after the copy is done, if `waits`. */
size_t wrong_after_reuse(bool waits);
/* Copies down into pinned memory and looks: after it has waited, if `waits`. */
size_t wrong_after_read(bool waits);
/* Sums of blocks. */
size_t wrong_sums(enum kernel_sum how);
/* Counts values, with atomics if `atomic`. */
size_t wrong_histogram_bins(bool atomic);

#endif
