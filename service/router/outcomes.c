/*
 * What endpoints say of attempts that have ended. The first outcome of a task's current attempt
 * decides: it becomes the result, or a loss after which the task is tried again
 * (service/endings.h).
 */
#include "service/router/parts.h"

#include "protocol/core/json_scan.h"
#include "service/endings.h"

#include <stdlib.h>
#include <string.h>

static bool has_object(const struct ff_service *service, const struct ff_outcome *outcome)
{
    uint64_t size;
    return ff_objects_size(service->objects, &outcome->value_digest, &size) &&
           size == outcome->value_size;
}

/* The value is checked before it is stored: a page of results must stay JSON whatever a function
 * says. */
static void take_value(const struct ff_service *service, struct ff_ending *ending,
                       const struct ff_outcome *outcome)
{
    bool success = ending->result.state == FF_TASK_SUCCESS;
    if (outcome->value_size > 0) {
        ending->result.object = outcome->value_digest;
        ending->result.object_size = outcome->value_size;
        if (!has_object(service, outcome)) {
            ending->result.object_size = 0;
            if (success)
                ff_ending_fail(ending, FF_OBJECT_NOT_FOUND, "the result did not reach the service");
        }
        return;
    }
    struct ff_span value = outcome->value;
    if (value.size == 0 && success)
        value = ff_span_of("null");
    if (value.size == 0)
        return;
    if (value.size > FF_INLINE_LIMIT && success)
        ff_ending_fail(ending, FF_RESULT_TOO_LARGE,
                       "the endpoint sent a large result in a message");
    else if (value.size <= FF_INLINE_LIMIT && ff_json_check(value, NULL) == 0)
        ending->result.value = value;
    else if (success)
        ff_ending_fail(ending, FF_TASK_FAILED, "the function returned a value that is not JSON");
}

static int decide(const struct ff_service *service, struct ff_ending *ending,
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
        ff_ending_lose(ending, outcome->uncharged);
        return 0;
    }
    if (outcome->state < FF_TASK_SUCCESS || outcome->state >= FF_TASK_STATE_COUNT)
        return ff_fail(error, FF_PROTOCOL, "an outcome of state %llu",
                       (unsigned long long)outcome->state);
    result->state = (enum ff_task_state)outcome->state;
    if (result->state == FF_TASK_CANCELLED_STATE)
        ff_ending_cancel(ending);
    else if (result->state == FF_TASK_SUCCESS)
        result->code = result->message = result->hint = (struct ff_span){NULL, 0};
    else if (result->code.size == 0)
        result->code = ff_span_of(ff_error_name(FF_TASK_FAILED));
    take_value(service, ending, outcome);
    return 0;
}

static int take_outcome(struct ff_router *router, struct ff_endpoint *endpoint,
                        struct ff_endings *endings, const struct ff_outcome *outcome,
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
    struct ff_ending *ending = ff_endings_add(endings, task);
    if (decide(router->service, ending, outcome, error) < 0) {
        ff_endings_take_back(endings);
        return -1;
    }
    return 0;
}

int ff_router_outcomes(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_decoder copied;
    union ff_item item;
    struct ff_span frame = {decoder->wire.data, decoder->wire.size};
    struct ff_endings *endings = ff_endings_create(router->service, decoder->left, frame);
    /* Not acknowledged, they stay with the endpoint, which sends them again after the link was
     * opened anew. */
    if (endings == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for outcomes");
    int got = ff_decode_open(&copied, ff_endings_text(endings), error);
    while (got >= 0 && (got = ff_decode_next(&copied, &item, error)) > 0)
        if (take_outcome(router, endpoint, endings, &item.outcome, error) < 0)
            got = -1;
    ff_endings_submit(endings);
    ff_router_time_receipts(router);
    return got;
}

void ff_router_lose(struct ff_router *router, struct ff_task *task, enum ff_error_code code,
                    const char *message)
{
    struct ff_endings *endings = ff_endings_create(router->service, 1, ff_span_of(message));
    if (endings == NULL)
        return; /* it is found missing again with the next announcement */
    struct ff_ending *ending = ff_endings_add(endings, task);
    ending->result.code = ff_span_of(ff_error_name(code));
    ending->result.message = ff_endings_text(endings);
    ff_ending_lose(ending, false);
    ff_endings_submit(endings);
}
