#include "functions/reconstruct/formats/npz.h"

#include "functions/reconstruct/formats/memory_file.h"
#include "functions/reconstruct/formats/npy.h"
#include "functions/reconstruct/formats/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int add_there(struct ff_hdf5_file *file, const char *name, const struct ff_npy *array,
                     size_t offset, struct ff_error *error)
{
    hid_t type = ff_npy_type(array);
    int result = ff_memory_file_add_there(file, name, type, array->rank, array->shape,
                                          offset + array->header_bytes, error);
    H5Tclose(type);
    return result;
}

/* Unpacks an array into memory, by rows. */
static int add_unpacked(struct ff_hdf5_file *file, int fd, const char *name,
                        const struct ff_zip_member *member, const struct ff_npy *array,
                        struct ff_error *error)
{
    size_t size = array->header_bytes + array->bytes;
    uint8_t *room = ff_memory_file_room(file, size, error);
    if (room == NULL)
        return -1;
    int result = ff_zip_read(fd, ff_hdf5_path(file), member, room, size, error);
    if (result == 0) {
        void *values = room + array->header_bytes;
        void *rows = array->fortran_order ? malloc(array->bytes) : NULL;
        if (array->fortran_order && rows == NULL)
            result = ff_fail(error, FF_NO_MEMORY, "no memory for the array %s", name);
        if (rows != NULL) {
            ff_npy_to_rows(array, values, rows);
            values = rows;
        }
        if (result == 0)
            memmove(room, values, array->bytes);
        free(rows);
    }
    ff_memory_file_done(room, size);
    if (result < 0)
        return -1;
    hid_t type = ff_npy_type(array);
    result = ff_memory_file_add(file, name, type, array->rank, array->shape, error);
    H5Tclose(type);
    return result;
}

/* A member that is no array of numbers is passed over: it may be a name or a remark. */
static int add_member(struct ff_hdf5_file *file, int fd, const struct ff_zip_member *member,
                      struct ff_error *error)
{
    static uint8_t head[FF_NPY_HEADER_MAX];
    char name[FF_ZIP_NAME_SIZE];
    struct ff_npy array;
    size_t length = strlen(member->name);
    if (length <= 4 || strcmp(member->name + length - 4, ".npy") != 0)
        return 0;
    memcpy(name, member->name, length - 4);
    name[length - 4] = '\0';
    size_t size = member->bytes < sizeof head ? member->bytes : sizeof head;
    if (ff_zip_read(fd, ff_hdf5_path(file), member, head, size, error) < 0)
        return -1;
    if (ff_npy_parse(head, size, &array) < 0 || array.bytes == 0)
        return 0;
    if (array.bytes > member->bytes || array.header_bytes > member->bytes - array.bytes) {
        ff_fail(error, FF_INPUT_INVALID, "%s: the array %s claims %zu bytes of values and has %zu",
                ff_hdf5_path(file), name, array.bytes, member->bytes - array.header_bytes);
        return ff_hint(error, "the file is damaged or was never written to its end");
    }
    if (member->is_packed || array.fortran_order)
        return add_unpacked(file, fd, name, member, &array, error);
    return add_there(file, name, &array, member->offset, error);
}

static int add_members(struct ff_hdf5_file *file, int fd, struct ff_error *error)
{
    struct ff_zip_member *members = NULL;
    size_t count = 0;
    if (ff_zip_list(fd, ff_hdf5_path(file), &members, &count, error) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add_member(file, fd, &members[i], error);
    free(members);
    return result;
}

/* One array as if it were the only member of an archive. */
static int add_array(struct ff_hdf5_file *file, int fd, struct ff_error *error)
{
    struct stat info;
    static uint8_t head[FF_NPY_HEADER_MAX];
    struct ff_npy array;
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got < 0 || fstat(fd, &info) < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot read %s", ff_hdf5_path(file));
    struct ff_zip_member whole = {.packed_bytes = (size_t)info.st_size,
                                  .bytes = (size_t)info.st_size};
    if (ff_npy_parse(head, (size_t)got, &array) < 0 || array.bytes == 0 ||
        array.bytes > whole.bytes || array.header_bytes > whole.bytes - array.bytes) {
        ff_fail(error, FF_INPUT_INVALID, "%s holds no array of numbers, or not all of it",
                ff_hdf5_path(file));
        return ff_hint(error, "write it with numpy.save, without objects in it");
    }
    /* Nothing follows the values, so that no checksum is asked for. */
    whole.bytes += 1;
    if (array.fortran_order)
        return add_unpacked(file, fd, "array", &whole, &array, error);
    return add_there(file, "array", &array, 0, error);
}

static struct ff_hdf5_file *open_with(const char *path,
                                      int (*fill)(struct ff_hdf5_file *, int, struct ff_error *),
                                      struct ff_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot open %s", path);
        return NULL;
    }
    struct ff_hdf5_file *file = ff_memory_file_create(path, error);
    if (file != NULL && fill(file, fd, error) < 0) {
        ff_hdf5_close(file);
        file = NULL;
    }
    close(fd);
    return file;
}

struct ff_hdf5_file *ff_npz_open(const char *path, struct ff_error *error)
{
    return open_with(path, add_members, error);
}

struct ff_hdf5_file *ff_npy_open(const char *path, struct ff_error *error)
{
    return open_with(path, add_array, error);
}
