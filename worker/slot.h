/*
 * worker/slot.h: a place for one runner: started, fed, killed, buried.
 */
#ifndef FF_WORKER_SLOT_H
#define FF_WORKER_SLOT_H

#include "protocol/core/loop.h"
#include "worker/child.h"
#include "worker/slots.h"
#include "worker/work.h"

struct ff_slot {
    struct ff_manager *manager;
    unsigned number;
    enum ff_slot_state state;
    size_t core_begin; /* into manager->cores */
    size_t core_count;
    struct ff_child *child;
    struct ff_watch *channel_watch;
    struct ff_watch *output_watch;
    struct ff_timer *timer;
    bool timer_set;
    bool watches_out; /* the channel is full */
    struct ff_group *group;
    struct ff_work_list calls; /* handed to the runner, in order */
    struct ff_gpu_lease *lease;
    unsigned slots_taken; /* 1 + those lent to this one */
    struct ff_slot *lent_to;
    uint32_t sent;   /* last serial */
    uint32_t flags;  /* enum ff_function_flags of the runner's function */
    int64_t head_ns; /* when the first call came to be first (and the runner was ready) */
    int64_t kill_ns; /* when the grace of a call that was asked to end is over; 0: none was asked */
    int64_t used_ns;
    bool was_starting;    /* when it was killed */
    bool lost_on_devices; /* a call, says its function: the lease is not for its retry */
    bool is_reaped;       /* its pid may be a stranger's by now */
    char loss[256];       /* why it was killed, when the manager has a reason of its own */
    char line[1024];      /* of output that has no end yet */
    size_t line_size;
};

int ff_slots_open(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_slots_close(struct ff_manager *manager);

/* Gives an EMPTY slot a runner for the group. On failure the lease stays the caller's. */
int ff_slot_start(struct ff_slot *slot, struct ff_group *group, struct ff_gpu_lease *lease,
                  struct ff_error *error) FF_MUST_USE;

/* Kills the runner with all that it started. `why` is told with the call that is lost by it; NULL: nothing beside how
 * the process ended. */
void ff_slot_kill(struct ff_slot *slot, const char *why);

/* Writes what was put into the channels since the last sleep. */
void ff_slots_flush(struct ff_manager *manager);

/* SIGCHLD. */
void ff_slots_reap(struct ff_manager *manager);

#endif
