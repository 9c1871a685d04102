/*
 * tests/cuda/standin/work.h: what kernels, compiled as C++, ask of the stand-in, which is C. Users of CUDA never
 * include this: ff_cuda_on_cpu.h does.
 */
#ifndef FF_TESTS_CUDA_STANDIN_WORK_H
#define FF_TESTS_CUDA_STANDIN_WORK_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the sections of static shared memory are called, followed by a number. */
#define STANDIN_SHARED "ff_shared_"

/* A kernel with its arguments; `run` is called once for each CUDA thread. */
struct standin_work {
    void (*run)(const struct standin_work *work);
    void (*destroy)(struct standin_work *work);
    const char *name;
    const void *kernel;
};

/* Takes the work in any case, and destroys it after the launch. */
cudaError_t standin_launch(cudaStream_t stream, dim3 grid, dim3 block, size_t shared_bytes,
                           struct standin_work *work);

/* The dynamic shared memory of the block that runs. */
void *standin_dynamic_shared(void);

/* Waits for all threads of the block that have not ended; all must come to the same line. */
void standin_block_barrier(const char *file, int line);

/* One warp-wide exchange. Every lane of `mask` gives `value`, and all wait for each other; all lanes of the warp that
 * have not ended must be named and come to the same line. Returns the value that `lane` gave (all bits set where that lane gave
 * none); `given` receives the set of lanes that did and `values`, unless NULL, what each gave. */
uint64_t standin_warp_exchange(unsigned mask, uint64_t value, unsigned lane, unsigned *given,
                               uint64_t values[32], const char *file, int line);

/* Number of the thread in its warp. */
unsigned standin_lane(void);

#ifdef __cplusplus
}
#endif

#endif
