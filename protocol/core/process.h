/*
 * protocol/core/process.h: processes by identity, not by bare number.
 *
 * A pid alone may name somebody else tomorrow; (pid, start time) does not. Every file that names a process holds both.
 */
#ifndef FF_PROTOCOL_CORE_PROCESS_H
#define FF_PROTOCOL_CORE_PROCESS_H

#include "protocol/core/error.h"

#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ff_process_id {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of /proc/PID/stat: clock ticks after boot */
};

/* The identity of a living process; -1 when there is none of that number. */
int ff_process_identify(pid_t pid, struct ff_process_id *id) FF_MUST_USE;

/* Whether exactly this process still lives (a zombie does not). */
bool ff_process_alive(struct ff_process_id id);

/*
 * Starts a program detached from this terminal and session, standard input from /dev/null, standard output and error
 * appended to `log_path`. The program says on file descriptor 3 how its start went: FF_READY and a line, or a line
 * with the reason; closing it without a word is a failure too. Waits at most `timeout_ms`. On success *id names the
 * running program, and `said` (of `said_size`) holds its line.
 */
int ff_process_start_daemon(const char *const argv[], const char *log_path, int timeout_ms,
                            struct ff_process_id *id, char *said, size_t said_size,
                            struct ff_error *error) FF_MUST_USE;

/*
 * posix_spawn of a program as a part of ours that lives on its own: in a session of its own, with no signal blocked and
 * none ignored. The actions say what becomes of its descriptors. 0, or an errno.
 */
int ff_process_spawn(const char *path, char *const argv[],
                     const posix_spawn_file_actions_t *actions, pid_t *pid) FF_MUST_USE;

/* For a program that was started as a daemon: tell the starter, once. Harmless when nobody waits. */
void ff_process_say_ready(const char *text);
void ff_process_say_failed(const struct ff_error *error);

/* Reads and writes files that hold one process of this host, this one or another: "PID START_TICKS HOST\n". */
int ff_process_file_write(const char *path, struct ff_error *error) FF_MUST_USE;
int ff_process_file_write_of(const char *path, struct ff_process_id id,
                             struct ff_error *error) FF_MUST_USE;
int ff_process_file_read(const char *path, struct ff_process_id *id, char *host, size_t host_size,
                         struct ff_error *error) FF_MUST_USE;

/* Sends a signal to exactly this process (through a pidfd). 0 also when it is gone. */
int ff_process_signal(struct ff_process_id id, int signal_number,
                      struct ff_error *error) FF_MUST_USE;

/* Waits until it is gone, at most timeout_ms; -1 with FF_TIMED_OUT. */
int ff_process_wait_gone(struct ff_process_id id, int timeout_ms,
                         struct ff_error *error) FF_MUST_USE;

/*
 * Opens the lock file (made when it is not there) and locks it until this process ends, however that is. A process that
 * was killed holds its lock for a moment after it counts as dead, until its last thread has ended: while the one that
 * `process_path` names is dead, this waits up to FF_LOCK_PATIENCE_MS. Returns the descriptor, or -1 with errno: EAGAIN or
 * EACCES when another process has the lock.
 */
enum { FF_LOCK_PATIENCE_MS = 5000 };
int ff_process_lock(const char *lock_path, const char *process_path) FF_MUST_USE;

#endif
