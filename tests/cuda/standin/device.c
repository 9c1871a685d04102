/* Devices and what they say of themselves, as CUDA offers it. */
#include "machine.h"

#include <stdio.h>
#include <string.h>

cudaError_t cudaGetDeviceCount(int *count)
{
    cudaError_t status = standin_enter("cudaGetDeviceCount");
    if (status == cudaSuccess && standin_machine.driver < CUDART_VERSION)
        status = cudaErrorInsufficientDriver;
    if (status == cudaSuccess && standin_machine.none_visible)
        status = cudaErrorNoDevice;
    if (status == cudaSuccess)
        *count = (int)standin_machine.devices;
    return standin_leave("cudaGetDeviceCount", status);
}

static bool exists(int device)
{
    return device >= 0 && (unsigned)device < standin_machine.devices;
}

cudaError_t cudaSetDevice(int device)
{
    cudaError_t status = standin_enter("cudaSetDevice");
    if (status == standin_current()->lost)
        status = cudaSuccess; /* another device may be chosen */
    if (status == cudaSuccess && !exists(device))
        status = cudaErrorInvalidDevice;
    if (status == cudaSuccess)
        standin_make_current(device);
    return standin_leave("cudaSetDevice", status);
}

cudaError_t cudaGetDevice(int *device)
{
    cudaError_t status = standin_enter("cudaGetDevice");
    if (status == cudaSuccess)
        *device = (int)standin_current()->number;
    return standin_leave("cudaGetDevice", status);
}

static int shared_in_all(const struct device *device)
{
    return (device->major >= 9 ? 228 : 164) << 10;
}

static int attribute(const struct device *device, enum cudaDeviceAttr which, int *value)
{
    switch (which) {
    case cudaDevAttrMaxThreadsPerBlock:
        return *value = BLOCK_THREADS, 0;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        return *value = DEFAULT_SHARED, 0;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        return *value = shared_in_all(device) - 1024, 0;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        return *value = shared_in_all(device), 0;
    case cudaDevAttrWarpSize:
        return *value = 32, 0;
    case cudaDevAttrMultiProcessorCount:
        return *value = device->major >= 9 ? 132 : 108, 0;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
        return *value = 2048, 0;
    case cudaDevAttrComputeCapabilityMajor:
        return *value = device->major, 0;
    case cudaDevAttrComputeCapabilityMinor:
        return *value = device->minor, 0;
    case cudaDevAttrL2CacheSize:
        return *value =
                   device->cache > 0 ? (int)device->cache : (device->major >= 9 ? 50 : 40) << 20,
               0;
    case cudaDevAttrMaxGridDimX:
        return *value = 0x7fffffff, 0;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
        return *value = 65535, 0;
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrConcurrentKernels:
        return *value = 1, 0;
    case cudaDevAttrAsyncEngineCount:
        return *value = 3, 0;
    case cudaDevAttrEccEnabled:
        return *value = 1, 0;
    case cudaDevAttrPciBusId:
        return *value = (int)device->number + 1, 0;
    case cudaDevAttrPciDeviceId:
    case cudaDevAttrPciDomainId:
        return *value = 0, 0;
    default:
        return -1;
    }
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr which, int device)
{
    cudaError_t status = standin_enter("cudaDeviceGetAttribute");
    if (status == cudaSuccess && !exists(device))
        status = cudaErrorInvalidDevice;
    if (status == cudaSuccess && attribute(&standin_machine.device[device], which, value) != 0)
        standin_fault("cudaDeviceGetAttribute: attribute %d is not pretended", (int)which);
    return standin_leave("cudaDeviceGetAttribute", status);
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device)
{
    cudaError_t status = standin_enter("cudaGetDeviceProperties");
    if (status == cudaSuccess && !exists(device))
        status = cudaErrorInvalidDevice;
    if (status == cudaSuccess) {
        const struct device *one = &standin_machine.device[device];
        *properties = (struct cudaDeviceProp){
            .totalGlobalMem = one->memory,
            .sharedMemPerBlock = DEFAULT_SHARED,
            .sharedMemPerBlockOptin = (size_t)shared_in_all(one) - 1024,
            .sharedMemPerMultiprocessor = (size_t)shared_in_all(one),
            .regsPerBlock = 65536,
            .warpSize = 32,
            .maxThreadsPerBlock = BLOCK_THREADS,
            .maxThreadsPerMultiProcessor = 2048,
            .maxThreadsDim = {1024, 1024, 64},
            .maxGridSize = {0x7fffffff, 65535, 65535},
            .major = one->major,
            .minor = one->minor,
            .multiProcessorCount = one->major >= 9 ? 132 : 108,
            .unifiedAddressing = 1,
            .concurrentKernels = 1,
            .asyncEngineCount = 3,
            .ECCEnabled = 1,
            .pciBusID = device + 1,
        };
        snprintf(properties->name, sizeof properties->name, "Pretend GPU");
        memset(&properties->uuid, 0, sizeof properties->uuid); /* STANDIN_UUID */
        properties->uuid.bytes[6] = 0x40;
        properties->uuid.bytes[8] = (char)0x80;
        properties->uuid.bytes[15] = (char)one->identity;
    }
    return standin_leave("cudaGetDeviceProperties", status);
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int size, int device)
{
    cudaError_t status = standin_enter("cudaDeviceGetPCIBusId");
    if (status == cudaSuccess && !exists(device))
        status = cudaErrorInvalidDevice;
    if (status == cudaSuccess &&
        snprintf(text, (size_t)size, "0000:%02x:00.0", (unsigned)device + 1) >= size)
        status = cudaErrorInvalidValue;
    return standin_leave("cudaDeviceGetPCIBusId", status);
}

