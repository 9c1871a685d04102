#include "functions/reconstruct/formats/memory_file.h"

#include "functions/reconstruct/formats/hdf5_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { IMAGE_STEP = 1 << 16 };

struct ff_hdf5_file *ff_memory_file_create(const char *path, struct ff_error *error)
{
    static unsigned number;
    char name[64];
    struct ff_hdf5_file *file = calloc(1, sizeof *file);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (file == NULL || (file->path = strdup(path)) == NULL) {
        free(file);
        ff_fail(error, FF_NO_MEMORY, "no memory to open %s", path);
        return NULL;
    }
    /* The library takes files of one name for one file. */
    snprintf(name, sizeof name, "farfield-memory-%u", number++);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, IMAGE_STEP, false);
    file->is_memory = true;
    file->memory = -1;
    file->id = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (file->id >= 0)
        return file;
    ff_fail(error, FF_INTERNAL, "HDF5 makes no file in memory for %s", path);
    ff_hdf5_close(file);
    return NULL;
}

void *ff_memory_file_room(struct ff_hdf5_file *file, size_t bytes, struct ff_error *error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t start = (file->memory_bytes + page - 1) / page * page;
    if (file->memory < 0)
        file->memory = memfd_create("farfield-arrays", MFD_CLOEXEC);
    if (bytes == 0 || bytes > SSIZE_MAX - start || file->memory < 0 ||
        ftruncate(file->memory, (off_t)(start + bytes)) < 0) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %zu bytes of %s", bytes, file->path);
        return NULL;
    }
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->memory, (off_t)start);
    if (room == MAP_FAILED) {
        ff_fail_errno(error, FF_NO_MEMORY, errno, "no memory for %zu bytes of %s", bytes,
                      file->path);
        return NULL;
    }
    file->memory_start = start;
    file->memory_bytes = start + bytes;
    return room;
}

void ff_memory_file_done(void *room, size_t bytes)
{
    munmap(room, bytes);
}

static int add(struct ff_hdf5_file *file, const char *name, hid_t type, int rank,
               const size_t *shape, const char *where, size_t offset, struct ff_error *error)
{
    hsize_t extent[FF_HDF5_RANK_MAX] = {1};
    hsize_t bytes = H5Tget_size(type);
    char path[FF_HDF5_PATH_SIZE];
    for (int i = 0; i < rank; i++)
        bytes *= extent[i] = shape[i];
    snprintf(path, sizeof path, "/%s", name);
    /* External storage needs an axis, so a single value gets one of extent 1. */
    hid_t space = H5Screate_simple(rank > 0 ? rank : 1, extent, NULL);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t id = -1;
    if (space >= 0 && (bytes == 0 || H5Pset_external(plist, where, (off_t)offset, bytes) >= 0))
        id = H5Dcreate2(file->id, path, type, space, links, plist, H5P_DEFAULT);
    if (id >= 0)
        H5Dclose(id);
    H5Pclose(links);
    H5Pclose(plist);
    if (space >= 0)
        H5Sclose(space);
    if (id >= 0)
        return 0;
    return ff_fail(error, FF_INPUT_INVALID, "%s: the array %s has a name or a shape that cannot be",
                   file->path, name);
}

int ff_memory_file_add(struct ff_hdf5_file *file, const char *name, hid_t type, int rank,
                       const size_t *shape, struct ff_error *error)
{
    char where[64];
    snprintf(where, sizeof where, "/proc/self/fd/%d", file->memory);
    return add(file, name, type, rank, shape, where, file->memory_start, error);
}

int ff_memory_file_add_there(struct ff_hdf5_file *file, const char *name, hid_t type, int rank,
                             const size_t *shape, size_t offset, struct ff_error *error)
{
    char where[PATH_MAX];
    if (realpath(file->path, where) == NULL)
        return ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot find %s again", file->path);
    return add(file, name, type, rank, shape, where, offset, error);
}

void ff_memory_file_alias(struct ff_hdf5_file *file, const char *name, const char *alias)
{
    char from[FF_HDF5_PATH_SIZE];
    char to[FF_HDF5_PATH_SIZE];
    snprintf(from, sizeof from, "/%s", name);
    snprintf(to, sizeof to, "/%s", alias);
    H5Lcreate_hard(file->id, from, file->id, to, H5P_DEFAULT, H5P_DEFAULT);
}
