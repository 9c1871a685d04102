#include "worker/gpu/registry_internal.h"

#include "protocol/core/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int find_entry(const struct ff_gpu_table *table, const char *uuid)
{
    for (uint32_t i = 0; i < table->device_count; i++)
        if (strcmp(table->devices[i].uuid, uuid) == 0)
            return (int)i;
    return -1;
}

/* Enters devices that are not there yet, and their links. True when something changed. */
static bool merge(struct ff_gpu_table *table, const struct ff_gpu_devices *devices)
{
    bool changed = false;
    int at[FF_GPU_CAPACITY];
    for (uint32_t i = 0; i < devices->count; i++) {
        at[i] = find_entry(table, devices->entries[i].uuid);
        if (at[i] >= 0 || table->device_count >= FF_GPU_CAPACITY)
            continue;
        at[i] = (int)table->device_count;
        table->devices[table->device_count++] = devices->entries[i];
        changed = true;
    }
    for (uint32_t i = 0; i < devices->count; i++) {
        for (uint32_t j = 0; j < devices->count; j++) {
            if (at[i] < 0 || at[j] < 0 || table->links[at[i]][at[j]] == devices->links[i][j])
                continue;
            table->links[at[i]][at[j]] = devices->links[i][j];
            changed = true;
        }
    }
    return changed;
}

/* It is held for some ten microseconds at a time. */
enum { LOCK_WAIT_MS = 2000 };

int ff_gpus_lock(struct ff_gpus *gpus, struct ff_error *error)
{
    int before = gpus->fd;
    if (ff_gpu_file_lock(&gpus->fd, gpus->path, LOCK_WAIT_MS, error) < 0)
        return -1;
    if (gpus->fd == before)
        return 0;
    if (gpus->watch >= 0) /* what is watched is the old file; the next look watches the new one */
        inotify_rm_watch(gpus->notices, gpus->watch);
    gpus->watch = -1;
    struct ff_gpu_table table;
    ff_gpu_table_read(gpus->fd, &table);
    if (!merge(&table, &gpus->real) || ff_gpu_table_write(gpus->fd, &table, error) == 0)
        return 0;
    ff_gpus_unlock(gpus);
    return -1;
}

void ff_gpus_unlock(struct ff_gpus *gpus)
{
    ff_gpu_file_unlock(gpus->fd);
}

static int enter_devices(struct ff_gpus *gpus, struct ff_error *error)
{
    struct ff_gpu_table table;
    ff_gpu_table_read(gpus->fd, &table);
    if (!merge(&table, &gpus->real))
        return 0; /* as on every start but the first of a node */
    if (ff_gpus_lock(gpus, error) < 0)
        return -1;
    ff_gpu_table_read(gpus->fd, &table);
    int result = merge(&table, &gpus->real) ? ff_gpu_table_write(gpus->fd, &table, error) : 0;
    ff_gpus_unlock(gpus);
    return result;
}

struct ff_gpus *ff_gpus_open(const char *pattern, struct ff_error *error)
{
    struct ff_gpus *gpus = calloc(1, sizeof *gpus);
    if (gpus == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the GPU registry");
        return NULL;
    }
    gpus->fd = gpus->notices = gpus->watch = -1;
    const char *mask = ff_gpu_mask_of_job();
    gpus->has_mask = mask != NULL;
    snprintf(gpus->mask, sizeof gpus->mask, "%s", mask != NULL ? mask : "");
    ff_gpu_devices_find(&gpus->real);
    if (ff_gpu_path_expand(pattern, gpus->path, sizeof gpus->path, error) < 0)
        goto failed;
    gpus->fd = ff_gpu_file_open(gpus->path, error);
    if (gpus->fd < 0 || enter_devices(gpus, error) < 0)
        goto failed;
    return gpus;
failed:
    ff_gpus_close(gpus);
    return NULL;
}

void ff_gpus_close(struct ff_gpus *gpus)
{
    if (gpus == NULL)
        return;
    while (gpus->claims != NULL)
        ff_gpu_claim_destroy(gpus->claims);
    if (gpus->notices >= 0)
        close(gpus->notices);
    if (gpus->fd >= 0)
        close(gpus->fd);
    free(gpus);
}

const char *ff_gpus_path(const struct ff_gpus *gpus)
{
    return gpus->path;
}

uint32_t ff_gpus_mask(const struct ff_gpus *gpus, const struct ff_gpu_table *table)
{
    uint32_t visible[FF_GPU_CAPACITY];
    uint32_t count = 0;
    for (uint32_t i = 0; i < gpus->real.count; i++) {
        int at = find_entry(table, gpus->real.entries[i].uuid);
        if (at >= 0)
            visible[count++] = (uint32_t)at;
    }
    for (uint32_t i = 0; i < table->device_count && count < FF_GPU_CAPACITY; i++)
        if ((table->devices[i].flags & FF_GPU_PRETEND) != 0)
            visible[count++] = i;
    return ff_gpu_mask_parse(gpus->has_mask ? gpus->mask : NULL, table, visible, count);
}

