/*
 * worker/manager.h: what the rooms of a manager share. Who owns what:
 *
 *   works.c     the attempts that this node holds, from TASKS to RECEIPTS, and the groups of those that can share a runner
 *   uplink.c    the session with the agent; what it says becomes calls of works.c, what is to be said is gathered there
 *   objects.c   functions and arguments from the agent's cache; large values towards the service
 *   leases.c    works that wait for GPUs
 *   dispatch.c  which work goes to which slot, and when
 *   slot.c      runners in slots: started, fed, killed, buried
 *   call.c      a call in a slot: handing over, time limits, ends and deaths
 *   speech.c    what a runner says
 *
 * The way of a work:
 *
 *   FETCHING ──objects are here──► LEASING ──GPUs──► READY ──a slot──► HANDED ──outcome──► STORING ──► ENDED ──receipt──► (forgotten)
 *                                     (only with devices)  ◄──recalled──┘            (only large values)
 *
 * Where this node cannot do what a work needs before it has begun (no process, no folder, no object), the work is RESTING
 * for a moment and then given back (ENDED: lost, uncharged, unbegun), so that a node in trouble does not spin.
 */
#ifndef FF_WORKER_MANAGER_H
#define FF_WORKER_MANAGER_H

#include "protocol/codec.h"
#include "protocol/core/loop.h"
#include "worker/child.h"
#include "worker/gpu/registry.h"
#include "worker/log_tail.h"
#include "worker/settings.h"
#include "worker/slots.h"

struct ff_chores;
struct ff_manager;
struct ff_uplink;
struct ff_objects;
struct ff_leases;
struct ff_group;
struct ff_slot;

enum ff_work_place {
    FF_WORK_FETCHING,
    FF_WORK_LEASING,
    FF_WORK_READY,
    FF_WORK_HANDED,
    FF_WORK_RESTING,
    FF_WORK_STORING,
    FF_WORK_ENDED
};

/* One attempt. Spans point into `copy`. */
struct ff_work {
    struct ff_work *next_in_bucket;
    struct ff_work *next; /* in the list of its place */
    struct ff_work *previous;
    struct ff_work_list *list;
    struct ff_manager *manager;
    enum ff_work_place place;
    struct ff_order order;
    uint8_t *copy;
    uint64_t sequence; /* of arrival */
    struct ff_group *group;
    char *arguments_path; /* when the arguments are an object */
    unsigned fetches;     /* objects that are still missing */
    uint32_t serial;      /* while handed: among the calls of its runner */
    struct ff_slot *slot; /* while handed */
    int64_t received_ns;
    int64_t handed_ns;
    bool reported;  /* as running */
    bool cancelled; /* the user wants it to end */
    bool limited;   /* its time limit has passed */
    int stop;       /* enum ff_stop that was asked for while it was not running */
    struct ff_gpu_claim *claim;
    struct ff_gpu_lease *lease;
    struct ff_log_tail *tail;
    double preview_tokens;
    int64_t previewed_ns;
    unsigned stores;           /* how often its value was refused */
    bool stores_again;         /* when the rest is over */
    struct ff_outcome pending; /* while it rests or its value is stored; texts in pending_text */
    char *pending_text;
    struct ff_buffer value; /* while storing */
    uint8_t *outcome;       /* the item as it goes over the wire, from the end until the receipt */
    size_t outcome_size;
    uint8_t
        small_outcome[128]; /* what `outcome` points to when there was no memory for the real one */
};

struct ff_work_list {
    struct ff_work *first;
    struct ff_work *last;
    unsigned count;
};

