/*
 * worker/child.h: one runner process, as its manager holds it.
 */
#ifndef FF_WORKER_CHILD_H
#define FF_WORKER_CHILD_H

#include "worker/call_channel.h"
#include "worker/turn.h"

#include <sys/types.h>

struct ff_child {
    pid_t pid;
    struct ff_channel *channel;
    struct ff_turn *turn;
    int output; /* its standard output and error; not blocking; -1 after its end */
};

/* Starts the program `runner` in a session of its own, with default signals and nothing inherited but what it needs. It then waits
 * for RUNNER_SETUP. */
struct ff_child *ff_child_start(const char *runner, struct ff_error *error) FF_MUST_USE;

/* Kills it with all that it started; the parent gets SIGCHLD. */
void ff_child_kill(const struct ff_child *child);

/* After it was reaped. NULL is fine. */
void ff_child_destroy(struct ff_child *child);

/* "was ended by signal 11 (Segmentation fault)", "ended with exit status 3". */
void ff_child_describe_end(int status, char *text, size_t size);

#endif
