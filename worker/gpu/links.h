/*
 * worker/gpu/links.h: which devices of a node belong together.
 */
#ifndef FF_WORKER_GPU_LINKS_H
#define FF_WORKER_GPU_LINKS_H

#include "worker/gpu/table.h"

/* Values of ff_gpu_table.links: how two devices reach each other. */
enum ff_gpu_link {
    FF_GPU_LINK_NODE = 0,   /* through both processors */
    FF_GPU_LINK_HOST = 1,   /* through one host bridge */
    FF_GPU_LINK_SWITCH = 2, /* through switches of PCI Express alone */
    FF_GPU_LINK_BOARD = 3,  /* on one board */
    FF_GPU_LINK_NVLINK = 4  /* directly; more for more lanes */
};

/* Chooses `wanted` of the devices in `free_mask`: the set whose worst link is best, then the one with the most links in
 * sum, then the one that leaves the fewest good links cut, then the lowest numbers. Returns its mask, or 0 when too few
 * are free. */
uint32_t ff_gpu_choose(const uint8_t links[FF_GPU_CAPACITY][FF_GPU_CAPACITY], uint32_t free_mask,
                       uint32_t wanted);

#endif
