#include "functions/reconstruct/backends/cuda/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime_api.h>

static int fail_driver(const struct ff_cuda_found *found, struct ff_error *error)
{
    if (found->driver == 0) {
        ff_fail(error, FF_NO_DEVICE, "the NVIDIA driver of this machine does not answer");
        return ff_hint(error, "nvidia-smi shows whether the driver works");
    }
    ff_fail(error, FF_NO_DEVICE,
            "the NVIDIA driver of this machine is too old: it is for CUDA %d.%d, and Farfield was "
            "built with CUDA %d.%d",
            found->driver / 1000, found->driver % 1000 / 10, found->runtime / 1000,
            found->runtime % 1000 / 10);
    return ff_hint(error, "update the driver, or build Farfield with a CUDA toolkit of its age");
}

static int fail_none(struct ff_error *error)
{
    const char *mask = getenv("CUDA_VISIBLE_DEVICES");
    if (mask == NULL) {
        ff_fail(error, FF_NO_DEVICE, "the NVIDIA driver finds no GPU on this machine");
        return ff_hint(error, "nvidia-smi shows what the driver finds");
    }
    ff_fail(error, FF_NO_DEVICE, "no GPU is visible here: CUDA_VISIBLE_DEVICES is '%.64s'", mask);
    return ff_hint(error, "a task asks for GPUs by --gpus N; elsewhere, unset the variable");
}

static int fail_count(const struct ff_cuda_found *found, cudaError_t status, struct ff_error *error)
{
    switch (status) {
    case cudaErrorInsufficientDriver:
        return fail_driver(found, error);
    case cudaErrorNoDevice:
    case cudaSuccess:
        return fail_none(error);
    default:
        ff_fail(error, FF_NO_DEVICE, "CUDA cannot be used: %s (%s)", cudaGetErrorString(status),
                cudaGetErrorName(status));
        return ff_hint(error, "nvidia-smi shows whether the driver works");
    }
}

/* "GPU-" and the usual form of a UUID. */
static void write_uuid(const char bytes[16], char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "GPU-");
    for (int i = 0; i < 16; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%02x",
                                 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                 (unsigned char)bytes[i]);
}

static void describe(int number, struct ff_cuda_device *device)
{
    struct cudaDeviceProp properties;
    cudaError_t status = cudaGetDeviceProperties(&properties, number);
    device->number = number;
    if (status != cudaSuccess) {
        (void)cudaGetLastError();
        snprintf(device->name, sizeof device->name, "GPU %d", number);
        snprintf(device->why, sizeof device->why, "it does not answer: %s",
                 cudaGetErrorString(status));
        return;
    }
    snprintf(device->name, sizeof device->name, "%.127s", properties.name);
    write_uuid(properties.uuid.bytes, device->uuid, sizeof device->uuid);
    device->memory_bytes = properties.totalGlobalMem;
    device->major = properties.major;
    device->minor = properties.minor;
    if (properties.major < FF_CUDA_CAPABILITY_MIN)
        snprintf(device->why, sizeof device->why,
                 "it has compute capability %d.%d, and %d.0 is needed", properties.major,
                 properties.minor, FF_CUDA_CAPABILITY_MIN);
}

int ff_cuda_find(struct ff_cuda_found *found, struct ff_error *error)
{
    struct ff_cuda_found made = {0};
    int count = 0; /* stays unwritten where there is no driver */
    if (cudaDriverGetVersion(&made.driver) != cudaSuccess)
        made.driver = 0;
    if (cudaRuntimeGetVersion(&made.runtime) != cudaSuccess)
        made.runtime = CUDART_VERSION;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess)
        (void)cudaGetLastError();
    if (status != cudaSuccess || count <= 0)
        return fail_count(&made, status, error);
    for (int i = 0; i < count && made.count < FF_CUDA_DEVICES_MAX; i++) {
        struct ff_cuda_device *device = &made.devices[made.count++];
        describe(i, device);
        made.usable += device->why[0] == '\0';
    }
    *found = made;
    return 0;
}

unsigned ff_cuda_present(void)
{
    struct ff_cuda_found found;
    return ff_cuda_find(&found, NULL) == 0 ? found.usable : 0;
}

static int number_of(const struct ff_cuda_found *found, unsigned n)
{
    for (unsigned i = 0; i < found->count; i++)
        if (found->devices[i].why[0] == '\0' && n-- == 0)
            return found->devices[i].number;
    return -1;
}

void ff_cuda_numbers(const unsigned *places, unsigned count, int *numbers)
{
    struct ff_cuda_found found;
    if (ff_cuda_find(&found, NULL) < 0)
        found.count = 0;
    for (unsigned i = 0; i < count; i++)
        numbers[i] = number_of(&found, places != NULL ? places[i] : i);
}

int ff_cuda_number(unsigned n)
{
    int number;
    ff_cuda_numbers(&n, 1, &number);
    return number;
}

void ff_cuda_identify(int number, char *text, size_t size)
{
    struct ff_cuda_device device = {0};
    describe(number, &device);
    if (device.uuid[0] != '\0')
        snprintf(text, size, "%s, %s", device.uuid, device.name);
    else
        text[0] = '\0';
}
