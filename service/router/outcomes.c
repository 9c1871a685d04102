/*
 * How attempts end. The first outcome of a task's current attempt decides: it becomes the result,
 * or a loss after which the task is tried again. Either is written before anybody is told: from
 * the moment it is on its way to the disk the task is `ending`, and only after the commit does the
 * endpoint get its receipt, the user the result, and a lost task its next attempt. A commit that
 * fails (a full disk) is tried again until it succeeds: nothing is forgotten.
 */
#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/http/json.h"

#include <stdlib.h>
#include <string.h>

/* One attempt that has ended. */
struct ending {
    struct ff_task *task;
    bool again; /* it is tried again: the trial is written, else the result */
    struct ff_result_row result;
    struct ff_trial_row trial;
};

struct endings {
    struct ff_job job;
    struct ff_service *service;
    uint32_t count, capacity;
    char *frame; /* what the spans of the rows point into */
    ff_saved *done;
    void *user;
    struct ending items[];
};

/* ---- in the committer's thread ---- */

static int write_result(struct endings *endings, struct ending *ending, struct ff_store *store,
                        struct ff_error *error)
{
    ending->result.seq = atomic_fetch_add(&endings->service->next_seq, 1);
    ending->result.stored_ns = ff_wall_ns();
    return store->ops->put_result(store, &ending->result, error);
}

static int write_endings(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct endings *endings = (struct endings *)job;
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < endings->count; i++) {
        struct ending *ending = &endings->items[i];
        result = ending->again ? store->ops->put_trial(store, &ending->trial, error)
                               : write_result(endings, ending, store, error);
    }
    return result;
}

static void try_again(struct ff_service *service, struct ending *ending)
{
    struct ff_task *task = ending->task;
    struct ff_endpoint *endpoint = task->batch->endpoint;
    task->ending = false;
    task->charged = (uint8_t)ending->trial.charged;
    task->uncharged = (uint8_t)ending->trial.uncharged;
    if (ending->trial.checkpoint_size > 0 && ff_task_detail(task) != NULL) {
        task->detail->checkpoint = ending->trial.checkpoint;
        task->detail->checkpoint_size = ending->trial.checkpoint_size;
    }
    ff_ledger_move(service->ledger, task, FF_TASK_WAITING_FOR_EP);
    task->node = NULL;
    ff_queue_push_front(&endpoint->queue, task);
    struct ff_event event = {.time_ns = ff_wall_ns(),
                             .type = FF_EVENT_STATE,
                             .number = task->state,
                             .attempt = task->number};
    if (task->detail != NULL)
        ff_task_set_text(&task->detail->why, ending->result.message);
    ff_task_event(service->ledger, task, &event, ending->result.message);
}

