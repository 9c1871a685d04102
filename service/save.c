#include "service/save.h"

#include "protocol/core/log.h"

#include <stdlib.h>
#include <string.h>

struct saving {
    struct ff_job job;
    struct ff_service *service;
    struct ff_endpoint *endpoint; /* or */
    struct ff_trial_row trial;
    ff_saved *done;
    void *user;
};

static int write_lease(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct saving *saving = (struct saving *)job;
    const struct ff_endpoint *endpoint = saving->endpoint;
    char host[sizeof endpoint->holder_host];
    /* A copy under the lock, so that the row is one state of the entry. */
    pthread_mutex_lock(&saving->service->lock);
    struct ff_endpoint_row row = {.key = endpoint->key,
                                  .holder = endpoint->holder,
                                  .holder_pid = endpoint->holder_pid,
                                  .seen_ns = endpoint->seen_ns};
    memcpy(host, endpoint->holder_host, sizeof host);
    pthread_mutex_unlock(&saving->service->lock);
    row.holder_host = ff_span_of(host);
    return store->ops->put_lease(store, &row, error);
}

static int write_trial(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct saving *saving = (struct saving *)job;
    return store->ops->put_trial(store, &saving->trial, error);
}

static void saved(struct ff_job *job, const struct ff_error *error)
{
    struct saving *saving = (struct saving *)job;
    if (saving->done != NULL)
        saving->done(saving->user, error);
    else if (error != NULL)
        ff_log_error("the lease of an endpoint was not written", error);
    free(saving);
}

static void submit(struct ff_service *service, struct saving *saving, ff_saved *done, void *user)
{
    if (saving == NULL) {
        struct ff_error error;
        ff_fail(&error, FF_NO_MEMORY, "no memory for a write");
        if (done != NULL)
            done(user, &error);
        return;
    }
    saving->service = service;
    saving->job.rows = 1;
    saving->job.done = saved;
    saving->done = done;
    saving->user = user;
    ff_committer_submit(service->committer, &saving->job);
}

void ff_endpoint_save_lease(struct ff_service *service, struct ff_endpoint *endpoint)
{
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving != NULL) {
        saving->endpoint = endpoint;
        saving->job.write = write_lease;
    }
    submit(service, saving, NULL, NULL);
}

void ff_task_save_asked(struct ff_service *service, struct ff_task *task, ff_saved *done,
                        void *user)
{
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving != NULL) {
        const struct ff_task_detail *detail = task->detail;
        saving->job.write = write_trial;
        saving->trial = (struct ff_trial_row){
            .key = ff_task_key_of(task),
            .number = task->number,
            .charged = task->charged,
            .uncharged = task->uncharged,
            .asked = task->asked,
        };
        if (detail != NULL) {
            saving->trial.checkpoint = detail->checkpoint;
            saving->trial.checkpoint_size = detail->checkpoint_size;
        }
    }
    submit(service, saving, done, user);
}

/* ---- batches that have ended ---- */

enum { CLOSED_AT_ONCE = 256, CLOSED_TASKS = 4096 };

struct closing {
    struct ff_job job;
    struct ff_ended_batches batches;
};

static int write_closing(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct closing *closing = (struct closing *)job;
    int result = 0;
    for (size_t i = 0; result == 0 && i < closing->batches.count; i++)
        result = store->ops->close_batch(store, closing->batches.firsts[i], error);
    return result;
}

static void closed(struct ff_job *job, const struct ff_error *error)
{
    struct closing *closing = (struct closing *)job;
    (void)error; /* the next start finds them open, sees that they have ended, and closes them */
    free(closing->batches.firsts);
    free(closing);
}

void ff_batches_close(struct ff_service *service, bool all)
{
    struct ff_ended_batches *ended = ff_ledger_ended_batches(service->ledger);
    if (ended->count == 0 || (!all && ended->count < CLOSED_AT_ONCE && ended->tasks < CLOSED_TASKS))
        return;
    struct closing *closing = calloc(1, sizeof *closing);
    if (closing == NULL)
        return;
    closing->job.rows = (uint32_t)ended->count;
    closing->job.write = write_closing;
    closing->job.done = closed;
    closing->batches = *ended;
    *ended = (struct ff_ended_batches){NULL, 0, 0, 0};
    ff_committer_submit(service->committer, &closing->job);
}
