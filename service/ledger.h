/*
 * service/ledger.h: the live tasks, in memory: every task that was accepted and has no durable
 * result yet.
 *
 * Tasks live in the batches they were submitted in: one allocation a batch, found by key in a
 * sorted list. What few tasks have (a reason to wait, progress, a trace) stands in a detail that
 * is made when it is needed.
 *
 * Invariants: a task is in the queue of its endpoint exactly when it is `queued`; it has a current
 * attempt exactly when it is not queued and was delivered or announced; while `ending`, an outcome
 * of it is on its way to the disk and nothing else may end it; it leaves the ledger when its
 * result is durable. Guarded by the lock of the service.
 */
#ifndef FF_SERVICE_LEDGER_H
#define FF_SERVICE_LEDGER_H

#include "service/catalog.h"
#include "service/trace.h"
#include "service/waiters.h"

#include <pthread.h>

struct ff_batch;

/* What only some tasks have. */
struct ff_task_detail {
    char *why, *devices, *numbers; /* NULL: none */
    double fraction;
    bool has_progress;
    struct ff_trace *trace;
    struct ff_buffer previews; /* names of previews, as the members of a JSON array */
    struct ff_wait_list waiters;
    struct ff_digest checkpoint;
    uint64_t checkpoint_size;
};

struct ff_task {
    struct ff_id id;
    struct ff_batch *batch;
    struct ff_task *next, *previous; /* in the queue */
    const char *payload;             /* in batch->text; NULL: to be read from the store */
    uint64_t payload_size;
    struct ff_attempt attempt; /* the current one; {0, 0}: none */
    int64_t delivered_ns;
    struct ff_task_detail *detail; /* NULL: none */
    const char *node;              /* NULL: not known */
    uint32_t number;               /* attempts as people count; 0 before the first */
    uint32_t announced;            /* the endpoint's generation in which it was announced */
    uint8_t state, asked, charged, uncharged;
    bool queued, ending, ended, is_object;
    bool held; /* counts in the window of its endpoint */
};

struct ff_batch {
    int64_t first;
    uint32_t count;
    uint32_t live;        /* without durable result */
    uint32_t undelivered; /* whose arguments stand in `text` and are still needed */
    struct ff_id group, request;
    struct ff_endpoint *endpoint;
    struct ff_lane *lane; /* from ff_ledger_add on */
    struct ff_function *function;
    char *user;
    char priority[17];
    int64_t submitted_ns, accepted_ns;
    uint32_t devices, cores, nodes, max_retries;
    uint64_t time_limit_ms;
    char *text; /* the arguments of its tasks; NULL: in the store alone */
    size_t text_size;
    struct ff_wait_list waiters; /* for the end of its last task */
    struct ff_task tasks[];
};

/* Tasks submitted together, over all their batches; in memory while somebody looks at them. */
struct ff_group_run {
    int64_t first;
    uint32_t count;
};
struct ff_group_end {
    int64_t seq, key;
};
struct ff_group {
    struct ff_group *next; /* of the same bucket */
    struct ff_id id;
    uint64_t serial;  /* of this entry */
    bool incomplete;  /* only what was committed since the entry was made */
    unsigned readers; /* who read the rest from the store */
    char *user;       /* NULL: not known yet */
    struct ff_group_run *runs;
    size_t run_count, run_capacity;
    struct ff_group_end *ends; /* by seq */
    size_t end_count, end_capacity;
    uint64_t total;
    int64_t used_ns;
    struct ff_wait_list waiters;
};

/* Batches whose tasks have all ended, and that the store still counts as open. */
struct ff_ended_batches {
    int64_t *firsts;
    size_t count, capacity;
    uint64_t tasks;
};

struct ff_ledger;

/* `waiters` is borrowed. */
struct ff_ledger *ff_ledger_create(const uint8_t secret[FF_ID_SECRET_SIZE],
                                   struct ff_waiters *waiters, struct ff_error *error) FF_MUST_USE;
void ff_ledger_destroy(struct ff_ledger *ledger);

/* Reads what a restart finds without result. */
int ff_ledger_load(struct ff_ledger *ledger, struct ff_store *store,
                   const struct ff_catalog *catalog, struct ff_error *error) FF_MUST_USE;

