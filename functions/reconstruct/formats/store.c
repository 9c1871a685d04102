#include "functions/reconstruct/formats/store.h"

#include "functions/reconstruct/formats/npz.h"
#include "functions/reconstruct/formats/table.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first bytes of a regular file; 0 of anything else, which the opener then refuses in words. */
static size_t head_of(const char *path, char *head, size_t size)
{
    struct stat info;
    if (stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, head, size) : -1;
    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}

/* Neither a folder nor absent nor HDF5, all of which are refused better elsewhere. */
static bool may_be_table(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, R_OK) == 0 &&
           H5Fis_hdf5(path) <= 0;
}

static bool begins(const char *head, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(head, magic, length) == 0;
}

static struct ff_hdf5_file *open_as(const char *path, bool tables, struct ff_error *error)
{
    char head[8];
    size_t size = head_of(path, head, sizeof head);
    if (begins(head, size, "PK\003\004", 4) || begins(head, size, "PK\005\006", 4))
        return ff_npz_open(path, error);
    if (begins(head, size, "\x93NUMPY", 6))
        return ff_npy_open(path, error);
    if (tables && may_be_table(path))
        return ff_table_open(path, error);
    return ff_hdf5_open(path, error);
}

struct ff_hdf5_file *ff_store_open(const char *path, struct ff_error *error)
{
    return open_as(path, false, error);
}

struct ff_hdf5_file *ff_store_open_any(const char *path, struct ff_error *error)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return open_as(path, true, error);
}
