/*
 * functions/reconstruct/backends/cuda/pci.h: where devices sit on the PCI buses, as the kernel's file system says.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PCI_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_PCI_H

#include <stdbool.h>

enum { FF_PCI_PATH = 512 };

struct ff_pci_address {
    unsigned domain, bus, device;
};

struct ff_pci_place {
    struct ff_pci_address address;
    char path
        [FF_PCI_PATH]; /* bridge by bridge from the root, "pci0000:3a/0000:3a:00.0/0000:3b:00.0"; "" where unknown */
    int node;       /* the processor's, or -1 */
    double bytes_s; /* of its link, in either direction */
};

/* What the way between two devices leads through, the worst of it. */
enum ff_pci_way { FF_PCI_SWITCH, FF_PCI_PROCESSOR, FF_PCI_PROCESSORS, FF_PCI_UNKNOWN };

/* From "0000:3B:00.0" or "00000000:3b:00.0"; false where it is neither. */
bool ff_pci_parse(const char *text, struct ff_pci_address *address);
bool ff_pci_same(struct ff_pci_address a, struct ff_pci_address b);

/* Of the device at an address, below `sysfs` ("/sys"). What cannot be found there is unknown, and its link that of PCIe 4
 * with 16 lanes. */
struct ff_pci_place ff_pci_find(const char *sysfs, struct ff_pci_address address);

enum ff_pci_way ff_pci_way_of(const struct ff_pci_place *a, const struct ff_pci_place *b);

#endif