/* Works that one runner can serve after each other: same submitter, function and needs. */
struct ff_group {
    struct ff_group *next;
    char user[129];
    char name[65];
    struct ff_digest digest;
    bool shell;
    uint32_t devices;
    uint32_t cores;
    struct ff_work_list ready;
    unsigned works;   /* that name this group; without any it goes after a while */
    bool blocked;     /* in the present pass of dispatch */
    bool own_process; /* each call wants a process of its own */
    bool known;       /* a runner has said READY, so own_process counts */
    int64_t run_ns;   /* moving mean of what a call takes; -1: none has ended yet */
    char function_path[PATH_MAX];
    char *body; /* shell: the template */
    size_t body_size;
};

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
    bool was_starting; /* when it was killed */
    bool is_reaped;    /* its pid may be a stranger's by now */
    char loss[256];    /* why it was killed, when the manager has a reason of its own */
    char line[1024];   /* of output that has no end yet */
    size_t line_size;
};

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
    struct ff_prepare *prepare;
    struct ff_buffer frame; /* of messages to runners */
    bool draining;          /* takes nothing new, and leaves when nothing is left */
    bool hurried;           /* and ends what runs */
    bool overdue;           /* and waits for nothing any more */
    bool dispatch_wanted;
    struct ff_timer *rest_timer;  /* when what rests is given back */
    bool is_resting;              /* it is set */
    int64_t rest_ms;              /* doubles with each rest; back to the least with an answer */
    struct ff_timer *leave_timer; /* in a hurry: when what still runs is killed */
    struct ff_timer *ends_timer;  /* shortly before the block ends */
    struct ff_error failure;      /* for which it ends; code FF_OK: none */
    char text[256];               /* of the message that is made at the moment */
};

/* ---- manager_main.c ---- */

/* Drains: takes nothing new, gives back what has not begun, and leaves when the last outcome has its receipt. `hurried`:
 * what runs is asked for a checkpoint, and killed after a while; and a receipt that cannot come is not waited for. */
void ff_manager_leave(struct ff_manager *manager, bool hurried);

/* ---- works.c ---- */