uint32_t ff_gpus_free(const struct ff_gpus *gpus, const struct ff_gpu_table *table, uint32_t mask)
{
    uint32_t free_mask = 0;
    for (uint32_t i = 0; i < table->device_count; i++)
        if ((mask >> i & 1) != 0 &&
            !ff_gpu_byte_is_locked(gpus->fd, ff_gpu_lease_byte(table->devices[i].uuid)))
            free_mask |= 1u << i;
    return free_mask;
}

void ff_gpus_ring(int fd)
{
    int again = ff_gpu_file_again(fd, NULL);
    if (again >= 0)
        close(again);
}

/* Takes the file that is there now. */
static int follow(struct ff_gpus *gpus, struct ff_error *error)
{
    if (ff_gpu_file_is_current(gpus->fd, gpus->path))
        return 0;
    if (ff_gpus_lock(gpus, error) < 0)
        return -1;
    ff_gpus_unlock(gpus);
    return 0;
}

int ff_gpus_allowed(struct ff_gpus *gpus, struct ff_error *error)
{
    struct ff_gpu_table table;
    if (follow(gpus, error) < 0)
        return -1;
    ff_gpu_table_read(gpus->fd, &table);
    return __builtin_popcount(ff_gpus_mask(gpus, &table));
}

static int drop_pretend(struct ff_gpus *gpus, struct ff_gpu_table *table, struct ff_error *error)
{
    uint32_t pretend = 0;
    for (uint32_t i = 0; i < table->device_count; i++)
        if ((table->devices[i].flags & FF_GPU_PRETEND) != 0)
            pretend |= 1u << i;
    if (ff_gpus_free(gpus, table, pretend) != pretend) {
        ff_fail(error, FF_BUSY, "a pretend device of %s is leased", gpus->path);
        return ff_hint(error, "farfield gpu list names the holder");
    }
    uint32_t kept = 0;
    uint8_t links[FF_GPU_CAPACITY][FF_GPU_CAPACITY] = {{0}};
    uint32_t from[FF_GPU_CAPACITY];
    for (uint32_t i = 0; i < table->device_count; i++) {
        if ((pretend >> i & 1) != 0)
            continue;
        from[kept] = i;
        table->devices[kept++] = table->devices[i];
    }
    for (uint32_t i = 0; i < kept; i++)
        for (uint32_t j = 0; j < kept; j++)
            links[i][j] = table->links[from[i]][from[j]];
    memcpy(table->links, links, sizeof links);
    table->device_count = kept;
    /* Masks of waiters meant the old places: until each has looked again, it may mean any. */
    for (uint32_t i = 0; i < table->waiter_count; i++)
        table->waiters[i].mask = ~0u;
    return 0;
}

int ff_gpus_pretend(struct ff_gpus *gpus, uint32_t count, struct ff_error *error)
{
    if (count > FF_GPU_CAPACITY)
        return ff_fail(error, FF_INVALID_ARGUMENT, "%u pretend devices; at most %d", count,
                       FF_GPU_CAPACITY);
    struct ff_gpu_table table;
    struct ff_gpu_devices devices;
    ff_gpu_devices_pretend(count, &devices);
    if (ff_gpus_lock(gpus, error) < 0)
        return -1;
    ff_gpu_table_read(gpus->fd, &table);
    int result = drop_pretend(gpus, &table, error);
    if (result == 0) {
        merge(&table, &devices);
        result = ff_gpu_table_write(gpus->fd, &table, error);
    }
    ff_gpus_unlock(gpus);
    if (result == 0)
        ff_gpus_ring(gpus->fd);
    return result;
}

int ff_gpus_list(struct ff_gpus *gpus, struct ff_gpu_info list[FF_GPU_CAPACITY], uint32_t *waiting,
                 struct ff_error *error)
{
    struct ff_gpu_table table;
    if (follow(gpus, error) < 0)
        return -1;
    ff_gpu_table_read(gpus->fd, &table);
    uint32_t all = table.device_count < 32 ? (1u << table.device_count) - 1 : ~0u;
    uint32_t free_mask = ff_gpus_free(gpus, &table, all);
    uint32_t allowed = ff_gpus_mask(gpus, &table);
    for (uint32_t i = 0; i < table.device_count; i++) {
        const struct ff_gpu_holder *holder = &table.devices[i].holder;
        struct ff_process_id id = {holder->pid, holder->start_ticks};
        list[i].entry = table.devices[i];
        list[i].leased = (free_mask >> i & 1) == 0;
        list[i].holder_alive = list[i].leased && ff_process_alive(id);
        list[i].allowed = (allowed >> i & 1) != 0;
    }
    *waiting = 0;
    for (uint32_t i = 0; i < table.waiter_count; i++)
        if (ff_gpu_byte_is_locked(gpus->fd, FF_GPU_WAITER_AT + (int64_t)table.waiters[i].ticket))
            (*waiting)++;
    return (int)table.device_count;
}
