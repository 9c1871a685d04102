#include "functions/reconstruct/backends/cuda/pci.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ff_pci_parse(const char *text, struct ff_pci_address *address)
{
    int end = 0;
    return sscanf(text, "%8x:%2x:%2x.%*1x%n", &address->domain, &address->bus, &address->device,
                  &end) == 3 &&
           end > 0 && text[end] == '\0';
}

bool ff_pci_same(struct ff_pci_address a, struct ff_pci_address b)
{
    return a.domain == b.domain && a.bus == b.bus && a.device == b.device;
}

/* The number at the beginning of a file; false where there is none. */
static bool read_number(const char *folder, const char *name, double *number)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fscanf(file, "%lf", number) == 1;
    fclose(file);
    return found;
}

/* "16.0 GT/s PCIe" and "16": transfers of a bit on each lane. Of ten or, from 8 GT/s on, 130 bits two are for the line. */
static double link_bytes_s(const char *folder)
{
    double transfers, lanes;
    if (!read_number(folder, "max_link_speed", &transfers) ||
        !read_number(folder, "max_link_width", &lanes))
        return 0;
    return transfers * 1e9 * lanes / 8 * (transfers < 8 ? 8.0 / 10 : 128.0 / 130);
}

/* What both the device and the bridge above it can do; one alone may say nothing. */
static double find_bytes_s(char *folder)
{
    double own = link_bytes_s(folder);
    char *last = strrchr(folder, '/');
    double above = 0;
    if (last != NULL) {
        *last = '\0';
        above = link_bytes_s(folder);
        *last = '/';
    }
    if (own <= 0 || above <= 0)
        return own > above ? own : above;
    return own < above ? own : above;
}

struct ff_pci_place ff_pci_find(const char *sysfs, struct ff_pci_address address)
{
    struct ff_pci_place place = {
        .address = address, .node = -1, .bytes_s = 16e9 * 16 / 8 * 128 / 130};
    char link[PATH_MAX], folder[PATH_MAX];
    double node, bytes_s;
    snprintf(link, sizeof link, "%s/bus/pci/devices/%04x:%02x:%02x.0", sysfs, address.domain,
             address.bus, address.device);
    if (realpath(link, folder) == NULL)
        return place;
    const char *root = strstr(folder, "/pci");
    while (root != NULL && strstr(root + 1, "/pci") != NULL)
        root = strstr(root + 1, "/pci");
    if (root != NULL && strlen(root + 1) < sizeof place.path)
        memcpy(place.path, root + 1, strlen(root + 1) + 1);
    if (read_number(folder, "numa_node", &node))
        place.node = (int)node;
    bytes_s = find_bytes_s(folder);
    if (bytes_s > 0)
        place.bytes_s = bytes_s;
    return place;
}

/* How many folders two paths have in common from the root on. */
static unsigned common_folders(const char *a, const char *b)
{
    unsigned common = 0;
    for (;;) {
        size_t size = strcspn(a, "/");
        if (size == 0 || size != strcspn(b, "/") || strncmp(a, b, size) != 0)
            return common;
        common++;
        if (a[size] == '\0' || b[size] == '\0')
            return common;
        a += size + 1;
        b += size + 1;
    }
}

/* The first folder is the processor's bridge; devices below one port of it are joined by a switch. */
enum ff_pci_way ff_pci_way_of(const struct ff_pci_place *a, const struct ff_pci_place *b)
{
    if (a->path[0] == '\0' || b->path[0] == '\0')
        return FF_PCI_UNKNOWN;
    unsigned common = common_folders(a->path, b->path);
    if (common > 1)
        return FF_PCI_SWITCH;
    if (common == 1 || (a->node >= 0 && a->node == b->node))
        return FF_PCI_PROCESSOR;
    return a->node >= 0 && b->node >= 0 ? FF_PCI_PROCESSORS : FF_PCI_PROCESSOR;
}
