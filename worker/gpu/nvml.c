#include "worker/gpu/nvml.h"

#include "worker/gpu/links.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Prototypes after NVIDIA's NVML API reference; the versioned names are its stable ABI. */
typedef void *nvml_device;
enum { NVML_SUCCESS = 0, NVML_LINKS = 18, NVML_FEATURE_ENABLED = 1 };

/* nvmlPciInfo_t */
struct nvml_pci {
    char bus_legacy[16];
    unsigned domain, bus, device, pci_device, pci_subsystem;
    char bus_id[32];
};

/* nvmlGpuTopologyLevel_t */
enum { NVML_INTERNAL = 0, NVML_SINGLE = 10, NVML_MULTIPLE = 20, NVML_HOSTBRIDGE = 30 };

struct nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *count);
    int (*by_index)(unsigned index, nvml_device *device);
    int (*uuid)(nvml_device device, char *text, unsigned size);
    int (*name)(nvml_device device, char *text, unsigned size);
    int (*minor)(nvml_device device, unsigned *minor);
    int (*pci)(nvml_device device, struct nvml_pci *pci);
    int (*common_ancestor)(nvml_device a, nvml_device b, int *level);
    int (*link_state)(nvml_device device, unsigned link, unsigned *active);
    int (*link_remote)(nvml_device device, unsigned link, struct nvml_pci *pci);
};

static int load(struct nvml *nvml)
{
    memset(nvml, 0, sizeof *nvml);
    nvml->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (nvml->library == NULL)
        return -1;
    const struct {
        const char *name;
        void *to;
    } symbols[] = {
        {"nvmlInit_v2", &nvml->init},
        {"nvmlShutdown", &nvml->shutdown},
        {"nvmlDeviceGetCount_v2", &nvml->count},
        {"nvmlDeviceGetHandleByIndex_v2", &nvml->by_index},
        {"nvmlDeviceGetUUID", &nvml->uuid},
        {"nvmlDeviceGetName", &nvml->name},
        {"nvmlDeviceGetMinorNumber", &nvml->minor},
        {"nvmlDeviceGetPciInfo_v3", &nvml->pci},
        {"nvmlDeviceGetTopologyCommonAncestor", &nvml->common_ancestor},
        {"nvmlDeviceGetNvLinkState", &nvml->link_state},
        {"nvmlDeviceGetNvLinkRemotePciInfo_v2", &nvml->link_remote},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *found = dlsym(nvml->library, symbols[i].name);
        memcpy(symbols[i].to, &found, sizeof found);
    }
    if (nvml->init != NULL && nvml->shutdown != NULL && nvml->count != NULL &&
        nvml->by_index != NULL && nvml->uuid != NULL && nvml->name != NULL &&
        nvml->init() == NVML_SUCCESS)
        return 0;
    dlclose(nvml->library);
    return -1;
}

static uint8_t link_of_level(int level)
{
    if (level <= NVML_INTERNAL)
        return FF_GPU_LINK_BOARD;
    if (level <= NVML_MULTIPLE)
        return FF_GPU_LINK_SWITCH;
    return level <= NVML_HOSTBRIDGE ? FF_GPU_LINK_HOST : FF_GPU_LINK_NODE;
}

/* Lanes of NVLink from `device`: those that end at device b count for the pair, those that end at a switch (no device
 * of ours) reach every other one. */
static void count_nvlinks(const struct nvml *nvml, nvml_device device,
                          const struct nvml_pci *places, uint32_t count, unsigned *lanes,
                          unsigned *to_switch)
{
    if (nvml->link_state == NULL || nvml->link_remote == NULL)
        return;
    for (unsigned link = 0; link < NVML_LINKS; link++) {
        unsigned active = 0;
        struct nvml_pci remote = {.domain = 0};
        if (nvml->link_state(device, link, &active) != NVML_SUCCESS ||
            active != NVML_FEATURE_ENABLED ||
            nvml->link_remote(device, link, &remote) != NVML_SUCCESS)
            continue;
        uint32_t b = 0;
        while (b < count && (places[b].domain != remote.domain || places[b].bus != remote.bus ||
                             places[b].device != remote.device))
            b++;
        if (b < count)
            lanes[b]++;
        else
            (*to_switch)++;
    }
}

static void find_links(const struct nvml *nvml, const nvml_device *handles,
                       struct ff_gpu_devices *devices)
{
    struct nvml_pci places[FF_GPU_CAPACITY];
    memset(places, 0, sizeof places);
    for (uint32_t i = 0; i < devices->count; i++)
        if (nvml->pci == NULL || nvml->pci(handles[i], &places[i]) != NVML_SUCCESS)
            places[i].domain = ~0u;
    for (uint32_t a = 0; a < devices->count; a++) {
        unsigned lanes[FF_GPU_CAPACITY] = {0};
        unsigned to_switch = 0;
        count_nvlinks(nvml, handles[a], places, devices->count, lanes, &to_switch);
        for (uint32_t b = 0; b < devices->count; b++) {
            int level;
            if (a == b)
                continue;
            if (lanes[b] + to_switch > 0)
                devices->links[a][b] = (uint8_t)(FF_GPU_LINK_NVLINK + lanes[b] + to_switch - 1);
            else if (nvml->common_ancestor != NULL &&
                     nvml->common_ancestor(handles[a], handles[b], &level) == NVML_SUCCESS)
                devices->links[a][b] = link_of_level(level);
        }
    }
}

int ff_nvml_find(struct ff_gpu_devices *devices)
{
    struct nvml nvml;
    if (load(&nvml) < 0)
        return -1;
    unsigned count = 0;
    nvml_device handles[FF_GPU_CAPACITY] = {NULL};
    if (nvml.count(&count) != NVML_SUCCESS)
        count = 0;
    for (unsigned i = 0; i < count && devices->count < FF_GPU_CAPACITY; i++) {
        struct ff_gpu_entry *entry = &devices->entries[devices->count];
        nvml_device *handle = &handles[devices->count];
        if (nvml.by_index(i, handle) != NVML_SUCCESS ||
            nvml.uuid(*handle, entry->uuid, sizeof entry->uuid) != NVML_SUCCESS)
            continue;
        if (nvml.name(*handle, entry->name, sizeof entry->name) != NVML_SUCCESS)
            snprintf(entry->name, sizeof entry->name, "NVIDIA GPU");
        if (nvml.minor == NULL || nvml.minor(*handle, &entry->minor) != NVML_SUCCESS)
            entry->minor = i;
        devices->count++;
    }
    find_links(&nvml, handles, devices);
    nvml.shutdown();
    dlclose(nvml.library);
    return 0;
}
