#include "functions/reconstruct/backends/cuda/object.h"

#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/find.h"

extern __attribute__((visibility("default"))) const struct ff_cuda_object farfield_cuda;

const struct ff_cuda_object farfield_cuda = {
    .size = sizeof(struct ff_cuda_object),
    .abi = FF_CUDA_ABI,
    .operations = &ff_backend_cuda,
    .find = ff_cuda_find,
};
