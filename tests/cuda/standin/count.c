/* What was moved, by kernels, copies and transforms. The hooks of counted kernels are in hooks.c. */
#include "count.h"
#include "machine.h"

#include <string.h>

enum { KERNELS = 256 };

static struct standin_kernel_count kernels[KERNELS];
static size_t kernel_count;
static struct standin_copy_count copies[STANDIN_COPIES];
static uint64_t links[STANDIN_DEVICES][STANDIN_DEVICES];
static struct standin_transform_count transforms;
static uint64_t waits;

_Thread_local struct counting standin_counting;

void standin_clear_counts(void)
{
    standin_lock();
    kernel_count = 0;
    memset(copies, 0, sizeof copies);
    memset(links, 0, sizeof links);
    transforms = (struct standin_transform_count){0};
    waits = 0;
    standin_unlock();
}

static struct standin_kernel_count *count_of(const char *name)
{
    for (size_t i = 0; i < kernel_count; i++)
        if (strcmp(kernels[i].name, name) == 0)
            return &kernels[i];
    if (kernel_count == KERNELS)
        standin_fault("more than %d kernels", KERNELS);
    kernels[kernel_count] = (struct standin_kernel_count){.name = name};
    return &kernels[kernel_count++];
}

void standin_count_launch_begin(const char *name, unsigned device, uint64_t threads)
{
    struct standin_kernel_count *count = count_of(name);
    count->launches++;
    count->threads += threads;
    standin_counting = (struct counting){.kernel = count, .device = (int)device};
}

void standin_count_launch_end(void)
{
    struct standin_kernel_count *count = standin_counting.kernel;
    unsigned device = (unsigned)standin_counting.device;
    standin_counting.kernel = NULL;
    standin_sectors_end(count);
    for (unsigned i = 0; i < STANDIN_DEVICES; i++) {
        count->peer_bytes += standin_counting.peer_read[i] + standin_counting.peer_written[i];
        links[i][device] += standin_counting.peer_read[i];
        links[device][i] += standin_counting.peer_written[i];
    }
}

void standin_count_copy(enum standin_copy kind, int from, int to, size_t bytes)
{
    copies[kind].calls++;
    copies[kind].bytes += bytes;
    if (from >= 0 && to >= 0 && from != to)
        links[from][to] += bytes;
}

void standin_count_transforms(size_t count, size_t bytes)
{
    transforms.calls++;
    transforms.transforms += count;
    transforms.bytes += bytes;
}

void standin_count_wait(void)
{
    waits++;
}

size_t standin_kernels(struct standin_kernel_count *counts, size_t room)
{
    standin_lock();
    for (size_t i = 0; i < kernel_count && i < room; i++)
        counts[i] = kernels[i];
    size_t count = kernel_count;
    standin_unlock();
    return count;
}

struct standin_copy_count standin_copies(enum standin_copy kind)
{
    return copies[kind];
}

uint64_t standin_link_bytes(unsigned from, unsigned to)
{
    return links[from][to];
}

struct standin_transform_count standin_transforms(void)
{
    return transforms;
}

uint64_t standin_waits(void)
{
    return waits;
}
