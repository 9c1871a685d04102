/*
 * worker/gpu/table.h: the file of the GPU registry: where it is, how it is locked, and what stands in it.
 *
 * Truth and description are kept apart. *Truth* are locks of open file descriptions, which the kernel drops when the
 * last process that holds the description is dead: byte ff_gpu_lease_byte(UUID) is locked while a device is leased, byte
 * FF_GPU_WAITER_AT + t while the waiter of ticket t lives. *Description* is the table: names, holders, the queue. It is
 * kept twice, each copy with a generation and a checksum; a change goes over the older copy, so a writer that dies
 * half-way destroys nothing. Where neither copy is sound, an empty table is begun: no lease is lost by that, because
 * none stands in it.
 *
 * Users share the file: nothing read from it is believed beyond its bounds, and it is never mapped (another user could
 * truncate it under us).
 */
#ifndef FF_WORKER_GPU_TABLE_H
#define FF_WORKER_GPU_TABLE_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FF_GPU_CAPACITY = 32, FF_GPU_WAITERS = 256, FF_GPU_TEXT = 64, FF_GPU_TASK_TEXT = 40 };

enum { FF_GPU_LOCK_AT = 1 << 24 };
#define FF_GPU_WAITER_AT (1ll << 32)
#define FF_GPU_LEASE_AT  (1ll << 48)

#define FF_GPU_DEFAULT_PATH "/dev/shm/farfield-gpus"

enum ff_gpu_flags { FF_GPU_PRETEND = 1 };

struct ff_gpu_holder {
    int32_t pid; /* 0: none is written down */
    uint32_t uid;
    uint64_t start_ticks;
    int64_t since_ns; /* wall clock */
    char task[FF_GPU_TASK_TEXT];
};

struct ff_gpu_entry {
    char uuid[FF_GPU_TEXT];
    char name[FF_GPU_TEXT];
    uint32_t flags;
    uint32_t minor; /* N of /dev/nvidiaN */
    struct ff_gpu_holder holder;
};

struct ff_gpu_waiter {
    uint64_t ticket;
    uint32_t mask; /* devices it may have, a bit each */
    uint32_t wanted;
};

struct ff_gpu_table {
    uint32_t magic;
    uint32_t version;
    uint64_t checksum; /* over all that follows, up to the last waiter in use */
    uint64_t generation;
    uint64_t next_ticket;
    uint32_t device_count;
    uint32_t waiter_count;
    uint8_t links[FF_GPU_CAPACITY][FF_GPU_CAPACITY]; /* higher is nearer */
    struct ff_gpu_entry devices[FF_GPU_CAPACITY];
    struct ff_gpu_waiter waiters[FF_GPU_WAITERS]; /* in the order of their tickets */
};

/* Replaces %n by the node's name (SLURMD_NODENAME, else the host's) and %% by %. */
int ff_gpu_path_expand(const char *pattern, char *path, size_t size,
                       struct ff_error *error) FF_MUST_USE;

/* Opens the file; makes it, readable and writable by all, only when it is not there. A link, or something that is not
 * a regular file, is refused. Returns the descriptor. */
int ff_gpu_file_open(const char *path, struct ff_error *error) FF_MUST_USE;

/* One more open file description of the same file. */
int ff_gpu_file_again(int fd, struct ff_error *error) FF_MUST_USE;

/* The short exclusive lock under which the table changes; waits at most `wait_ms` (FF_BUSY names the file), and takes
 * the file at `path` anew when it has been replaced: *fd may change. */
int ff_gpu_file_lock(int *fd, const char *path, int wait_ms, struct ff_error *error) FF_MUST_USE;
void ff_gpu_file_unlock(int fd);

/* Whether `fd` is still the file at `path`. */
bool ff_gpu_file_is_current(int fd, const char *path);

/* Where the lock of a device stands: by its UUID alone, whatever the table says. */
int64_t ff_gpu_lease_byte(const char *uuid);

/* Byte locks: whether somebody else's description holds one, and taking and dropping one without waiting. */
bool ff_gpu_byte_is_locked(int fd, int64_t byte);
int ff_gpu_byte_lock(int fd, int64_t byte) FF_MUST_USE;
void ff_gpu_byte_unlock(int fd, int64_t byte);

/* The newest sound copy; an empty table when there is none. Without the lock it may be a moment old. */
void ff_gpu_table_read(int fd, struct ff_gpu_table *table);

/* Over the older copy; only under the lock. */
int ff_gpu_table_write(int fd, struct ff_gpu_table *table, struct ff_error *error) FF_MUST_USE;

#endif