cudaError_t cudaDeviceGetByPCIBusId(int *device, const char *text)
{
    cudaError_t status = standin_enter("cudaDeviceGetByPCIBusId");
    if (status == cudaSuccess) {
        unsigned domain, bus, slot;
        if (sscanf(text, "%x:%x:%x.0", &domain, &bus, &slot) == 3 && bus >= 1 &&
            exists((int)bus - 1))
            *device = (int)bus - 1;
        else
            status = cudaErrorInvalidDevice;
    }
    return standin_leave("cudaDeviceGetByPCIBusId", status);
}

/* --- peers --- */

cudaError_t cudaDeviceCanAccessPeer(int *can, int device, int peer)
{
    cudaError_t status = standin_enter("cudaDeviceCanAccessPeer");
    if (status == cudaSuccess && (!exists(device) || !exists(peer)))
        status = cudaErrorInvalidDevice;
    if (status == cudaSuccess)
        *can = (int)(standin_machine.device[device].can_access >> peer & 1);
    return standin_leave("cudaDeviceCanAccessPeer", status);
}

static cudaError_t enable(int peer, unsigned flags)
{
    struct device *device = standin_current();
    if (flags != 0)
        return cudaErrorInvalidValue;
    if (!exists(peer) || peer == (int)device->number)
        return cudaErrorInvalidDevice;
    if ((device->can_access >> peer & 1) == 0)
        return cudaErrorPeerAccessUnsupported;
    if ((device->access >> peer & 1) != 0)
        return cudaErrorPeerAccessAlreadyEnabled;
    device->access |= 1U << peer;
    return cudaSuccess;
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags)
{
    cudaError_t status = standin_enter("cudaDeviceEnablePeerAccess");
    if (status == cudaSuccess && !standin_forgets("cudaDeviceEnablePeerAccess"))
        status = enable(peer, flags);
    return standin_leave("cudaDeviceEnablePeerAccess", status);
}

cudaError_t cudaDeviceDisablePeerAccess(int peer)
{
    cudaError_t status = standin_enter("cudaDeviceDisablePeerAccess");
    if (status == cudaSuccess) {
        struct device *device = standin_current();
        if (!exists(peer)) {
            status = cudaErrorInvalidDevice;
        } else if ((device->access >> peer & 1) == 0) {
            status = cudaErrorPeerAccessNotEnabled;
        } else {
            standin_finish_device(device->number);
            device->access &= ~(1U << peer);
        }
    }
    return standin_leave("cudaDeviceDisablePeerAccess", status);
}

static cudaError_t peer_attribute(int *value, enum cudaDeviceP2PAttr which, int from, int to)
{
    if (!exists(from) || !exists(to) || from == to)
        return cudaErrorInvalidDevice;
    const struct device *device = &standin_machine.device[from];
    int can = (int)(device->can_access >> to & 1);
    switch (which) {
    case cudaDevP2PAttrPerformanceRank:
        *value = device->rank[to];
        return cudaSuccess;
    case cudaDevP2PAttrAccessSupported:
        *value = can;
        return cudaSuccess;
    case cudaDevP2PAttrNativeAtomicSupported:
        *value = can != 0 && device->rank[to] == 0;
        return cudaSuccess;
    default:
        return cudaErrorInvalidValue;
    }
}

cudaError_t cudaDeviceGetP2PAttribute(int *value, enum cudaDeviceP2PAttr which, int from, int to)
{
    cudaError_t status = standin_enter("cudaDeviceGetP2PAttribute");
    if (status == cudaSuccess)
        status = peer_attribute(value, which, from, to);
    return standin_leave("cudaDeviceGetP2PAttribute", status);
}

/* --- versions --- */

cudaError_t cudaDriverGetVersion(int *version)
{
    cudaError_t status = standin_enter("cudaDriverGetVersion");
    if (status == cudaSuccess)
        *version = standin_machine.driver;
    return standin_leave("cudaDriverGetVersion", status);
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}
