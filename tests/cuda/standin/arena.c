/* Memory of the devices: an arena each, side by side in one reservation of address space. No address is given twice
 * while the device has anything, so that a pointer to what was freed never points to something else. */
#include "machine.h"
#include "sanitizer.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Under the thread sanitizer a program has little space for large things. */
static const size_t arena_size = (size_t)(UNDER_THREAD_SANITIZER ? 4 : 64) << 30;
static const size_t large_page = (size_t)2 << 20;
static uint8_t *reservation;

/* In large pages where there are any: what a change of the gate costs goes by their number. */
static uint8_t *reserve(size_t size)
{
    uint8_t *space = mmap(NULL, size + large_page, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        standin_fault("no address space for the devices' memory");
    space += (large_page - (uintptr_t)space % large_page) % large_page;
    madvise(space, size, MADV_HUGEPAGE);
    return space;
}

void standin_arenas_create(unsigned count)
{
    if (reservation == NULL) {
        reservation = reserve(arena_size * STANDIN_DEVICES);
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

static size_t page_for(size_t size)
{
    return size >= large_page / 2 ? large_page : standin_page();
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Whole pages for each, the free bytes behind it in the same pages. */
static size_t room_for(size_t size)
{
    return round_up(size + SPACE_BETWEEN, page_for(size));
}

void *standin_arena_take(unsigned device, size_t size)
{
    struct arena *arena = &standin_machine.device[device].arena;
    size_t room = room_for(size), begin = round_up(arena->used, page_for(size));
    if (begin > arena_size || room > arena_size - begin)
        return NULL;
    struct allocation *taken = standin_allocate(1, sizeof *taken);
    *taken = (struct allocation){.before = arena->last, .data = arena->base + begin, .size = size};
    if (arena->last != NULL)
        arena->last->after = taken;
    else
        arena->first = taken;
    arena->last = taken;
    arena->used = begin + room;
    arena->live_bytes += size;
    standin_gate_add(device, taken->data, room);
    unsigned open = standin_gate_state();
    standin_gate_set(1U << device);
    standin_fill_bytes(taken->data, 0xff, room);
    standin_gate_set(open);
    ADDRESS_POISON(taken->data + size, room - size);
    return taken->data;
}

/* What was freed can be touched no more, for its pages are closed: the address sanitizer is told of nothing but the space
 * between, since its shadow would grow with every byte ever allocated. */
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
    ADDRESS_UNPOISON(allocation->data + allocation->size, room - allocation->size);
    madvise(allocation->data, room, MADV_DONTNEED);
    standin_gate_remove(device, allocation->data, room);
    free(allocation);
    if (arena->first == NULL && arena->used > arena_size / 2)
        standin_arena_reset(device);
}

void standin_arena_reset(unsigned device)
{
    standin_machine.device[device].arena.used = 0;
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