/* A batch with room for `count` tasks; ids are those of first, first + 1, …. */
struct ff_batch *ff_batch_create(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t first,
                                 uint32_t count) FF_MUST_USE;
void ff_batch_destroy(struct ff_batch *batch);
int64_t ff_task_key_of(const struct ff_task *task);

/* Takes a committed batch over; its tasks wait for their endpoint. `new_group`: no other batch can
 * be of its group. */
void ff_ledger_add(struct ff_ledger *ledger, struct ff_batch *batch, bool new_group);

/* The live task of this id or key; NULL when there is none. An id is compared, never trusted. */
struct ff_task *ff_ledger_find(const struct ff_ledger *ledger, const struct ff_id *id);
struct ff_task *ff_ledger_find_key(const struct ff_ledger *ledger, int64_t key);

/* The batch of this key's task, while any task of it is live; NULL afterwards. */
struct ff_batch *ff_ledger_find_batch(const struct ff_ledger *ledger, int64_t key);

/* Its result is durable: wakes who waits, and forgets it (and with the last one its batch). */
void ff_ledger_end(struct ff_ledger *ledger, struct ff_task *task, enum ff_task_state state,
                   int64_t seq);

/* Whoever closes them in the store takes the list over and leaves it empty. */
struct ff_ended_batches *ff_ledger_ended_batches(struct ff_ledger *ledger);

/* Moves a live task as the table of states allows; false: not allowed. */
bool ff_ledger_move(struct ff_ledger *ledger, struct ff_task *task, enum ff_task_state state);

/* Its detail, made if need be; NULL when memory is out. */
struct ff_task_detail *ff_task_detail(struct ff_task *task);
/* Its trace, likewise; a new one begins with the present state. */
struct ff_trace *ff_task_trace(struct ff_task *task);
/* Adds an event to its trace, when it has one, and wakes its watchers. */
void ff_task_event(struct ff_ledger *ledger, struct ff_task *task, const struct ff_event *event,
                   struct ff_span text);
/* Replaces `*field` by a copy; empty gives NULL. */
void ff_task_set_text(char **field, struct ff_span text);

/* The trace of a task that ended lately; NULL when it is gone. */
const struct ff_trace *ff_ledger_old_trace(const struct ff_ledger *ledger, int64_t key);

/* A row of tasks. */
void ff_queue_push(struct ff_queue *queue, struct ff_task *task);
void ff_queue_push_front(struct ff_queue *queue, struct ff_task *task);
void ff_queue_remove(struct ff_queue *queue, struct ff_task *task);

/* The task's arguments have been sent: its copy of them in memory is no longer needed. */
void ff_batch_delivered(struct ff_ledger *ledger, struct ff_task *task);

/* Calls for every live task of an endpoint. */
void ff_ledger_each_of(struct ff_ledger *ledger, const struct ff_endpoint *endpoint,
                       void (*each)(void *user, struct ff_task *task), void *user);

/* How many are in this state: live ones now, ended ones since the start. */
uint64_t ff_ledger_count(const struct ff_ledger *ledger, enum ff_task_state state);

/* For the ledger itself: a batch was added, a task of a group has ended. */
struct ff_groups;
struct ff_groups *ff_groups_create(struct ff_waiters *waiters) FF_MUST_USE;
void ff_groups_destroy(struct ff_groups *groups);
void ff_groups_add(struct ff_groups *groups, const struct ff_batch *batch, bool new_group);
void ff_groups_end(struct ff_groups *groups, const struct ff_batch *batch, int64_t seq,
                   int64_t key);
struct ff_group *ff_groups_find(struct ff_groups *groups, pthread_mutex_t *lock,
                                struct ff_store *store, const struct ff_id *id,
                                struct ff_error *error);

/* The group of this id; NULL with FF_NOT_FOUND when there is none. `lock` is that of the service,
 * which the caller holds: it is given back while the group is read from the store, and held again
 * at the return. */
struct ff_group *ff_ledger_group(struct ff_ledger *ledger, pthread_mutex_t *lock,
                                 struct ff_store *store, const struct ff_id *id,
                                 struct ff_error *error);

#endif
