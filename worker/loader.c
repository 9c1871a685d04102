#include "worker/loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static int read_head(const char *path, Elf64_Ehdr *head, struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ff_fail_errno(error, FF_FUNCTION_INVALID, errno, "cannot open %s", path);
    ssize_t got = read(fd, head, sizeof *head);
    close(fd);
    if (got < 0)
        return ff_fail_errno(error, FF_FUNCTION_INVALID, errno, "cannot read %s", path);
    if ((size_t)got < sizeof *head)
        memset((char *)head + got, 0, sizeof *head - (size_t)got);
    return 0;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "AArch64";
    case EM_PPC64:
        return "POWER";
    case EM_386:
        return "32-bit x86";
    case EM_RISCV:
        return "RISC-V";
    default:
        return "another machine";
    }
}

static int check_head(const char *path, const char *name, struct ff_error *error)
{
    Elf64_Ehdr head;
    Elf64_Ehdr own;
    if (read_head(path, &head, error) < 0 || read_head("/proc/self/exe", &own, error) < 0)
        return -1;
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) {
        ff_fail(error, FF_FUNCTION_INVALID, "the function %s is not a shared object", name);
        return ff_hint(error, "build it with cc -shared -fPIC, and register the .so file");
    }
    if (head.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        head.e_ident[EI_DATA] != own.e_ident[EI_DATA] || head.e_machine != own.e_machine) {
        ff_fail(error, FF_FUNCTION_INVALID, "the function %s is built for %s; this node is %s",
                name, machine_name(head.e_machine), machine_name(own.e_machine));
        return ff_hint(error, "build and register it on a machine like this node");
    }
    if (head.e_type != ET_DYN) {
        ff_fail(error, FF_FUNCTION_INVALID,
                "the function %s is an ELF file, but no shared object (type %u)", name,
                (unsigned)head.e_type);
        return ff_hint(error, "link it with cc -shared");
    }
    return 0;
}

static int check_function(const struct ff_function *function, const char *name,
                          struct ff_error *error)
{
    if (function->abi < 1 || function->abi > FF_FUNCTION_ABI) {
        ff_fail(error, FF_FUNCTION_INVALID,
                "the function %s is built for ABI %u; this node knows 1 to %u", name, function->abi,
                FF_FUNCTION_ABI);
        return ff_hint(error, "build it with this version's function.h");
    }
    if (function->size < offsetof(struct ff_function, invoke) + sizeof function->invoke ||
        function->invoke == NULL) {
        ff_fail(error, FF_FUNCTION_INVALID,
                "farfield_function of %s is not filled: size %u, %s invoke", name, function->size,
                function->invoke == NULL ? "no" : "with");
        return ff_hint(error, "set .abi, .size and .invoke as function.h shows");
    }
    return 0;
}

int ff_function_load(const char *path, const char *name, const struct ff_function **function,
                     struct ff_error *error)
{
    if (check_head(path, name, error) < 0)
        return -1;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        ff_fail(error, FF_FUNCTION_INVALID, "the function %s cannot be loaded: %s", name,
                dlerror());
        return ff_hint(error, "a library that it needs must be on this node, too: ldd shows which");
    }
    const struct ff_function *found = dlsym(library, "farfield_function");
    if (found == NULL) {
        dlclose(library);
        ff_fail(error, FF_FUNCTION_INVALID, "%s exports no symbol farfield_function", name);
        return ff_hint(error, "define it with FF_FUNCTION_EXPORT, as function.h shows");
    }
    if (check_function(found, name, error) < 0) {
        dlclose(library);
        return -1;
    }
    *function = found;
    return 0;
}