static void tell(struct endings *endings)
{
    struct ff_service *service = endings->service;
    bool wake = false;
    pthread_mutex_lock(&service->lock);
    for (uint32_t i = 0; i < endings->count; i++) {
        struct ending *ending = &endings->items[i];
        struct ff_task *task = ending->task;
        const struct ff_endpoint *endpoint = task->batch->endpoint;
        if (task->held)
            ff_router_note_receipt(task->batch->endpoint, &task->id, task->attempt, !ending->again);
        ff_router_release(task);
        if (ending->again)
            try_again(service, ending);
        else
            ff_ledger_end(service->ledger, task, ending->result.state, ending->result.seq);
        wake = wake || endpoint->queue.first != NULL ||
               endpoint->link.receipt_count >= FF_RECEIPTS_AT_ONCE;
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
    struct endings *endings = (struct endings *)job;
    if (error != NULL) {
        /* Who waits is told of the trouble; the ending itself is tried again until it is written.
         * */
        if (endings->done != NULL)
            endings->done(endings->user, error);
        endings->done = NULL;
        if (ff_service_retry(endings->service, job, error))
            return;
        free(endings->frame);
        free(endings);
        return;
    }
    tell(endings);
    if (endings->done != NULL)
        endings->done(endings->user, NULL);
    free(endings->frame);
    free(endings);
}

/* ---- making them, in the loop or under the lock ---- */

static struct endings *make_endings(struct ff_service *service, uint32_t capacity)
{
    struct endings *endings = calloc(1, sizeof *endings + capacity * sizeof endings->items[0]);
    if (endings == NULL)
        return NULL;
    endings->service = service;
    endings->capacity = capacity;
    endings->job.write = write_endings;
    endings->job.done = endings_done;
    return endings;
}

static void submit(struct endings *endings)
{
    endings->job.rows = endings->count;
    ff_committer_submit(endings->service->committer, &endings->job);
}

static struct ending *add_ending(struct endings *endings, struct ff_task *task)
{
    struct ending *ending = &endings->items[endings->count++];
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

static void fail_with(struct ending *ending, enum ff_error_code code, const char *message)
{
    ending->result.state = FF_TASK_FAILED_STATE;
    ending->result.code = ff_span_of(ff_error_name(code));
    ending->result.message = ff_span_of(message);
}

static void set_cancelled(struct ending *ending)
{
    ending->result.state = FF_TASK_CANCELLED_STATE;
    ending->result.code = ff_span_of(ff_error_name(FF_TASK_CANCELLED));
    ending->result.message = ff_span_of(ff_error_text(FF_TASK_CANCELLED));
}

/* A loss: another attempt, or the end when there were enough. */
static void decide_loss(struct ending *ending, bool uncharged)
{
    const struct ff_task *task = ending->task;
    if (task->asked == FF_CONTROL_CANCEL) {
        set_cancelled(ending);
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

static bool has_object(const struct ff_service *service, const struct ff_outcome *outcome)
{
    uint64_t size;
    return ff_objects_size(service->objects, &outcome->value_digest, &size) &&
           size == outcome->value_size;
}

/* The value is checked before it is stored: a page of results must stay JSON whatever a function
 * says. */
static void take_value(const struct ff_service *service, struct ending *ending,
                       const struct ff_outcome *outcome)
{
    bool success = ending->result.state == FF_TASK_SUCCESS;
    if (outcome->value_size > 0) {
        ending->result.object = outcome->value_digest;
        ending->result.object_size = outcome->value_size;
        if (!has_object(service, outcome)) {
            ending->result.object_size = 0;
            if (success)
                fail_with(ending, FF_OBJECT_NOT_FOUND, "the result did not reach the service");
        }
        return;
    }
    struct ff_span value = outcome->value;
    if (value.size == 0 && success)
        value = ff_span_of("null");
    if (value.size == 0)
        return;
    if (value.size > FF_INLINE_LIMIT && success)
        fail_with(ending, FF_RESULT_TOO_LARGE, "the endpoint sent a large result in a message");
    else if (value.size <= FF_INLINE_LIMIT && ff_json_check(value, NULL) == 0)
        ending->result.value = value;
    else if (success)
        fail_with(ending, FF_TASK_FAILED, "the function returned a value that is not JSON");
}

static int decide(const struct ff_service *service, struct ending *ending,
                  const struct ff_outcome *outcome, struct ff_error *error)
{
    struct ff_result_row *result = &ending->result;
    result->code = outcome->code;
    result->message = outcome->message;
    result->hint = outcome->hint;
    result->log_tail = outcome->log_tail;
    if (outcome->node.size > 0)
        result->node = outcome->node;
    result->devices = outcome->devices;
    result->queued_us = outcome->queued_us;
    result->launch_us = outcome->launch_us;
    result->run_us = outcome->run_us;
    ending->trial.checkpoint = outcome->checkpoint_digest;
    ending->trial.checkpoint_size = outcome->checkpoint_size;
    if (outcome->lost) {
        decide_loss(ending, outcome->uncharged);
        return 0;
    }
    if (outcome->state < FF_TASK_SUCCESS || outcome->state >= FF_TASK_STATE_COUNT)
        return ff_fail(error, FF_PROTOCOL, "an outcome of state %llu",
                       (unsigned long long)outcome->state);
    result->state = (enum ff_task_state)outcome->state;
    if (result->state == FF_TASK_CANCELLED_STATE)
        set_cancelled(ending);
    else if (result->state == FF_TASK_SUCCESS)
        result->code = result->message = result->hint = (struct ff_span){NULL, 0};
    else if (result->code.size == 0)
        result->code = ff_span_of(ff_error_name(FF_TASK_FAILED));
    take_value(service, ending, outcome);
    return 0;
}

static int take_outcome(struct ff_router *router, struct ff_endpoint *endpoint,
                        struct endings *endings, const struct ff_outcome *outcome,
                        struct ff_error *error)
{
    struct ff_task *task = ff_router_current(router, endpoint, &outcome->task, outcome->attempt);
    if (task == NULL) {
        bool over = ff_ledger_find(router->service->ledger, &outcome->task) == NULL;
        ff_router_note_receipt(endpoint, &outcome->task, outcome->attempt, over);
        return 0;
    }
    /* Sent twice: its receipt comes with the commit that is under way. */
    if (task->ending)
        return 0;
    struct ending *ending = add_ending(endings, task);
    if (decide(router->service, ending, outcome, error) < 0) {
        task->ending = false;
        endings->count--;
        return -1;
    }
    return 0;
}

int ff_router_outcomes(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_decoder copied;
    union ff_item item;
    size_t size = decoder->wire.size;
    struct endings *endings = make_endings(router->service, decoder->left);
    char *frame = malloc(size);
    if (endings == NULL || frame == NULL) {
        /* Not acknowledged, it stays with the endpoint, which sends it again after the link was
         * opened anew. */
        free(endings);
        free(frame);
        return ff_fail(error, FF_NO_MEMORY, "no memory for outcomes");
    }
    memcpy(frame, decoder->wire.data, size);
    endings->frame = frame;
    int got = ff_decode_open(&copied, (struct ff_span){frame, size}, error);
    while (got >= 0 && (got = ff_decode_next(&copied, &item, error)) > 0)
        if (take_outcome(router, endpoint, endings, &item.outcome, error) < 0)
            got = -1;
    if (endings->count > 0) {
        submit(endings);
        ff_router_time_receipts(router);
    } else {
        free(frame);
        free(endings);
    }
    return got;
}

void ff_router_lose(struct ff_router *router, struct ff_task *task, enum ff_error_code code,
                    const char *message)
{
    struct endings *endings = make_endings(router->service, 1);
    if (endings == NULL)
        return; /* it is found missing again with the next announcement */
    struct ending *ending = add_ending(endings, task);
    ending->result.code = ff_span_of(ff_error_name(code));
    ending->result.message = ff_span_of(message);
    decide_loss(ending, false);
    submit(endings);
}

void ff_task_cancel_here(struct ff_service *service, struct ff_task *task, ff_saved *done,
                         void *user)
{
    struct endings *endings = make_endings(service, 1);
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
        ff_queue_remove(&task->batch->endpoint->queue, task);
    set_cancelled(add_ending(endings, task));
    submit(endings);
}
