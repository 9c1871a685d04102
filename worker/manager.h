/*
 * worker/manager.h: the manager of one node: what its rooms share. Each room has a header of its own:
 *
 *   work.h      the attempts that this node holds
 *   uplink.h    the session with the agent
 *   objects.h   functions, arguments, large values
 *   leases.h    works that wait for GPUs; warm.h: runners that keep them for a while
 *   dispatch.h  which work goes to which slot
 *   leaving.h   its end, and that of its block
 *   slot.h      runners in slots; call.h: a call in a slot; speech.h: what a runner says
 */
#ifndef FF_WORKER_MANAGER_H
#define FF_WORKER_MANAGER_H

#include "protocol/core/loop.h"
#include "worker/settings.h"
#include "worker/work.h"

struct ff_child;
struct ff_chores;
struct ff_uplink;
struct ff_objects;
struct ff_leases;
struct ff_slot;

struct ff_manager {
    struct ff_settings settings;
    struct ff_loop *loop;
    char *runner; /* path of the program */
    char *shell;  /* path of the function shell.so */
    char *cache;  /* folder for functions */
    char *tasks;  /* folder of the tasks' folders */
    int *cores;
    size_t core_count;
    struct ff_slot *slots;
    size_t slot_count;
    struct ff_chores *removals; /* of folders that dead runners had lent */
    struct ff_child *spare;     /* started, waits for its setup */
    bool spare_failed; /* the last one did not live: none is started ahead until one does */
    struct ff_work **buckets;
    struct ff_work_list fetching, leasing, resting, storing, ended;
    struct ff_group *groups;
    unsigned work_count;
    uint64_t next_sequence;
    struct ff_uplink *uplink;
    struct ff_objects *objects;
    struct ff_leases *leases;
    struct ff_timer *warm_timer; /* while runners idle with a lease */
    struct ff_prepare *prepare;
    struct ff_buffer frame; /* of messages to runners */
    bool draining;          /* takes nothing new, and leaves when nothing is left */
    bool hurried;           /* and ends what runs */
    bool block_ends;        /* for that reason */
    bool signalled;         /* by the scheduler, which may have signalled what runs as well */
    bool overdue;           /* and waits for nothing any more */
    bool abandoned;         /* its agent has not come back */
    bool dispatch_wanted;
    struct ff_timer *rest_timer; /* when what rests is given back */
    bool is_resting;             /* it is set */
    int64_t rest_ms;             /* doubles with each rest; back to the least with an answer */
    int64_t leaves_ns; /* wall clock at which it leaves because its block ends; 0: never */
    struct ff_timer *leave_timer; /* in a hurry: at killed_ns what still runs is killed */
    int64_t killed_ns;            /* monotonic */
    struct ff_timer *ends_timer;  /* at leaves_ns */
    struct ff_error failure;      /* for which it ends; code FF_OK: none */
    char text[256];               /* of the message that is made at the moment */
};

#endif
