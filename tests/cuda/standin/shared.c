/* Static shared memory: what __shared__ has put into sections of that name, of the program and of whatever it has
 * loaded. Each block finds it as the device gives it: with nothing in it that is a number. */
#include "machine.h"
#include "sanitizer.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTIONS = 512 };

struct section {
    uint8_t *data;
    size_t size;
};

static struct section sections[SECTIONS];
static size_t section_count;

static void add_section(uintptr_t at, size_t size)
{
    if (section_count == SECTIONS)
        standin_fault("more than %d variables in static shared memory", SECTIONS);
    sections[section_count++] = (struct section){(uint8_t *)at, size};
}

/* `file` is an ELF file as it lies on disk, loaded at `base`. */
static void add_sections_of(const uint8_t *file, size_t size, uintptr_t base)
{
    const ElfW(Ehdr) *header = (const void *)file;
    if (size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shoff == 0 || header->e_shoff + header->e_shnum * sizeof(ElfW(Shdr)) > size)
        return;
    const ElfW(Shdr) *table = (const void *)(file + header->e_shoff);
    const char *names = (const char *)file + table[header->e_shstrndx].sh_offset;
    for (size_t i = 0; i < header->e_shnum; i++)
        if (strncmp(names + table[i].sh_name, STANDIN_SHARED, strlen(STANDIN_SHARED)) == 0)
            add_section(base + table[i].sh_addr, table[i].sh_size);
}

static int look_at(struct dl_phdr_info *info, size_t unused, void *first)
{
    (void)unused;
    const char *path = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";
    if (info->dlpi_name[0] == '\0' && !*(bool *)first)
        return 0;
    *(bool *)first = false;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0)
        return 0;
    if (fstat(file, &status) == 0 && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (content != MAP_FAILED) {
            add_sections_of(content, size, info->dlpi_addr);
            munmap(content, size);
        }
    }
    close(file);
    return 0;
}

/* The thread sanitizer takes a variable of static shared memory for one, though each block has its own. */
static void tell_sanitizer(void)
{
    static bool told;
    uintptr_t begin = UINTPTR_MAX, end = 0;
    for (size_t i = 0; i < section_count; i++) {
        uintptr_t at = (uintptr_t)sections[i].data;
        begin = at < begin ? at : begin;
        end = at + sections[i].size > end ? at + sections[i].size : end;
    }
    if (section_count > 0 && !told)
        THREAD_HEAP(begin & ~(uintptr_t)7, (end - begin + 23) & ~(uintptr_t)7);
    told = told || section_count > 0;
}

void standin_find_shared(void)
{
    bool first = true;
    section_count = 0;
    dl_iterate_phdr(look_at, &first);
    tell_sanitizer();
}

void standin_fill_shared(void)
{
    for (size_t i = 0; i < section_count; i++) {
        uintptr_t begin = (uintptr_t)sections[i].data & ~(uintptr_t)7;
        uintptr_t end = ((uintptr_t)sections[i].data + sections[i].size + 7) & ~(uintptr_t)7;
        THREAD_ANEW(begin, end - begin);
        standin_fill_bytes(sections[i].data, 0xff, sections[i].size);
    }
}
