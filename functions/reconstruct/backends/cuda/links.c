#include "functions/reconstruct/backends/cuda/links.h"

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cuda/calls.h"
#include "functions/reconstruct/backends/cuda/find.h"
#include "functions/reconstruct/backends/cuda/pci.h"

#include <stdlib.h>

enum { LINKS_OF_A_BRIDGE = 2 };

struct device {
    int number;
    struct ff_pci_place place;
    double nvlink_bytes_s;                   /* of one NVLink */
    unsigned to_switch;                      /* NVLinks that end at switches */
    unsigned to_device[FF_CUDA_DEVICES_MAX]; /* at each of the others */
};

struct machine {
    struct ff_cuda_calls calls;
    unsigned count;
    struct device *devices;
    bool knows_nvlinks; /* NVML was asked */
};

/* --- devices --- */

static double nvlink_rate(int major, int minor)
{
    if (major >= 10)
        return 50e9;
    return major == 8 && minor > 0 ? 14e9 : 25e9;
}

static void find_device(struct machine *machine, struct device *device, const char *sysfs)
{
    struct ff_cuda_calls *calls = &machine->calls;
    struct ff_pci_address address = {0, 0, 0};
    char bus_id[32] = "";
    int major = 0, minor = 0;
    calls->device = device->number;
    FF_CUDA(calls, cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, device->number));
    FF_CUDA(calls,
            cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device->number));
    FF_CUDA(calls,
            cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device->number));
    (void)ff_pci_parse(bus_id, &address);
    device->place = ff_pci_find(sysfs, address);
    device->nvlink_bytes_s = nvlink_rate(major, minor);
}

/* --- NVLinks --- */

/* One that ends at a device which this process does not see joins it to nothing. */
static void count_link(struct machine *machine, const struct ff_nvml *nvml, void *handle,
                       unsigned link, struct device *device)
{
    int is_active = 0, type = FF_NVML_END_GPU;
    struct ff_nvml_pci pci = {.bus_id = ""};
    if (nvml->nvmlDeviceGetNvLinkState(handle, link, &is_active) != FF_NVML_SUCCESS || !is_active)
        return;
    if (nvml->nvmlDeviceGetNvLinkRemoteDeviceType != NULL &&
        nvml->nvmlDeviceGetNvLinkRemoteDeviceType(handle, link, &type) == FF_NVML_SUCCESS &&
        type == FF_NVML_END_SWITCH) {
        device->to_switch++;
        return;
    }
    if (nvml->nvmlDeviceGetNvLinkRemotePciInfo_v2(handle, link, &pci) != FF_NVML_SUCCESS)
        return;
    const struct ff_pci_address end = {pci.domain, pci.bus, pci.device};
    for (unsigned i = 0; i < machine->count; i++)
        if (ff_pci_same(machine->devices[i].place.address, end))
            device->to_device[i]++;
}

static void count_links(struct machine *machine, const struct ff_nvml *nvml)
{
    if (nvml->nvmlInit_v2() != FF_NVML_SUCCESS)
        return;
    machine->knows_nvlinks = true;
    for (unsigned i = 0; i < machine->count; i++) {
        char bus_id[32] = "";
        void *handle = NULL;
        FF_CUDA(&machine->calls,
                cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, machine->devices[i].number));
        if (nvml->nvmlDeviceGetHandleByPciBusId_v2(bus_id, &handle) != FF_NVML_SUCCESS)
            continue;
        for (unsigned link = 0; link < FF_NVML_LINKS; link++)
            count_link(machine, nvml, handle, link, &machine->devices[i]);
    }
    (void)nvml->nvmlShutdown();
}

/* --- pairs --- */

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static int attribute(struct machine *machine, enum cudaDeviceP2PAttr which, int reader, int source)
{
    int value = 0;
    FF_CUDA(&machine->calls, cudaDeviceGetP2PAttribute(&value, which, reader, source));
    return value;
}

