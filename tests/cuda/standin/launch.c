/* Starting kernels: what a device would refuse, and the operation of a stream that runs one. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>

/* What kernels were allowed beyond the default. */
struct allowance {
    struct allowance *next;
    const void *kernel;
    unsigned device;
    int bytes;
};

static struct allowance *allowances;

struct launch_operation {
    struct operation operation; /* first */
    struct launch launch;
};

void standin_forget_kernels(void)
{
    while (allowances != NULL) {
        struct allowance *next = allowances->next;
        free(allowances);
        allowances = next;
    }
}

static struct allowance *allowance_of(const void *kernel, unsigned device)
{
    for (struct allowance *one = allowances; one != NULL; one = one->next)
        if (one->kernel == kernel && one->device == device)
            return one;
    return NULL;
}

static int most_shared(const struct device *device)
{
    return device->major >= 9 ? MOST_SHARED : 163 << 10;
}

static cudaError_t allow(const void *kernel, int bytes)
{
    struct device *device = standin_current();
    if (bytes < 0 || bytes > most_shared(device))
        return cudaErrorInvalidValue;
    struct allowance *one = allowance_of(kernel, device->number);
    if (one == NULL) {
        one = standin_allocate(1, sizeof *one);
        *one = (struct allowance){allowances, kernel, device->number, 0};
        allowances = one;
    }
    one->bytes = bytes;
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute attribute, int value)
{
    cudaError_t status = standin_enter("cudaFuncSetAttribute");
    if (status == cudaSuccess && attribute == cudaFuncAttributeMaxDynamicSharedMemorySize)
        status = allow(kernel, value);
    return standin_leave("cudaFuncSetAttribute", status);
}

static cudaError_t check(const struct launch *launch, const struct stream *stream)
{
    dim3 grid = launch->grid, block = launch->block;
    const struct device *device = standin_current();
    if (stream == NULL || stream->device != device->number)
        return cudaErrorInvalidResourceHandle;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffU || grid.y > 65535 ||
        grid.z > 65535)
        return cudaErrorInvalidConfiguration;
    if (block.x == 0 || block.y == 0 || block.z == 0 || block.x > 1024 || block.y > 1024 ||
        block.z > 64 || block.x * block.y * block.z > BLOCK_THREADS)
        return cudaErrorInvalidConfiguration;
    const struct allowance *allowed = allowance_of(launch->work->kernel, device->number);
    int most = allowed != NULL && allowed->bytes > DEFAULT_SHARED ? allowed->bytes : DEFAULT_SHARED;
    return launch->shared_bytes <= (size_t)most ? cudaSuccess : cudaErrorInvalidValue;
}

static void run_launch(struct operation *operation)
{
    struct launch *launch = &((struct launch_operation *)operation)->launch;
    const struct device *device = &standin_machine.device[operation->stream->device];
    uint64_t threads = (uint64_t)launch->grid.x * launch->grid.y * launch->grid.z *
                       launch->block.x * launch->block.y * launch->block.z;
    standin_gate_set(1U << device->number | device->access);
    standin_count_launch_begin(launch->work->name, device->number, threads);
    standin_run_grid(launch);
    standin_count_launch_end();
}

static void end_launch(struct operation *operation)
{
    struct launch_operation *launch = (struct launch_operation *)operation;
    if (UNDER_THREAD_SANITIZER)
        return;
    launch->launch.work->destroy(launch->launch.work);
    free(launch);
}

cudaError_t standin_launch(cudaStream_t handle, dim3 grid, dim3 block, size_t shared_bytes,
                           struct standin_work *work)
{
    cudaError_t status = standin_enter("launch");
    struct launch launch = {
        .grid = grid, .block = block, .shared_bytes = shared_bytes, .work = work};
    if (status == cudaSuccess) {
        struct stream *stream = standin_stream(handle);
        status = check(&launch, stream);
        if (status == cudaSuccess) {
            struct launch_operation *made = standin_allocate(1, sizeof *made);
            made->operation =
                (struct operation){.name = work->name, .run = run_launch, .destroy = end_launch};
            made->launch = launch;
            standin_queue(stream, &made->operation);
            work = NULL;
        }
    }
    if (status != cudaSuccess)
        work->destroy(work);
    return standin_leave("launch", status);
}
