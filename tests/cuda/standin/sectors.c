/* Accesses of device memory: bytes as requested, and sectors of 32 bytes, each once for a launch and a direction. What
 * is nobody's to touch is a fault, which no page protection sees: memory of the host that is not pinned. */
#include "count.h"
#include "machine.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { SECTOR = 32, WORD_BITS = 64 };

/* Bits of the arenas' sectors, and which of their words are not zero. */
struct sectors {
    uint64_t *bits;
    uint32_t *touched;
    size_t touched_count, touched_room;
    uint64_t count;
};

static struct sectors sectors[2]; /* read, written */
static const uint8_t *space;
static const size_t space_size = (size_t)STANDIN_DEVICES << 36;

static void open_sectors(void)
{
    space = standin_machine.device[0].arena.base;
    for (int i = 0; i < 2; i++) {
        sectors[i].bits = mmap(NULL, space_size / SECTOR / 8, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (sectors[i].bits == MAP_FAILED)
            standin_fault("no address space for the sectors");
    }
}

static void remember_touched(struct sectors *all, size_t word)
{
    if (all->touched_count == all->touched_room) {
        all->touched_room = all->touched_room == 0 ? 4096 : 2 * all->touched_room;
        all->touched = realloc(all->touched, all->touched_room * sizeof *all->touched);
        if (all->touched == NULL)
            standin_fault("out of memory for the sectors");
    }
    all->touched[all->touched_count++] = (uint32_t)word;
}

static void touch(struct sectors *all, size_t at, size_t size)
{
    for (size_t sector = at / SECTOR; sector <= (at + size - 1) / SECTOR; sector++) {
        uint64_t *word = &all->bits[sector / WORD_BITS], bit = 1ULL << sector % WORD_BITS;
        if ((*word & bit) != 0)
            continue;
        if (*word == 0)
            remember_touched(all, sector / WORD_BITS);
        *word |= bit;
        all->count++;
    }
}

void standin_sectors_end(struct standin_kernel_count *count)
{
    count->sector_read_bytes += sectors[0].count * SECTOR;
    count->sector_written_bytes += sectors[1].count * SECTOR;
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < sectors[i].touched_count; j++)
            sectors[i].bits[sectors[i].touched[j]] = 0;
        sectors[i].touched_count = 0;
        sectors[i].count = 0;
    }
}

static void count_bytes(int device, size_t size, enum access access)
{
    struct standin_kernel_count *count = standin_counting.kernel;
    if (access == ACCESS_READ)
        count->read_bytes += size;
    else if (access == ACCESS_WRITE)
        count->written_bytes += size;
    else
        count->atomic_bytes += size;
    if (device == standin_counting.device)
        return;
    if (access != ACCESS_WRITE)
        standin_counting.peer_read[device] += size;
    if (access != ACCESS_READ)
        standin_counting.peer_written[device] += size;
}

void standin_count_access(const void *address, size_t size, enum access access)
{
    if (standin_counting.kernel == NULL)
        return;
    int device = standin_device_of(address);
    if (device < 0) {
        standin_check_host_access(address, size);
        return;
    }
    if (space == NULL)
        open_sectors();
    size_t at = (size_t)((const uint8_t *)address - space);
    if (access != ACCESS_WRITE)
        touch(&sectors[0], at, size);
    if (access != ACCESS_READ)
        touch(&sectors[1], at, size);
    count_bytes(device, size, access);
}