/* How many NVLinks end at one another, or else at switches as *by_switch then says. */
static unsigned nvlinks_between(struct machine *machine, unsigned reader, unsigned source,
                                bool *by_switch)
{
    const struct device *to = &machine->devices[reader];
    const struct device *from = &machine->devices[source];
    if (!machine->knows_nvlinks)
        return attribute(machine, cudaDevP2PAttrNativeAtomicSupported, to->number, from->number)
                   ? LINKS_OF_A_BRIDGE
                   : 0;
    if (to->to_device[source] > 0)
        return to->to_device[source];
    *by_switch = to->to_switch > 0 && from->to_switch > 0;
    return to->to_switch < from->to_switch ? to->to_switch : from->to_switch;
}

static double pcie_share(struct machine *machine, const struct device *to,
                         const struct device *from)
{
    switch (ff_pci_way_of(&to->place, &from->place)) {
    case FF_PCI_SWITCH:
        return 1;
    case FF_PCI_PROCESSOR:
        return .8;
    case FF_PCI_PROCESSORS:
        return .5;
    case FF_PCI_UNKNOWN:
        break;
    }
    /* CUDA's order of the pairs, 0 the best, is all there is to go by. */
    return 1.0 / (1 + attribute(machine, cudaDevP2PAttrPerformanceRank, to->number, from->number));
}

/* Ways into a device: what comes by each of them comes in at once. */
struct ways {
    double bridges; /* bytes a second of NVLinks to other devices, all together */
    bool by_switch, by_pcie;
};

/* Bytes a second that `reader` reads of `source`. */
static double rate(struct machine *machine, unsigned reader, unsigned source, struct ways *ways)
{
    const struct device *to = &machine->devices[reader];
    const struct device *from = &machine->devices[source];
    int access = 0;
    bool by_switch = false;
    machine->calls.device = to->number;
    FF_CUDA(&machine->calls, cudaDeviceCanAccessPeer(&access, to->number, from->number));
    unsigned nvlinks = access ? nvlinks_between(machine, reader, source, &by_switch) : 0;
    if (nvlinks == 0) {
        ways->by_pcie = true;
        return lesser(to->place.bytes_s, from->place.bytes_s) * pcie_share(machine, to, from) *
               (access ? 1 : .5);
    }
    double bytes_s = nvlinks * lesser(to->nvlink_bytes_s, from->nvlink_bytes_s);
    ways->by_switch = ways->by_switch || by_switch;
    ways->bridges += by_switch ? 0 : bytes_s;
    return bytes_s;
}

static void find_rates(struct machine *machine, double *links, double *ports)
{
    for (unsigned reader = 0; reader < machine->count; reader++) {
        const struct device *to = &machine->devices[reader];
        struct ways ways = {.bridges = 0};
        for (unsigned source = 0; source < machine->count; source++)
            if (source != reader)
                links[source * machine->count + reader] = rate(machine, reader, source, &ways);
        ports[reader] = ways.bridges + (ways.by_pcie ? to->place.bytes_s : 0) +
                        (ways.by_switch ? to->to_switch * to->nvlink_bytes_s : 0);
    }
}

int ff_cuda_links_by(unsigned count, const struct ff_nvml *nvml, const char *sysfs, double *links,
                     double *ports, struct ff_error *error)
{
    int numbers[FF_CUDA_DEVICES_MAX];
    struct machine machine = {.count = count};
    if (count > FF_CUDA_DEVICES_MAX)
        return ff_fail(error, FF_INVALID_ARGUMENT, "%u CUDA devices; at most %d can be had", count,
                       FF_CUDA_DEVICES_MAX);
    machine.devices =
        ff_array_create(count, sizeof *machine.devices, "the links of devices", error);
    if (machine.devices == NULL)
        return -1;
    ff_cuda_numbers(NULL, count, numbers);
    for (unsigned i = 0; i < count; i++) {
        machine.devices[i].number = numbers[i];
        find_device(&machine, &machine.devices[i], sysfs);
    }
    if (nvml != NULL)
        count_links(&machine, nvml);
    find_rates(&machine, links, ports);
    free(machine.devices);
    return ff_cuda_report(&machine.calls, error);
}

int ff_cuda_links(unsigned count, double *links, double *ports, struct ff_error *error)
{
    struct ff_nvml nvml;
    bool found = ff_nvml_load(&nvml);
    int result = ff_cuda_links_by(count, found ? &nvml : NULL, "/sys", links, ports, error);
    ff_nvml_unload(&nvml);
    return result;
}
