/*
 * worker/gpu/registry_internal.h: what the parts of the registry share: registry.c (the devices), claims.c (who gets
 * them) and leases.c (what they got).
 */
#ifndef FF_WORKER_GPU_REGISTRY_INTERNAL_H
#define FF_WORKER_GPU_REGISTRY_INTERNAL_H

#include "worker/gpu/registry.h"

struct ff_gpus {
    char path[4096];
    int fd;
    struct ff_gpu_devices real; /* what this process sees; fixed when it is opened */
    char mask[1024];            /* of the job; valid when has_mask */
    bool has_mask;
    int notices; /* inotify; -1 before the first claim that waits, and where the kernel gives none */
    int watch;   /* of fd; -1: nothing is watched */
    bool stays;  /* it is kept without claims */
    unsigned looks;
    struct ff_gpu_claim *claims;
};

/* The short lock; a file that has been replaced gets this node's devices again. */
int ff_gpus_lock(struct ff_gpus *gpus, struct ff_error *error) FF_MUST_USE;
void ff_gpus_unlock(struct ff_gpus *gpus);

/* The devices that this job may have, a bit each. */
uint32_t ff_gpus_mask(const struct ff_gpus *gpus, const struct ff_gpu_table *table);

/* Those of `mask` that are not leased. */
uint32_t ff_gpus_free(const struct ff_gpus *gpus, const struct ff_gpu_table *table, uint32_t mask);

/* What the table says of who holds a device: this process, for the task. */
struct ff_gpu_holder ff_gpu_holder_of(const char *task);

/* Under the lock: locks the devices of `set` for a new lease. */
struct ff_gpu_lease *ff_gpu_lease_create(struct ff_gpus *gpus, const struct ff_gpu_table *table,
                                         uint32_t set, struct ff_error *error) FF_MUST_USE;

/* Opens and closes the file behind `fd`, which wakes all that wait. */
void ff_gpus_ring(int fd);

#endif
