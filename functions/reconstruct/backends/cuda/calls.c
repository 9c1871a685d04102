#include "functions/reconstruct/backends/cuda/calls.h"

#include "functions/reconstruct/backends/cuda/find.h"

#include <stdio.h>
#include <string.h>

/* "cudaMalloc" of "cudaMalloc(&pointer, size)". */
static int name_length(const char *call)
{
    return (int)strcspn(call, "(");
}

void ff_cuda_begin(struct ff_cuda_calls *calls, int device)
{
    *calls = (struct ff_cuda_calls){.device = device};
    (void)FF_CUDA(calls, cudaSetDevice(device));
    ff_cuda_identify(device, calls->identity, sizeof calls->identity);
}

void ff_cuda_use(struct ff_cuda_calls *calls)
{
    (void)FF_CUDA(calls, cudaSetDevice(calls->device));
}

bool ff_cuda_check(struct ff_cuda_calls *calls, cudaError_t status, const char *call)
{
    if (status == cudaSuccess)
        return true;
    (void)cudaGetLastError();
    if (!calls->failed) {
        calls->failed = true;
        calls->first = status;
        snprintf(calls->text, sizeof calls->text, "device %d: %.*s: %s (%s)", calls->device,
                 name_length(call), call, cudaGetErrorString(status), cudaGetErrorName(status));
    }
    return false;
}

static const char *cufft_text(cufftResult status)
{
    switch (status) {
    case CUFFT_INVALID_PLAN:
        return "not a plan";
    case CUFFT_ALLOC_FAILED:
        return "out of memory";
    case CUFFT_INVALID_VALUE:
        return "an invalid argument";
    case CUFFT_INTERNAL_ERROR:
        return "an internal error";
    case CUFFT_EXEC_FAILED:
        return "the device failed";
    case CUFFT_SETUP_FAILED:
        return "the library could not start";
    case CUFFT_INVALID_SIZE:
        return "an invalid size";
    case CUFFT_INVALID_DEVICE:
        return "the plan belongs to another device";
    case CUFFT_NO_WORKSPACE:
        return "no work area was given";
    default:
        return "failed";
    }
}

bool ff_cufft_check(struct ff_cuda_calls *calls, cufftResult status, const char *call)
{
    if (status == CUFFT_SUCCESS)
        return true;
    (void)cudaGetLastError();
    if (!calls->failed) {
        calls->failed = true;
        calls->first = status == CUFFT_ALLOC_FAILED ? cudaErrorMemoryAllocation : cudaErrorUnknown;
        snprintf(calls->text, sizeof calls->text, "device %d: %.*s: %s (cuFFT error %d)",
                 calls->device, name_length(call), call, cufft_text(status), (int)status);
    }
    return false;
}

int ff_cuda_report(const struct ff_cuda_calls *calls, struct ff_error *error)
{
    if (!calls->failed)
        return 0;
    bool short_of_memory = calls->first == cudaErrorMemoryAllocation;
    ff_fail(error, short_of_memory ? FF_NO_MEMORY : FF_NO_DEVICE, "%s", calls->text);
    if (calls->identity[0] == '\0')
        return -1;
    return ff_hint(error, "device %d is %s; nvidia-smi tells %s", calls->device, calls->identity,
                   short_of_memory ? "what else is on it" : "how it is");
}