int ff_works_open(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_works_close(struct ff_manager *manager);
struct ff_work *ff_works_find(const struct ff_manager *manager, const struct ff_id *task,
                              struct ff_attempt attempt);

/* TASKS: takes an order on; one that is held already is ignored. */
void ff_works_order(struct ff_manager *manager, const struct ff_order *order);

/* CONTROL, RECEIPTS. */
void ff_works_control(struct ff_manager *manager, const struct ff_control *control);
void ff_works_receipt(struct ff_manager *manager, const struct ff_receipt *receipt);

/* Its objects are here and its devices leased: to the group's ready list; `first` for one that was recalled. */
void ff_work_ready(struct ff_work *work, bool first);

/* Puts a work into another list. */
void ff_work_move(struct ff_work *work, struct ff_work_list *list, enum ff_work_place place);

/* Ends a work that no runner has and that has not begun, with an error of ours: for good where the error is the work's own;
 * where it is this node's the work is given back after a rest. */
void ff_work_fail(struct ff_work *work, const struct ff_error *error);
void ff_work_cancel(struct ff_work *work);

/* A call was answered: the node is not in trouble. */
void ff_works_well(struct ff_manager *manager);

/* Gives it back: lost, uncharged; `begun` tells whether its function may have begun. */
void ff_work_give_back(struct ff_work *work, bool begun, const char *why);

/* Ends a work: fills in what the manager knows, keeps the outcome until its receipt, and sends it. */
void ff_work_end(struct ff_work *work, struct ff_outcome *outcome);

/* Ends a work whose value is too large for a message: the value becomes an object first. */
void ff_work_end_large(struct ff_work *work, const struct ff_outcome *outcome);

/* Everything that is not running is given back; for draining. */
void ff_works_give_back_all(struct ff_manager *manager, const char *why);

/* The state that the protocol knows it by. */
enum ff_task_state ff_work_state(const struct ff_work *work);

/* Over all works, in no order: the one behind `work`, or the first. None may be added or removed between. */
struct ff_work *ff_works_next(const struct ff_manager *manager, const struct ff_work *work);

/* ---- uplink.c ---- */

struct ff_uplink *ff_uplink_create(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_uplink_destroy(struct ff_uplink *uplink, const char *farewell);
bool ff_uplink_is_open(const struct ff_uplink *uplink);

/* Each is gathered and sent before the loop sleeps; dropped while the link is away. */
void ff_uplink_report(struct ff_uplink *uplink, const struct ff_report *report);
void ff_uplink_progress(struct ff_uplink *uplink, struct ff_span raw);
void ff_uplink_line(struct ff_uplink *uplink, const struct ff_line *line);
void ff_uplink_outcome(struct ff_uplink *uplink, struct ff_span raw);

/* Sent as it is, after what was gathered; a preview is dropped while the link is slow. */
void ff_uplink_preview(struct ff_uplink *uplink, struct ff_span frame);
void ff_uplink_send(struct ff_uplink *uplink, struct ff_span frame);
bool ff_uplink_flush(struct ff_uplink *uplink);

/* Tells the agent that nothing new is wanted. */
void ff_uplink_say_draining(struct ff_uplink *uplink, const char *why);

/* ---- objects.c ---- */

struct ff_objects *ff_objects_create(struct ff_manager *manager,
                                     struct ff_error *error) FF_MUST_USE;
void ff_objects_destroy(struct ff_objects *objects);

/* 1: the object lies at `path`, whole and verified. 0: it is fetched; ff_work_fetched is called for `work` then. -1: it
 * cannot be had. */
int ff_objects_need(struct ff_objects *objects, const struct ff_digest *digest, uint64_t size,
                    struct ff_work *work, char path[PATH_MAX], struct ff_error *error) FF_MUST_USE;

/* The work wants nothing more. */
void ff_objects_forget(struct ff_objects *objects, struct ff_work *work);

/* Stores the work's value; ff_work_stored is called when the service has it. */
int ff_objects_store(struct ff_objects *objects, struct ff_work *work,
                     struct ff_error *error) FF_MUST_USE;
void ff_objects_part(struct ff_objects *objects, const struct ff_part *part);
void ff_objects_stored(struct ff_objects *objects, const struct ff_part *part);

/* The link is open again: asks anew for all that is missing. */
void ff_objects_online(struct ff_objects *objects);

/* Called by objects.c; error NULL: it is there. */
void ff_work_fetched(struct ff_work *work, const struct ff_error *error);
void ff_work_stored(struct ff_work *work, const struct ff_digest *digest,
                    const struct ff_error *error);

/* ---- leases.c ---- */

struct ff_leases *ff_leases_create(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_leases_destroy(struct ff_leases *leases);
unsigned ff_leases_devices(const struct ff_leases *leases);

/* Gets the work its devices, now or later; then ff_work_ready. */
void ff_leases_want(struct ff_leases *leases, struct ff_work *work);
void ff_leases_forget(struct ff_leases *leases, struct ff_work *work);

/* Keeps a lease for the next attempt of the task, for a moment. */
void ff_leases_keep(struct ff_leases *leases, struct ff_gpu_lease *lease, const struct ff_id *task);

/* A lease that a slot no longer needs. */
void ff_leases_release(struct ff_leases *leases, struct ff_gpu_lease *lease);

/* ---- dispatch.c ---- */

/* Hands ready works to slots, as many as fit. Run before the loop sleeps, when dispatch_wanted. */
void ff_dispatch(struct ff_manager *manager);

/* Keeps one started runner ready. */
void ff_dispatch_refill(struct ff_manager *manager);

/* ---- slot.c: runners in slots ---- */

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

/* ---- call.c: a call in a slot: handing over, its clock, what is asked of it, its end ---- */

/* Sends a work to the runner of a slot (STARTING, IDLE or BUSY). */
void ff_slot_hand(struct ff_slot *slot, struct ff_work *work);

/* The runner is ready, or the first call has ended: the next one is first and may begin. */
void ff_slot_begin_head(struct ff_slot *slot);

/* Does what is due for the call that runs: reports, recalls those behind it, its time limit, the end of its grace. */
void ff_slot_check(struct ff_slot *slot);

/* CONTROL for a work that is handed. */
void ff_handed_cancel(struct ff_work *work);
void ff_handed_ask(struct ff_work *work, int stop);

/* Takes back what the runner has not begun. */
void ff_slot_recall(struct ff_slot *slot);

/* The call ended with this outcome; and: its runner died, with this status of wait. */
void ff_handed_answered(struct ff_work *work, struct ff_outcome *outcome);
void ff_handed_lost(struct ff_work *work, const struct ff_slot *slot, int status);

/* ---- speech.c: what a runner says ---- */

/* Takes all frames that are whole. -1: the runner broke the protocol, and was killed for it. */
int ff_slot_take_frames(struct ff_slot *slot);

#endif
