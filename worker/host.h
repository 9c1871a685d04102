/*
 * worker/host.h: the host side of functions/function.h: one call, from its message to its outcome.
 */
#ifndef FF_WORKER_HOST_H
#define FF_WORKER_HOST_H

#include "functions/function.h"
#include "worker/runner_link.h"
#include "worker/turn.h"

/* What all calls of a runner have in common. Owned by the runner. */
struct ff_host_setup {
    const struct ff_function *function;
    const char *cache;
    const char *tasks; /* where the folders of tasks lie */
    const char *node;
    const int *cores;
    uint32_t core_count;
    const char *const *devices;
    uint32_t device_count;
};

struct ff_host;

struct ff_host *ff_host_create(struct ff_runner_link *link, struct ff_turn *turn,
                               const struct ff_host_setup *setup,
                               struct ff_error *error) FF_MUST_USE;

/* Runs one call and sends its outcome; the processes that it left are killed. */
void ff_host_run(struct ff_host *host, const struct ff_invocation *invocation);

#endif
