#include "worker/gpu/table.h"

#include "protocol/core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAGIC = 0x46464750, VERSION = 1, COPIES = 2, COPY_STRIDE = 1 << 15 };

_Static_assert(sizeof(struct ff_gpu_table) <= COPY_STRIDE, "a copy of the table fits its place");
_Static_assert(COPIES *COPY_STRIDE <= (int)FF_GPU_LOCK_AT, "locks lie behind the table");

/* ---- the file ---- */

int ff_gpu_path_expand(const char *pattern, char *path, size_t size, struct ff_error *error)
{
    char host[256] = "";
    const char *node = getenv("SLURMD_NODENAME");
    if (node == NULL || node[0] == '\0') {
        gethostname(host, sizeof host - 1);
        node = host;
    }
    size_t used = 0;
    for (const char *from = pattern; *from != '\0'; from++) {
        const char *piece = from;
        size_t length = 1;
        if (from[0] == '%' && from[1] == 'n') {
            piece = node;
            length = strlen(node);
            from++;
        } else if (from[0] == '%' && from[1] == '%') {
            from++;
        }
        if (used + length >= size)
            return ff_fail(error, FF_INVALID_ARGUMENT,
                           "the path of the GPU registry is too long: %s", pattern);
        memcpy(path + used, piece, length);
        used += length;
    }
    path[used] = '\0';
    if (path[0] == '/')
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT, "the path of the GPU registry is not absolute: %s",
            pattern);
    return ff_hint(error, "set gpu_registry to a file on tmpfs, like %s", FF_GPU_DEFAULT_PATH);
}

static int refuse_open(const char *path, int failure, struct ff_error *error)
{
    ff_fail_errno(error, FF_IO, failure, "cannot open the GPU registry %s", path);
    if (failure == EACCES)
        ff_hint(error,
                "all users of the node share it: its owner or root gives it mode 0666 "
                "(chmod 666 %s), or removes it while no GPU task runs",
                path);
    else if (failure == ELOOP)
        ff_hint(error, "a link stands there; remove it, or set gpu_registry to another path");
    return -1;
}

int ff_gpu_file_open(const char *path, struct ff_error *error)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    int fd = -1;
    /* First without O_CREAT: with it the kernel refuses a file of another user in a sticky folder
     * (fs.protected_regular). Two tries, because another process may make it between. */
    for (int i = 0; i < 2 && fd < 0; i++) {
        fd = open(path, flags);
        if (fd >= 0 || errno != ENOENT)
            break;
        fd = open(path, flags | O_CREAT | O_EXCL, 0666);
        if (fd >= 0 && fchmod(fd, 0666) < 0) { /* whatever the umask */
            int failure = errno;
            close(fd);
            return refuse_open(path, failure, error);
        }
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        return refuse_open(path, errno, error);
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    close(fd);
    ff_fail(error, FF_IO, "the GPU registry %s is not a regular file", path);
    return ff_hint(error, "remove it, or set gpu_registry to another path");
}

int ff_gpu_file_again(int fd, struct ff_error *error)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (again < 0)
        return ff_fail_errno(error, FF_IO, errno, "cannot open the GPU registry again");
    return again;
}

/* ---- locks ---- */

