/*
 * worker/runner_link.h: a runner's end of its channel: blocking, used by two threads.
 *
 * Calls run in the main thread. A second one sleeps until the manager is gone, and then kills all that the runner has
 * started and ends it; and it sends the newest progress when the function itself has fallen silent.
 */
#ifndef FF_WORKER_RUNNER_LINK_H
#define FF_WORKER_RUNNER_LINK_H

#include "protocol/codec.h"

struct ff_runner_link;

/* Over descriptor `fd`, which it takes. */
struct ff_runner_link *ff_runner_link_open(int fd, struct ff_error *error) FF_MUST_USE;

/* The next frame, waited for; valid until the next one. Ends the process when the manager is gone. */
struct ff_span ff_runner_link_next(struct ff_runner_link *link);

/* The descriptor that came with a frame, or -1. */
int ff_runner_link_take_fd(struct ff_runner_link *link);

/* Sends a frame. */
void ff_runner_link_send(struct ff_runner_link *link, struct ff_span frame);

/* Sends progress, at most FF_PROGRESS_PER_SECOND; the newest wins. */
void ff_runner_link_progress(struct ff_runner_link *link, const struct ff_progress *progress);

/* Sends progress that waits for its time at once: its call ends. */
void ff_runner_link_flush_progress(struct ff_runner_link *link);

#endif
