/*
 * worker/gpu/devices.h: the GPUs of this node, as the driver tells, and which of them this job may use.
 */
#ifndef FF_WORKER_GPU_DEVICES_H
#define FF_WORKER_GPU_DEVICES_H

#include "worker/gpu/table.h"

struct ff_gpu_devices {
    uint32_t count;
    struct ff_gpu_entry entries[FF_GPU_CAPACITY]; /* in the driver's order; without holders */
    uint8_t links[FF_GPU_CAPACITY][FF_GPU_CAPACITY];
};

/* Asks NVML, which is loaded for it; without that library, /proc/driver/nvidia. No driver is no error: no devices. */
void ff_gpu_devices_find(struct ff_gpu_devices *devices);

/* Pretend devices 0…count-1, in NVLink pairs (0,1), (2,3), …, the rest through the host. For tests. */
void ff_gpu_devices_pretend(uint32_t count, struct ff_gpu_devices *devices);

/*
 * Which entries of the table the job's mask leaves, a bit each. `mask` is the value of CUDA_VISIBLE_DEVICES or
 * SLURM_JOB_GPUS: UUIDs or their beginnings, or numbers, comma between; it ends at the first that is no device, as for
 * CUDA. Numbers count `visible`: the entries of the table that this process sees, in the driver's order. NULL leaves all of them.
 */
uint32_t ff_gpu_mask_parse(const char *mask, const struct ff_gpu_table *table,
                           const uint32_t *visible, uint32_t visible_count);

/* The mask that the environment gives this job, or NULL. */
const char *ff_gpu_mask_of_job(void);

#endif
