#include "functions/reconstruct/backends/cuda/nvml.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* A pointer to a function is as wide as one to data wherever there is dlsym. */
static void find(void *library, const char *name, void *to)
{
    void *symbol = dlsym(library, name);
    memcpy(to, &symbol, sizeof symbol);
}

bool ff_nvml_load(struct ff_nvml *nvml)
{
    *nvml = (struct ff_nvml){.library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)};
    if (nvml->library == NULL)
        return false;
#define FIND(name) find(nvml->library, #name, &nvml->name)
    FIND(nvmlInit_v2);
    FIND(nvmlShutdown);
    FIND(nvmlDeviceGetHandleByPciBusId_v2);
    FIND(nvmlDeviceGetNvLinkState);
    FIND(nvmlDeviceGetNvLinkRemotePciInfo_v2);
    FIND(nvmlDeviceGetNvLinkRemoteDeviceType);
#undef FIND
    if (nvml->nvmlInit_v2 != NULL && nvml->nvmlShutdown != NULL &&
        nvml->nvmlDeviceGetHandleByPciBusId_v2 != NULL && nvml->nvmlDeviceGetNvLinkState != NULL &&
        nvml->nvmlDeviceGetNvLinkRemotePciInfo_v2 != NULL)
        return true;
    ff_nvml_unload(nvml);
    return false;
}

void ff_nvml_unload(struct ff_nvml *nvml)
{
    if (nvml->library != NULL)
        dlclose(nvml->library);
    *nvml = (struct ff_nvml){.library = NULL};
}
