/* Memory of the host that a kernel touches. What the compiler made static (shared memory, tables) lies in the
 * segments of the program and of what it has loaded; the rest must be the block's own, or pinned. */
#include "count.h"
#include "machine.h"

#include <link.h>

enum { SEGMENTS = 256 };

struct segment {
    uintptr_t begin, end;
};

static struct segment segments[SEGMENTS];
static size_t segment_count;

static int add_segments(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum && segment_count < SEGMENTS; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD)
            segments[segment_count++] =
                (struct segment){info->dlpi_addr + header->p_vaddr,
                                 info->dlpi_addr + header->p_vaddr + header->p_memsz};
    }
    return 0;
}

static bool is_static(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    if (segment_count == 0)
        dl_iterate_phdr(add_segments, NULL);
    for (size_t i = 0; i < segment_count; i++)
        if (at >= segments[i].begin && at < segments[i].end)
            return true;
    return false;
}

void standin_check_host_access(const void *address, size_t size)
{
    if (!standin_block_owns(address) && !is_static(address) && !standin_is_pinned(address, size))
        standin_fault("%s touched memory of the host that is not pinned (%p)",
                      standin_counting.kernel->name, address);
}
