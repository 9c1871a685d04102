/*
 * The endings of attempts, written and told. From the moment an ending is made its task is
 * `ending`; only after the commit does the endpoint get its receipt, the user the result, and a
 * lost task its next attempt. A commit that fails (a full disk) is tried again until it succeeds:
 * nothing is forgotten.
 */
#include "service/endings.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/lanes.h"
#include "service/router/router.h"

#include <stdlib.h>
#include <string.h>

struct ff_endings {
    struct ff_job job;
    struct ff_service *service;
    uint32_t count;
    char *text; /* what the spans of the rows point into */
    size_t text_size;
    ff_saved *done;
    void *user;
    struct ff_ending items[];
};

static void destroy(struct ff_endings *endings)
{
    free(endings->text);
    free(endings);
}

/* ---- in the committer's thread ---- */

static int keep_known(void *user, const struct ff_result_row *row)
{
    struct ff_ending *ending = user;
    ending->result.state = row->state;
    ending->result.seq = row->seq;
    return 0;
}

/* The first result of a task stays, whoever wrote it: a second one would be refused for ever. */
static int write_result(struct ff_endings *endings, struct ff_ending *ending,
                        struct ff_store *store, struct ff_error *error)
{
    ending->result.seq = atomic_fetch_add(&endings->service->next_seq, 1);
    ending->result.stored_ns = ff_wall_ns();
    int known = store->ops->put_result(store, &ending->result, error);
    ending->known = known > 0;
    if (known <= 0)
        return known;
    ff_log(FF_LOG_WARNING, "task key=%lld has a result in the ledger already: a second is dropped",
           (long long)ending->result.key);
    return store->ops->get_result(store, ending->result.key, keep_known, ending, error) < 0 ? -1
                                                                                            : 0;
}

static int write_endings(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct ff_endings *endings = (struct ff_endings *)job;
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < endings->count; i++) {
        struct ff_ending *ending = &endings->items[i];
        result = ending->again ? store->ops->put_trial(store, &ending->trial, error)
                               : write_result(endings, ending, store, error);
    }
    return result;
}

static void try_again(struct ff_service *service, struct ff_ending *ending)
{
    struct ff_task *task = ending->task;
    task->ending = false;
    task->charged = (uint8_t)ending->trial.charged;
    task->uncharged = (uint8_t)ending->trial.uncharged;
    if (ending->trial.checkpoint_size > 0 && ff_task_detail(task) != NULL) {
        task->detail->checkpoint = ending->trial.checkpoint;
        task->detail->checkpoint_size = ending->trial.checkpoint_size;
    }
    ff_ledger_move(service->ledger, task, FF_TASK_WAITING_FOR_EP);
    task->node = NULL;
    ff_lane_push_front(task);
    struct ff_event event = {.time_ns = ff_wall_ns(),
                             .type = FF_EVENT_STATE,
                             .number = task->state,
                             .attempt = task->number};
    if (task->detail != NULL)
        ff_task_set_text(&task->detail->why, ending->result.message);
    ff_task_event(service->ledger, task, &event, ending->result.message);
}

static void tell(struct ff_endings *endings)
{
    struct ff_service *service = endings->service;
    bool wake = false;
    pthread_mutex_lock(&service->lock);
    for (uint32_t i = 0; i < endings->count; i++) {
        struct ff_ending *ending = &endings->items[i];
        struct ff_task *task = ending->task;
        const struct ff_endpoint *endpoint = task->batch->endpoint;
        if (task->held)
            ff_router_note_receipt(task->batch->endpoint, &task->id, task->attempt, !ending->again);
        ff_router_release(task);
        if (ending->again) {
            try_again(service, ending);
        } else {
            if (!ending->known)
                ff_recent_keep(&service->recent, task, &ending->result);
            ff_ledger_end(service->ledger, task, ending->result.state, ending->result.seq);
        }
        wake =
            wake || ff_lanes_wait(endpoint) || endpoint->link.receipt_count >= FF_RECEIPTS_AT_ONCE;
    }
    ff_batches_close(service, false);
    /* Receipts alone can wait for the loop to look by itself. */
    wake = wake || !service->receipts_timed;
    pthread_mutex_unlock(&service->lock);
    if (wake)
        ff_loop_wake(service->loop);
}

static void endings_done(struct ff_job *job, const struct ff_error *error)
{
    struct ff_endings *endings = (struct ff_endings *)job;
    if (error != NULL) {
        /* Who waits is told of the trouble; the ending itself is tried again until it is written.
         * */
        if (endings->done != NULL)
            endings->done(endings->user, error);
        endings->done = NULL;
        if (ff_service_retry(endings->service, job, error))
            return;
        destroy(endings);
        return;
    }
    tell(endings);
    if (endings->done != NULL)
        endings->done(endings->user, NULL);
    destroy(endings);
}

