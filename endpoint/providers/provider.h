/*
 * endpoint/providers/provider.h: what starts blocks: one table of operations for each way to get nodes.
 *
 * A block is a job of the provider that runs farfield-manager on each of its nodes. Nothing here may block the loop: a
 * provider that has to ask another program (sbatch, squeue) does so in a child and tells the result later by the events.
 * What it needs to find the job again after a restart of the agent is the handle, a line of text that the agent keeps.
 */
#ifndef FF_ENDPOINT_PROVIDERS_PROVIDER_H
#define FF_ENDPOINT_PROVIDERS_PROVIDER_H

#include "protocol/core/loop.h"

enum { FF_HANDLE_SIZE = 256 };

enum ff_block_state {
    FF_BLOCK_PENDING, /* submitted; the provider has not started it */
    FF_BLOCK_RUNNING,
    FF_BLOCK_ENDED, /* for whatever reason; nothing follows */
};

/* One job, as the provider keeps it. */
struct ff_provider_job;

struct ff_provider_events {
    void *user; /* of the job */
    /* The state has changed, or the handle is known now. Never called from inside submit or adopt. `why` says in words
     * what the block waits for, or why it ended. */
    void (*changed)(void *user, enum ff_block_state state, const char *handle, const char *why);
};

struct ff_provider {
    const char *name;
    /* Whether nodes may come that have more than any node seen so far. */
    bool grows;

    /* Starts a block: `command` (NULL-ended, absolute program first) on each node, output appended to `log`. */
    struct ff_provider_job *(*submit)(struct ff_loop *loop, const char *const command[],
                                      const char *log, const struct ff_provider_events *events,
                                      struct ff_error *error);

    /* Finds a block of an earlier agent again. NULL with FF_NOT_FOUND when it has ended, with
     * FF_UNREACHABLE when this machine cannot tell. */
    struct ff_provider_job *(*adopt)(struct ff_loop *loop, const char *handle,
                                     const struct ff_provider_events *events,
                                     struct ff_error *error);

    /* Its handle; "" while it is not known. */
    const char *(*handle)(const struct ff_provider_job *job);

    /* Ends the block: in order, or at once. `changed` tells when it has. */
    void (*cancel)(struct ff_provider_job *job, bool at_once);

    /* Forgets the job without touching it. */
    void (*release)(struct ff_provider_job *job);

    /* For the doctor: whether this provider can work here. */
    int (*check)(struct ff_error *error);
};

/* By name, from the table in providers.c; NULL: there is none. */
const struct ff_provider *ff_provider_find(const char *name);

/* The rows of that table. */
extern const struct ff_provider ff_provider_local;

#endif
