/* Memory of devices and pinned memory of the host, as CUDA gives it. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>

struct host_memory {
    struct host_memory *next;
    const uint8_t *data;
    size_t size;
    bool owned;
};

static struct host_memory *hosts;

cudaError_t cudaMalloc(void **pointer, size_t size)
{
    cudaError_t status = standin_enter("cudaMalloc");
    if (status == cudaSuccess) {
        struct device *device = standin_current();
        void *taken = NULL;
        if (pointer == NULL)
            status = cudaErrorInvalidValue;
        else if (size > 0 && (size > device->memory - device->arena.live_bytes ||
                              (taken = standin_arena_take(device->number, size)) == NULL))
            status = cudaErrorMemoryAllocation;
        else
            *pointer = taken;
    }
    return standin_leave("cudaMalloc", status);
}

/* Like the device, waits for all that it was asked to do. */
cudaError_t cudaFree(void *pointer)
{
    cudaError_t status = standin_enter("cudaFree");
    if (pointer != NULL && (status == cudaSuccess || status == standin_current()->lost)) {
        int device = standin_device_of(pointer);
        struct allocation *allocation = standin_allocation_of(pointer, 0);
        if (device < 0 || allocation == NULL || allocation->data != (uint8_t *)pointer)
            standin_fault("cudaFree(%p): not what cudaMalloc gave, or freed before", pointer);
        standin_finish_device((unsigned)device);
        standin_arena_give((unsigned)device, allocation);
    }
    return standin_leave("cudaFree", status);
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    cudaError_t status = standin_enter("cudaMemGetInfo");
    if (status == cudaSuccess) {
        *available = standin_current()->memory - standin_current()->arena.live_bytes;
        *total = standin_current()->memory;
    }
    return standin_leave("cudaMemGetInfo", status);
}

bool standin_is_pinned(const void *address, size_t size)
{
    const uint8_t *begin = address;
    for (struct host_memory *host = hosts; host != NULL; host = host->next)
        if (begin >= host->data && size <= host->size &&
            (size_t)(begin - host->data) <= host->size - size)
            return true;
    return false;
}

unsigned standin_hosts_left(void)
{
    unsigned count = 0;
    for (struct host_memory *host = hosts; host != NULL; host = host->next)
        count++;
    return count;
}

static void remember_host(void *data, size_t size, bool owned)
{
    struct host_memory *host = standin_allocate(1, sizeof *host);
    *host = (struct host_memory){.next = hosts, .data = data, .size = size, .owned = owned};
    hosts = host;
}

/* Forgets it; waits first for copies that may use it, as the driver does. NULL: it was none. */
static struct host_memory *take_host(const void *pointer, bool owned)
{
    for (unsigned i = 0; i < standin_machine.devices; i++)
        standin_finish_device(i);
    for (struct host_memory **at = &hosts; *at != NULL; at = &(*at)->next) {
        struct host_memory *host = *at;
        if (host->data != pointer || host->owned != owned)
            continue;
        *at = host->next;
        return host;
    }
    return NULL;
}

static cudaError_t take_pinned(const char *call, void **pointer, size_t size)
{
    cudaError_t status = standin_enter(call);
    if (status == cudaSuccess) {
        void *data = NULL;
        if (size > 0 && posix_memalign(&data, standin_page(), size) != 0) {
            status = cudaErrorMemoryAllocation;
        } else {
            standin_fill_bytes(data, 0xff, size);
            if (size > 0)
                remember_host(data, size, true);
            *pointer = data;
        }
    }
    return standin_leave(call, status);
}

cudaError_t cudaMallocHost(void **pointer, size_t size)
{
    return take_pinned("cudaMallocHost", pointer, size);
}

cudaError_t cudaHostAlloc(void **pointer, size_t size, unsigned flags)
{
    (void)flags;
    return take_pinned("cudaHostAlloc", pointer, size);
}

cudaError_t cudaFreeHost(void *pointer)
{
    cudaError_t status = standin_enter("cudaFreeHost");
    if (pointer != NULL && (status == cudaSuccess || status == standin_current()->lost)) {
        struct host_memory *host = take_host(pointer, true);
        if (host == NULL)
            standin_fault("cudaFreeHost(%p): not pinned memory, or freed before", pointer);
        free(pointer);
        free(host);
    }
    return standin_leave("cudaFreeHost", status);
}

cudaError_t cudaHostRegister(void *pointer, size_t size, unsigned flags)
{
    (void)flags;
    cudaError_t status = standin_enter("cudaHostRegister");
    if (status == cudaSuccess) {
        if (pointer == NULL || size == 0)
            status = cudaErrorInvalidValue;
        else if (standin_is_pinned(pointer, 1))
            status = cudaErrorHostMemoryAlreadyRegistered;
        else
            remember_host(pointer, size, false);
    }
    return standin_leave("cudaHostRegister", status);
}

cudaError_t cudaHostUnregister(void *pointer)
{
    cudaError_t status = standin_enter("cudaHostUnregister");
    if (status == cudaSuccess || status == standin_current()->lost) {
        struct host_memory *host = take_host(pointer, false);
        if (host == NULL)
            status = cudaErrorHostMemoryNotRegistered;
        free(host);
    }
    return standin_leave("cudaHostUnregister", status);
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *pointer)
{
    cudaError_t status = standin_enter("cudaPointerGetAttributes");
    if (status == cudaSuccess) {
        int device = standin_device_of(pointer);
        void *same = (void *)(uintptr_t)pointer;
        *attributes = (struct cudaPointerAttributes){.type = cudaMemoryTypeUnregistered};
        if (device >= 0 && standin_allocation_of(pointer, 1) != NULL)
            *attributes = (struct cudaPointerAttributes){
                .type = cudaMemoryTypeDevice, .device = device, .devicePointer = same};
        else if (standin_is_pinned(pointer, 1))
            *attributes = (struct cudaPointerAttributes){
                .type = cudaMemoryTypeHost, .devicePointer = same, .hostPointer = same};
    }
    return standin_leave("cudaPointerGetAttributes", status);
}
