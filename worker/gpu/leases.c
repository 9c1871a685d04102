/*
 * Devices that a claim was given: locks on a description of their own, which runners may inherit.
 */
#include "worker/gpu/registry_internal.h"

#include "protocol/core/clock.h"
#include "protocol/core/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ff_gpu_lease {
    struct ff_gpus *gpus;
    int fd;
    bool inherited; /* others may have the description, so closing ours wakes nobody */
    uint32_t count;
    char uuids[FF_GPU_CAPACITY][FF_GPU_TEXT];
    char joined[FF_GPU_CAPACITY * FF_GPU_TEXT];
};

struct ff_gpu_holder ff_gpu_holder_of(const char *task)
{
    struct ff_gpu_holder holder = {.pid = getpid(), .uid = getuid(), .since_ns = ff_wall_ns()};
    static struct ff_process_id self;
    if (self.pid != getpid() && ff_process_identify(getpid(), &self) < 0)
        self.start_ticks = 0;
    holder.start_ticks = self.start_ticks;
    snprintf(holder.task, sizeof holder.task, "%s", task);
    return holder;
}

struct ff_gpu_lease *ff_gpu_lease_create(struct ff_gpus *gpus, const struct ff_gpu_table *table,
                                         uint32_t set, struct ff_error *error)
{
    struct ff_gpu_lease *lease = calloc(1, sizeof *lease);
    int fd = lease != NULL ? ff_gpu_file_again(gpus->fd, error) : -1;
    if (fd < 0) {
        if (lease == NULL)
            ff_fail(error, FF_NO_MEMORY, "no memory for a lease");
        free(lease);
        return NULL;
    }
    lease->gpus = gpus;
    lease->fd = fd;
    size_t used = 0;
    for (uint32_t i = 0; i < table->device_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        const char *uuid = table->devices[i].uuid;
        if (ff_gpu_byte_lock(fd, ff_gpu_lease_byte(uuid)) < 0) {
            ff_fail_errno(error, FF_IO, errno, "cannot lock the lease of %s", uuid);
            close(fd);
            free(lease);
            return NULL;
        }
        used += (size_t)snprintf(lease->joined + used, sizeof lease->joined - used, "%s%s",
                                 lease->count > 0 ? "," : "", uuid);
        snprintf(lease->uuids[lease->count++], FF_GPU_TEXT, "%s", uuid);
    }
    return lease;
}

uint32_t ff_gpu_lease_count(const struct ff_gpu_lease *lease)
{
    return lease->count;
}

const char *ff_gpu_lease_uuids(const struct ff_gpu_lease *lease)
{
    return lease->joined;
}

int ff_gpu_lease_fd(struct ff_gpu_lease *lease)
{
    lease->inherited = true;
    return lease->fd;
}

void ff_gpu_lease_set_task(struct ff_gpu_lease *lease, const char *task)
{
    struct ff_gpus *gpus = lease->gpus;
    struct ff_gpu_table table;
    if (ff_gpus_lock(gpus, NULL) < 0)
        return; /* only what people are shown is older then */
    ff_gpu_table_read(gpus->fd, &table);
    struct ff_gpu_holder holder = ff_gpu_holder_of(task);
    for (uint32_t i = 0; i < table.device_count; i++)
        for (uint32_t j = 0; j < lease->count; j++)
            if (strcmp(table.devices[i].uuid, lease->uuids[j]) == 0)
                table.devices[i].holder = holder;
    (void)!ff_gpu_table_write(gpus->fd, &table, NULL);
    ff_gpus_unlock(gpus);
}

void ff_gpu_lease_release(struct ff_gpu_lease *lease)
{
    if (lease == NULL)
        return;
    /* Unlocked first, so that whoever the close wakes finds the devices free. What the table says of the holder does
     * not matter from now on. */
    for (uint32_t i = 0; i < lease->count; i++)
        ff_gpu_byte_unlock(lease->fd, ff_gpu_lease_byte(lease->uuids[i]));
    if (lease->inherited)
        ff_gpus_ring(lease->fd);
    close(lease->fd);
    free(lease);
}