static int set_lock(int fd, short type, int64_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int64_t ff_gpu_lease_byte(const char *uuid)
{
    uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
    for (; *uuid != '\0'; uuid++)
        hash = (hash ^ (uint8_t)*uuid) * 0x100000001b3ull;
    return FF_GPU_LEASE_AT + (int64_t)(hash >> 18);
}

bool ff_gpu_byte_is_locked(int fd, int64_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

int ff_gpu_byte_lock(int fd, int64_t byte)
{
    return set_lock(fd, F_WRLCK, byte);
}

void ff_gpu_byte_unlock(int fd, int64_t byte)
{
    (void)set_lock(fd, F_UNLCK, byte); /* cannot fail on an open file */
}

/* The lock is held for some ten microseconds, so whoever finds it taken naps as long, and longer with each miss. A
 * blocking wait could not be bounded, and a holder that was stopped would stop all others for ever. */
static int lock_bounded(int fd, const char *path, int64_t deadline_ns, struct ff_error *error)
{
    long nap_ns = 20000;
    while (set_lock(fd, F_WRLCK, FF_GPU_LOCK_AT) < 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return ff_fail_errno(error, FF_IO, errno, "cannot lock the GPU registry %s", path);
        if (ff_monotonic_ns() >= deadline_ns) {
            ff_fail(error, FF_BUSY, "the GPU registry %s stays locked by another process", path);
            return ff_hint(error, "fuser %s names the processes that have it open", path);
        }
        const struct timespec nap = {0, nap_ns};
        nanosleep(&nap, NULL);
        nap_ns = nap_ns < 1000000 ? nap_ns * 2 : nap_ns;
    }
    return 0;
}

bool ff_gpu_file_is_current(int fd, const char *path)
{
    struct stat opened;
    struct stat named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

int ff_gpu_file_lock(int *fd, const char *path, int wait_ms, struct ff_error *error)
{
    int64_t deadline_ns = ff_monotonic_ns() + (int64_t)wait_ms * 1000000;
    for (;;) {
        if (lock_bounded(*fd, path, deadline_ns, error) < 0)
            return -1;
        if (ff_gpu_file_is_current(*fd, path))
            return 0;
        ff_gpu_file_unlock(*fd);
        int fresh = ff_gpu_file_open(path, error);
        if (fresh < 0)
            return -1;
        close(*fd);
        *fd = fresh;
    }
}

void ff_gpu_file_unlock(int fd)
{
    ff_gpu_byte_unlock(fd, FF_GPU_LOCK_AT);
}

/* ---- the table ---- */

static size_t used_size(const struct ff_gpu_table *table)
{
    return offsetof(struct ff_gpu_table, waiters) +
           table->waiter_count * sizeof(struct ff_gpu_waiter);
}

/* Against accidents, not against intent: another user who means harm can hold all locks anyway. */
static uint64_t checksum(const struct ff_gpu_table *table)
{
    const uint8_t *from = (const uint8_t *)&table->generation;
    size_t words = (used_size(table) - offsetof(struct ff_gpu_table, generation)) / 8;
    uint64_t sum = 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, from + 8 * i, 8);
        sum = (sum ^ word) * 0xff51afd7ed558ccdull;
        sum ^= sum >> 32;
    }
    return sum;
}

_Static_assert(sizeof(struct ff_gpu_entry) % 8 == 0 && sizeof(struct ff_gpu_waiter) % 8 == 0 &&
                   offsetof(struct ff_gpu_table, waiters) % 8 == 0,
               "the checksum goes by words");

static bool is_sound(const struct ff_gpu_table *table, size_t size)
{
    return size >= offsetof(struct ff_gpu_table, waiters) && table->magic == MAGIC &&
           table->version == VERSION && table->device_count <= FF_GPU_CAPACITY &&
           table->waiter_count <= FF_GPU_WAITERS && size >= used_size(table) &&
           table->checksum == checksum(table);
}

/* Text from the file is terminated here, once for all readers. */
static void terminate(struct ff_gpu_table *table)
{
    for (uint32_t i = 0; i < table->device_count; i++) {
        struct ff_gpu_entry *entry = &table->devices[i];
        entry->uuid[FF_GPU_TEXT - 1] = '\0';
        entry->name[FF_GPU_TEXT - 1] = '\0';
        entry->holder.task[FF_GPU_TASK_TEXT - 1] = '\0';
    }
}

static bool read_copy(int fd, int copy, struct ff_gpu_table *table)
{
    ssize_t got = pread(fd, table, sizeof *table, (off_t)copy * COPY_STRIDE);
    return got > 0 && is_sound(table, (size_t)got);
}

void ff_gpu_table_read(int fd, struct ff_gpu_table *table)
{
    struct ff_gpu_table other;
    bool first = read_copy(fd, 0, table);
    bool second = read_copy(fd, 1, &other);
    if (second && (!first || other.generation > table->generation))
        memcpy(table, &other, used_size(&other));
    if (first || second) {
        terminate(table);
        return;
    }
    memset(table, 0, sizeof *table);
    table->magic = MAGIC;
    table->version = VERSION;
    table->next_ticket = 1;
}

int ff_gpu_table_write(int fd, struct ff_gpu_table *table, struct ff_error *error)
{
    table->generation++;
    table->checksum = checksum(table);
    size_t size = used_size(table);
    ssize_t written = pwrite(fd, table, size, (off_t)(table->generation % COPIES) * COPY_STRIDE);
    if (written == (ssize_t)size)
        return 0;
    return ff_fail_errno(error, FF_IO, written < 0 ? errno : ENOSPC,
                         "cannot write the GPU registry");
}
