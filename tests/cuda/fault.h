/*
 * tests/cuda/fault.h: what must go wrong, in a process of its own; and the scene that most tests need.
 */
#ifndef FF_TESTS_CUDA_FAULT_H
#define FF_TESTS_CUDA_FAULT_H

#include "functions/reconstruct/backends/cuda/calls.h"
#include "tests/cuda/standin/control.h"

#include "tests/unit/check.h"

/* Runs `function` in a child and fails the test unless that dies and has said `text`. */
void expect_fault(void (*function)(void), const char *text);

/* Likewise, with all that the child said; free it. `died` receives whether it did. */
char *run_apart(void (*function)(void), bool *died);

/* One device's calls, a stream, and memory of the device with the values first, first + 1, … */
struct scene {
    struct ff_cuda_calls calls;
    cudaStream_t stream;
};

struct scene make_scene(int device);
void end_scene(struct scene *scene); /* fails the test where a call failed */
float *make_buffer(struct scene *scene, size_t count, float first);
void drop_buffer(struct scene *scene, void *buffer);
/* Waits, then what the buffer holds; free it. */
float *read_buffer(struct scene *scene, const void *buffer, size_t count);

#endif
