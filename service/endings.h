/*
 * service/endings.h: how attempts end, whoever ends them: outcomes of endpoints, losses,
 * cancellations. The only place that ends a task.
 *
 * Endings are made in the loop or under the lock, several to a job, and belong to the committer
 * from ff_endings_submit on.
 */
#ifndef FF_SERVICE_ENDINGS_H
#define FF_SERVICE_ENDINGS_H

#include "service/save.h"

/* One attempt that has ended. */
struct ff_ending {
    struct ff_task *task;
    bool again; /* it is tried again: the trial is written, else the result */
    bool known; /* the ledger has a result already, which stays */
    struct ff_result_row result;
    struct ff_trial_row trial;
};

struct ff_endings;

/* Room for `capacity` of them; `text` is copied, for their rows to point into. NULL: no memory. */
struct ff_endings *ff_endings_create(struct ff_service *service, uint32_t capacity,
                                     struct ff_span text) FF_MUST_USE;
/* The copy. */
struct ff_span ff_endings_text(const struct ff_endings *endings);

/* Adds that of a task, which is `ending` from now on; one of the three below then says how. */
struct ff_ending *ff_endings_add(struct ff_endings *endings, struct ff_task *task);
/* Takes the last one back. */
void ff_endings_take_back(struct ff_endings *endings);

void ff_ending_fail(struct ff_ending *ending, enum ff_error_code code, const char *message);
void ff_ending_cancel(struct ff_ending *ending);
/* A loss: another attempt, or the end when there were enough, or it was cancelled. */
void ff_ending_lose(struct ff_ending *ending, bool uncharged);

/* Hands them to the committer; nothing is left of them where there are none. */
void ff_endings_submit(struct ff_endings *endings);

/* Ends a live task without its endpoint (cancelled before it was given, or its endpoint is away);
 * the task must not be `ending`. Under the lock. `done` is called when it is durable; it may be
 * NULL. */
void ff_task_cancel_here(struct ff_service *service, struct ff_task *task, ff_saved *done,
                         void *user);

/* Ends a queued task that cannot be given to its endpoint. Under the lock. false: no memory, and it
 * stays queued. */
bool ff_task_fail_here(struct ff_service *service, struct ff_task *task,
                       const struct ff_error *error);

/* Cancels all tasks of an endpoint that was deleted: nobody will run them. Under the lock. */
void ff_endpoint_cancel_tasks(struct ff_service *service, struct ff_endpoint *endpoint);

#endif
