/*
 * functions/reconstruct/backends/cuda/links.h: what joins the devices of this machine: NVLinks from one to another, NVLinks to
 * switches, PCIe. Rates are those that makers state, not measured: they are to tell good links from bad ones.
 *
 *   NVLink         25 GB/s a link and direction (compute capability 8.0, 9.x), 14 (8.6, 8.9), 50 (from 10 on)
 *   NVSwitch       what both have of such links to switches; a device reads so much of all others together
 *   PCIe           its link's lanes and generation: whole behind one switch, .8 of it through a processor, .5 across processors
 *   no access      half of that: each byte goes down to the host, and then up
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LINKS_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_LINKS_H

#include "functions/reconstruct/backends/cuda/nvml.h"
#include "protocol/core/error.h"

/* As the operation links() of struct ff_backend_operations. */
int ff_cuda_links(unsigned count, double *links, double *ports, struct ff_error *error) FF_MUST_USE;

/* The same of NVML and a file system at hand. `nvml` may be NULL: where CUDA says that a pair has native atomics, which go over
 * NVLink alone, it then has two of them. */
int ff_cuda_links_by(unsigned count, const struct ff_nvml *nvml, const char *sysfs, double *links,
                     double *ports, struct ff_error *error) FF_MUST_USE;

#endif
