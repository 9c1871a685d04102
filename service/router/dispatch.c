/*
 * Orders: a task is given to its endpoint only when it is durable, in the order of lanes.h, and
 * while the endpoint's window has room. Every delivery is a new attempt, and no attempt is ever
 * sent twice.
 */
#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/endings.h"

#include <string.h>

void ff_router_hold(struct ff_task *task)
{
    if (task->held)
        return;
    task->held = true;
    task->batch->endpoint->link.held++;
    task->batch->lane->held++;
    task->batch->endpoint->link.held_bytes += task->payload_size;
}

void ff_router_release(struct ff_task *task)
{
    if (!task->held)
        return;
    task->held = false;
    task->batch->endpoint->link.held--;
    task->batch->lane->held--;
    task->batch->endpoint->link.held_bytes -= task->payload_size;
}

/* Later than every attempt of the task before, also than those that a restored ledger has
 * forgotten. */
static struct ff_attempt next_attempt(const struct ff_service *service, struct ff_attempt last)
{
    struct ff_attempt next = {service->epoch, 1};
    if (last.epoch >= service->epoch)
        next = (struct ff_attempt){last.epoch, last.counter + 1};
    return next;
}

/* Its arguments: from memory, or from the store. */
static int fill_arguments(struct ff_router *router, struct ff_task *task, struct ff_order *order,
                          struct ff_error *error)
{
    if (task->payload != NULL) {
        order->arguments = (struct ff_span){task->payload, task->payload_size};
        return 0;
    }
    ff_buffer_clear(&router->arguments);
    int found =
        router->store->ops->get_payload(router->store, ff_task_key_of(task), &router->arguments,
                                        &order->arguments_digest, &order->arguments_size, error);
    if (found == 0)
        return ff_fail(error, FF_INTERNAL, "the arguments of a task are not in the ledger");
    if (found > 0 && !task->is_object) {
        order->arguments = ff_buffer_span(&router->arguments);
        order->arguments_size = 0;
    }
    return found < 0 ? -1 : 0;
}

static struct ff_order make_order(const struct ff_router *router, const struct ff_task *task)
{
    const struct ff_batch *batch = task->batch;
    const struct ff_function *function = batch->function;
    const struct ff_task_detail *detail = task->detail;
    struct ff_order order = {
        .task = task->id,
        .attempt = next_attempt(router->service, task->attempt),
        .number = task->number + 1,
        .function = function->id,
        .name = ff_span_of(function->name),
        .kind = ff_span_of(function->kind),
        .digest = function->digest,
        .size = function->size,
        .user = ff_span_of(batch->user),
        .priority = ff_span_of(batch->priority),
        .devices = batch->devices,
        .cores = batch->cores,
        .nodes = batch->nodes,
        .time_limit_ms = batch->time_limit_ms,
        .submitted_ns = (uint64_t)batch->submitted_ns,
    };
    if (detail != NULL && detail->checkpoint_size > 0) {
        order.checkpoint_digest = detail->checkpoint;
        order.checkpoint_size = detail->checkpoint_size;
    }
    return order;
}

static void mark_delivered(struct ff_router *router, struct ff_task *task,
                           struct ff_attempt attempt, int64_t now)
{
    struct ff_endpoint *endpoint = task->batch->endpoint;
    ff_lane_remove(task);
    task->attempt = attempt;
    task->number++;
    task->delivered_ns = now;
    task->announced = endpoint->link.generation;
    ff_router_hold(task);
    ff_batch_delivered(router->service->ledger, task);
    if (task->asked == FF_CONTROL_STOP)
        ff_router_note_control(endpoint, task, FF_CONTROL_STOP);
}

/* Packs orders into one message until it, the window, or the queue is at its end. */
static size_t pack(struct ff_router *router, struct ff_endpoint *endpoint, struct ff_error *error)
{
    struct ff_endpoint_link *link = &endpoint->link;
    struct ff_encoder encoder;
    size_t packed = 0;
    int64_t now = ff_wall_ns();
    ff_encode_begin(&encoder, &router->message, FF_MSG_TASKS);
    struct ff_task *task;
    while ((task = ff_lanes_next(endpoint)) != NULL) {
        if (task->asked == FF_CONTROL_CANCEL) {
            /* Accepted before a restart, and nobody has it any more. */
            ff_task_cancel_here(router->service, task, NULL, NULL);
            if (task->queued)
                break;
            continue;
        }
        struct ff_order order = make_order(router, task);
        if (fill_arguments(router, task, &order, error) < 0) {
            /* It would stand before all others for ever. */
            ff_log_error("a task that cannot be given to its endpoint ends", error);
            if (!ff_task_fail_here(router->service, task, error))
                break;
            continue;
        }
        if (!ff_encode_order(&encoder, &order))
            break;
        mark_delivered(router, task, order.attempt, now);
        packed++;
    }
    if (packed > 0 && ff_encode_end(&encoder, error) < 0) {
        /* They count as delivered: the next announcement, which lacks them, gives them back. */
        ff_log_error("orders were lost for want of memory; the endpoint is connected anew", error);
        link->announced = false;
        ff_peer_refuse(link->peer, error, false);
        return 0;
    }
    return packed;
}

bool ff_router_dispatch(struct ff_router *router, struct ff_endpoint *endpoint)
{
    struct ff_error error;
    bool did = false;
    while (endpoint->link.announced && !endpoint->link.draining && !endpoint->deleted &&
           pack(router, endpoint, &error) > 0) {
        did = true;
        /* What cannot be sent is missing in the next announcement, and gets a new attempt then. */
        if (!ff_peer_send(endpoint->link.peer, ff_buffer_span(&router->message)))
            break;
    }
    return did;
}
