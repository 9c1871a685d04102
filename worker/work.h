/*
 * worker/work.h: the attempts that this node holds, from TASKS to RECEIPTS, and the groups of those that can share a
 * runner.
 *
 * The way of a work:
 *
 *   FETCHING ──objects are here──► LEASING ──GPUs──► READY ──a slot──► HANDED ──outcome──► STORING ──► ENDED ──receipt──► (forgotten)
 *                                     (only with devices)  ◄──recalled──┘            (only large values)
 *
 * Where this node cannot do what a work needs before it has begun (no process, no folder, no object), the work is RESTING
 * for a moment and then given back (ENDED: lost, uncharged, unbegun), so that a node in trouble does not spin.
 */
#ifndef FF_WORKER_WORK_H
#define FF_WORKER_WORK_H

#include "protocol/codec.h"
#include "worker/gpu/registry.h"
#include "worker/log_tail.h"

#include <limits.h>

struct ff_manager;
struct ff_slot;
struct ff_work_list;
struct ff_group;

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
        small_outcome[128]; /* for a short one: it needs no memory, so a bare loss always fits */
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

/* Whether it runs a function that writes checkpoints. */
bool ff_work_can_checkpoint(const struct ff_work *work);

/* Over all works, in no order: the one behind `work`, or the first. None may be added or removed between. */
struct ff_work *ff_works_next(const struct ff_manager *manager, const struct ff_work *work);

/* Objects, told by objects.c; error NULL: it is there. */
void ff_work_fetched(struct ff_work *work, const struct ff_error *error);
void ff_work_stored(struct ff_work *work, const struct ff_digest *digest,
                    const struct ff_error *error);

#endif
