/*
 * functions/reconstruct/backends/cuda/nvml.h: what is asked of NVML, the driver's library about devices: where their NVLinks end.
 * It comes with the driver, not with the toolkit, so it is loaded where it is there, and its few calls are declared here
 * as its reference documents them.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_NVML_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_NVML_H

#include <stdbool.h>

enum { FF_NVML_LINKS = 18 /* of a device, at most */, FF_NVML_SUCCESS = 0 };

/* What an NVLink ends at: nvmlIntNvLinkDeviceType_t. */
enum { FF_NVML_END_GPU = 0, FF_NVML_END_SWITCH = 2 };

/* nvmlPciInfo_t */
struct ff_nvml_pci {
    char bus_id_legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
};

/* Each as the function of the same name; a result of 0 is success. */
struct ff_nvml {
    int (*nvmlInit_v2)(void);
    int (*nvmlShutdown)(void);
    int (*nvmlDeviceGetHandleByPciBusId_v2)(const char *bus_id, void **device);
    int (*nvmlDeviceGetNvLinkState)(void *device, unsigned link, int *is_active);
    int (*nvmlDeviceGetNvLinkRemotePciInfo_v2)(void *device, unsigned link,
                                               struct ff_nvml_pci *pci);
    /* NULL in drivers before 460. */
    int (*nvmlDeviceGetNvLinkRemoteDeviceType)(void *device, unsigned link, int *type);
    void *library; /* NULL in a test's own table */
};

/* False where there is none. */
bool ff_nvml_load(struct ff_nvml *nvml);
void ff_nvml_unload(struct ff_nvml *nvml);

#endif
