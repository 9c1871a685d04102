/* Memory of the devices: an arena each, side by side in one reservation of address space. No address is given twice
 * while the device has anything, so that a pointer to what was freed never points to something else. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>
#include <sys/mman.h>

static const size_t arena_size = (size_t)64 << 30;
static uint8_t *reservation;

void standin_arenas_create(unsigned count)
{
    if (reservation == NULL) {
        reservation = mmap(NULL, arena_size * STANDIN_DEVICES, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reservation == MAP_FAILED)
            standin_fault("no address space for the devices' memory");
        standin_gate_create();
    }
    for (unsigned i = 0; i < count; i++)
        standin_machine.device[i].arena.base = reservation + i * arena_size;
}

int standin_device_of(const void *address)
{
    size_t at = (size_t)((const uint8_t *)address - reservation);
    return reservation != NULL && at < arena_size * standin_machine.devices ? (int)(at / arena_size)
                                                                            : -1;
}

/* Whole pages for each, the free bytes behind it in the same pages. */
static size_t room_for(size_t size)
{
    size_t page = standin_page();
    return (size + SPACE_BETWEEN + page - 1) / page * page;
}

void *standin_arena_take(unsigned device, size_t size)
{
    struct arena *arena = &standin_machine.device[device].arena;
    size_t room = room_for(size);
    if (room > arena_size - arena->used)
        return NULL;
    struct allocation *taken = standin_allocate(1, sizeof *taken);
    *taken =
        (struct allocation){.before = arena->last, .data = arena->base + arena->used, .size = size};
    if (arena->last != NULL)
        arena->last->after = taken;
    else
        arena->first = taken;
    arena->last = taken;
    arena->used += room;
    arena->live_bytes += size;
    standin_gate_add(device, taken->data, room);
    unsigned open = standin_gate_state();
    standin_gate_set(1U << device);
    standin_fill_bytes(taken->data, 0xff, room);
    standin_gate_set(open);
    ADDRESS_POISON(taken->data + size, room - size);
    return taken->data;
}

void standin_arena_give(unsigned device, struct allocation *allocation)
{
    struct arena *arena = &standin_machine.device[device].arena;
    size_t room = room_for(allocation->size);
    if (allocation->before != NULL)
        allocation->before->after = allocation->after;
    else
        arena->first = allocation->after;
    if (allocation->after != NULL)
        allocation->after->before = allocation->before;
    else
        arena->last = allocation->before;
    arena->live_bytes -= allocation->size;
    ADDRESS_POISON(allocation->data, room);
    madvise(allocation->data, room, MADV_DONTNEED);
    standin_gate_remove(device, allocation->data, room);
    free(allocation);
    if (arena->first == NULL && arena->used > arena_size / 2)
        standin_arena_reset(device);
}

void standin_arena_reset(unsigned device)
{
    struct arena *arena = &standin_machine.device[device].arena;
    ADDRESS_UNPOISON(arena->base, arena->used);
    arena->used = 0;
}

struct allocation *standin_allocation_of(const void *address, size_t size)
{
    int device = standin_device_of(address);
    if (device < 0)
        return NULL;
    const uint8_t *begin = address;
    for (struct allocation *a = standin_machine.device[device].arena.first; a != NULL; a = a->after)
        if (begin >= a->data && begin <= a->data + a->size)
            return size <= (size_t)(a->data + a->size - begin) ? a : NULL;
    return NULL;
}
