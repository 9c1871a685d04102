/*
 * client/command/lifecycle.h: what `service` and `endpoint` verbs have in common: who runs, ending it, its log, and
 * programs that answer on standard output.
 */
#ifndef FF_CLIENT_COMMAND_LIFECYCLE_H
#define FF_CLIENT_COMMAND_LIFECYCLE_H

#include "protocol/core/process.h"

#include <stddef.h>

enum { FF_HOST_SIZE = 256 };

/* What a process file tells. On another host nobody can see from here whether it lives. */
struct ff_running {
    bool here;      /* it runs on this host */
    bool elsewhere; /* the file names another host */
    struct ff_process_id id;
    char host[FF_HOST_SIZE];
};

/* No file means that nothing runs. */
int ff_running_read(const char *process_path, struct ff_running *running,
                    struct ff_error *error) FF_MUST_USE;

/* Asks with SIGTERM (twice where `now`) and waits, with a progress line, until it is gone; FF_TIMED_OUT after
 * `limit_ms`. `what` names it for people: "the service". */
int ff_running_stop(const struct ff_running *running, const char *what, bool now, int limit_ms,
                    struct ff_error *error) FF_MUST_USE;

/* Runs argv[0] with standard error left to the user, and gives what it printed (terminated, at most 64 KiB, the caller
 * frees) and its exit status (128 + signal where one ended it). */
int ff_capture(const char *const argv[], char **printed, int *status,
               struct ff_error *error) FF_MUST_USE;

/* Prints the last `lines` lines of a log; then, where `follow`, what is added, until interrupted. With `json` each line
 * as {"type": "log", "text"}. Returns the exit status. */
int ff_log_show(const char *path, long lines, bool follow, bool json,
                struct ff_error *error) FF_MUST_USE;

/* Path of a file below FARFIELD_HOME, made of a format; the caller frees. */
char *ff_home_path(struct ff_error *error, const char *format, ...) FF_PRINTF(2, 3) FF_MUST_USE;

#endif