/* ---- making them, in the loop or under the lock ---- */

struct ff_endings *ff_endings_create(struct ff_service *service, uint32_t capacity,
                                     struct ff_span text)
{
    struct ff_endings *endings = calloc(1, sizeof *endings + capacity * sizeof endings->items[0]);
    if (endings == NULL || (endings->text = ff_span_copy(text)) == NULL) {
        free(endings);
        return NULL;
    }
    endings->service = service;
    endings->text_size = text.size;
    endings->job.write = write_endings;
    endings->job.done = endings_done;
    return endings;
}

struct ff_span ff_endings_text(const struct ff_endings *endings)
{
    return (struct ff_span){endings->text, endings->text_size};
}

void ff_endings_submit(struct ff_endings *endings)
{
    if (endings->count == 0) {
        destroy(endings);
        return;
    }
    endings->job.rows = endings->count;
    ff_committer_submit(endings->service->committer, &endings->job);
}

struct ff_ending *ff_endings_add(struct ff_endings *endings, struct ff_task *task)
{
    struct ff_ending *ending = &endings->items[endings->count++];
    const struct ff_task_detail *detail = task->detail;
    ending->task = task;
    task->ending = true;
    ending->result = (struct ff_result_row){
        .key = ff_task_key_of(task),
        .number = task->number,
        .delivered_ns = task->delivered_ns,
        .ended_ns = ff_wall_ns(),
    };
    /* The detail lives as long as the task, and its list is not added to while the task is ending.
     * */
    if (detail != NULL)
        ending->result.previews = ff_buffer_span(&detail->previews);
    if (task->node != NULL)
        ending->result.node = ff_span_of(task->node);
    ending->trial = (struct ff_trial_row){
        .key = ending->result.key,
        .number = task->number,
        .charged = task->charged,
        .uncharged = task->uncharged,
        .asked = task->asked,
    };
    return ending;
}

void ff_endings_take_back(struct ff_endings *endings)
{
    endings->items[--endings->count].task->ending = false;
}

void ff_ending_fail(struct ff_ending *ending, enum ff_error_code code, const char *message)
{
    ending->result.state = FF_TASK_FAILED_STATE;
    ending->result.code = ff_span_of(ff_error_name(code));
    ending->result.message = ff_span_of(message);
}

void ff_ending_cancel(struct ff_ending *ending)
{
    ending->result.state = FF_TASK_CANCELLED_STATE;
    ending->result.code = ff_span_of(ff_error_name(FF_TASK_CANCELLED));
    ending->result.message = ff_span_of(ff_error_text(FF_TASK_CANCELLED));
}

void ff_ending_lose(struct ff_ending *ending, bool uncharged)
{
    const struct ff_task *task = ending->task;
    if (task->asked == FF_CONTROL_CANCEL) {
        ff_ending_cancel(ending);
        return;
    }
    ending->trial.charged += !uncharged;
    ending->trial.uncharged += uncharged;
    ending->again = ending->trial.charged <= task->batch->max_retries &&
                    ending->trial.uncharged < FF_UNCHARGED_MAX;
    ending->result.state = FF_TASK_FAILED_STATE;
    if (ending->result.hint.size == 0 && !ending->again)
        ending->result.hint = ff_span_of("it was tried as often as max_retries allows");
}

/* ---- without the endpoint ---- */

void ff_task_cancel_here(struct ff_service *service, struct ff_task *task, ff_saved *done,
                         void *user)
{
    struct ff_endings *endings = ff_endings_create(service, 1, ff_span_of(""));
    if (endings == NULL) {
        struct ff_error error;
        ff_fail(&error, FF_NO_MEMORY, "no memory to cancel a task");
        if (done != NULL)
            done(user, &error);
        return;
    }
    endings->done = done;
    endings->user = user;
    if (task->queued)
        ff_lane_remove(task);
    ff_ending_cancel(ff_endings_add(endings, task));
    ff_endings_submit(endings);
}

bool ff_task_fail_here(struct ff_service *service, struct ff_task *task,
                       const struct ff_error *error)
{
    struct ff_endings *endings = ff_endings_create(service, 1, ff_span_of(error->message));
    if (endings == NULL)
        return false;
    ff_lane_remove(task);
    ff_ending_fail(ff_endings_add(endings, task), error->code, endings->text);
    ff_endings_submit(endings);
    return true;
}

static void cancel_one(void *user, struct ff_task *task)
{
    if (!task->ending)
        ff_task_cancel_here(user, task, NULL, NULL);
}

void ff_endpoint_cancel_tasks(struct ff_service *service, struct ff_endpoint *endpoint)
{
    /* They end with a later commit: the list does not change under the walk. */
    ff_ledger_each_of(service->ledger, endpoint, cancel_one, service);
}
