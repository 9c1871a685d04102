/*
 * functions/reconstruct/backends/cuda/calls.h: every call of the CUDA runtime and of cuFFT is checked here.
 *
 * What a host thread asks of one device goes through one `struct ff_cuda_calls`. The first call that fails is kept,
 * with its name and the device; from then on FF_CUDA and ff_cuda_launch ask nothing more of the device, so a stage
 * that returns nothing may go on to its end, and who can return an error reports it (ff_cuda_report).
 *
 *     FF_CUDA(calls, cudaMalloc(&pointer, size));
 *     FF_CUFFT(calls, cufftExecC2C(plan, waves, waves, CUFFT_FORWARD));
 *
 * A failure also clears the error that the runtime keeps for the thread, which would otherwise be taken for that of a
 * later call.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_CALLS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_CALLS_H

#include "protocol/core/error.h"

#include <stdbool.h>

#include <cuda_runtime_api.h>
#include <cufft.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FF_CUDA_CALL_TEXT = 320 };

struct ff_cuda_calls {
    int device; /* for messages; CUDA's number */
    char identity
        [176]; /* likewise: "GPU-8f1c…, NVIDIA A100-SXM4-40GB"; asked for while it still answers */
    cudaError_t first; /* what the first failure was; cudaErrorUnknown for one of cuFFT */
    bool failed;
    char text
        [FF_CUDA_CALL_TEXT]; /* "device 2: cudaMalloc: out of memory (cudaErrorMemoryAllocation)" */
};

/* Begins with no failure. Makes `device` the one that this host thread drives; that may be the first failure. */
void ff_cuda_begin(struct ff_cuda_calls *calls, int device);

/* Makes the device of `calls` the one that this host thread drives: the first call of every stage. */
void ff_cuda_use(struct ff_cuda_calls *calls);

/* True when `status` is success. `call` is the text of the call, of which the name is kept. */
bool ff_cuda_check(struct ff_cuda_calls *calls, cudaError_t status, const char *call);
bool ff_cufft_check(struct ff_cuda_calls *calls, cufftResult status, const char *call);

/* 0 while nothing has failed; otherwise -1 and the first failure: FF_NO_MEMORY where memory was short, else
 * FF_NO_DEVICE. The hint names the device as the rest of the world does. */
int ff_cuda_report(const struct ff_cuda_calls *calls, struct ff_error *error) FF_MUST_USE;

/* True when the call was made and succeeded. FF_CUDA makes none after a failure; FF_CUDA_ALWAYS does, for what gives
 * things back. */
#define FF_CUDA(calls, call) ff_cuda_check(calls, (calls)->failed ? (calls)->first : (call), #call)
#define FF_CUFFT(calls, call)                                                                      \
    ff_cufft_check(calls, (calls)->failed ? CUFFT_EXEC_FAILED : (call), #call)
#define FF_CUDA_ALWAYS(calls, call)  ff_cuda_check(calls, call, #call)
#define FF_CUFFT_ALWAYS(calls, call) ff_cufft_check(calls, call, #call)

#ifdef __cplusplus
}
#endif

#endif
