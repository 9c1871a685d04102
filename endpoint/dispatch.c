#include "endpoint/dispatch.h"

#include "endpoint/booking.h"
#include "endpoint/downlink.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/objects.h"
#include "endpoint/sweeper.h"
#include "endpoint/uplink.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"

#include <stdio.h>
#include <string.h>

enum {
    GIVEN_BACK_LIMIT = 3, /* then the service decides */
    OUTCOME_LIMIT = 16384,
};

/* ---- ends ---- */

/* Makes an outcome here; the attempt has ended with it. Without memory for it the attempt stays as it is: the service
 * hears of it again at the next opening. */
static void end_here(struct ff_agent *agent, struct ff_held *held, const struct ff_outcome *how)
{
    struct ff_outcome outcome = *how;
    struct ff_buffer buffer;
    outcome.task = held->task;
    outcome.attempt = held->attempt;
    outcome.queued_us = (uint64_t)(ff_monotonic_ns() - held->since_ns) / 1000;
    outcome.ended_ns = (uint64_t)ff_wall_ns();
    ff_buffer_init(&buffer, OUTCOME_LIMIT);
    struct ff_span raw = ff_gather_outcome_raw(&buffer, &outcome);
    if (raw.size > 0 && ff_queue_end(agent->queue, held, raw) == 0) {
        held->manager = NULL;
        ff_uplink_outcome_raw(agent->uplink, raw);
    }
    ff_buffer_dispose(&buffer);
}

static void end_failed(struct ff_agent *agent, struct ff_held *held, enum ff_error_code code,
                       const char *message, const char *hint)
{
    const struct ff_outcome outcome = {.state = FF_TASK_FAILED_STATE,
                                       .code = ff_span_of(ff_error_name(code)),
                                       .message = ff_span_of(message),
                                       .hint = ff_span_of(hint)};
    end_here(agent, held, &outcome);
}

static void end_cancelled(struct ff_agent *agent, struct ff_held *held)
{
    const struct ff_outcome outcome = {
        .state = FF_TASK_CANCELLED_STATE,
        .code = ff_span_of(ff_error_name(FF_TASK_CANCELLED)),
        .message = ff_span_of("the task was cancelled before it began"),
    };
    end_here(agent, held, &outcome);
}

static void end_lost(struct ff_agent *agent, struct ff_held *held, enum ff_error_code code,
                     const char *message, bool uncharged, bool unbegun)
{
    const struct ff_outcome outcome = {.state = FF_TASK_FAILED_STATE,
                                       .lost = true,
                                       .uncharged = uncharged,
                                       .unbegun = unbegun,
                                       .code = ff_span_of(ff_error_name(code)),
                                       .message = ff_span_of(message)};
    end_here(agent, held, &outcome);
}

static void give_receipt(struct ff_manager *manager, const struct ff_id *task,
                         struct ff_attempt attempt, bool ended)
{
    const struct ff_receipt receipt = {.task = *task, .attempt = attempt, .ended = ended};
    if (manager != NULL && manager->peer != NULL)
        ff_gather_receipt(&manager->receipts, &receipt);
}

void ff_dispatch_ask(struct ff_held *held, enum ff_control_action action)
{
    struct ff_manager *manager = held->manager;
    const struct ff_control control = {
        .task = held->task, .attempt = held->attempt, .action = action};
    held->asked = (uint8_t)action; /* asked again when the manager comes back */
    if (manager->ready)
        ff_gather_control(&manager->controls, &control);
}

/* ---- from the service ---- */

/* What this version of the endpoint cannot do at all. */
static bool refuse_order(struct ff_agent *agent, struct ff_held *held, const struct ff_order *order)
{
    if ((order->needs & ~(uint64_t)FF_NEEDS_KNOWN) != 0)
        end_failed(agent, held, FF_UNSUPPORTED,
                   "the task needs something that this release of the endpoint does not know",
                   "install the release of the service on the endpoint too");
    else
        return false;
    return true;
}

int ff_dispatch_order(struct ff_agent *agent, const struct ff_order *order, struct ff_span raw,
                      struct ff_error *error)
{
    struct ff_held *held = ff_queue_find(agent->queue, &order->task, order->attempt);
    if (held != NULL) {
        if (held->place == FF_HELD_ENDED)
            ff_uplink_outcome_raw(agent->uplink,
                                  (struct ff_span){held->outcome, held->outcome_size});
        return 0;
    }
    held = ff_queue_add_order(agent->queue, order, raw);
    if (held == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for another task");
    if (refuse_order(agent, held, order))
        return 0;
    if (agent->phase >= FF_AGENT_DRAINING) {
        end_lost(agent, held, FF_ENDPOINT_LOST, "the endpoint is stopping", true, true);
        return 0;
    }
    ff_objects_prefetch(agent->objects, &order->digest, order->size);
    ff_objects_prefetch(agent->objects, &order->arguments_digest, order->arguments_size);
    agent->dispatch_needed = true;
    return 0;
}

static void control_unknown(struct ff_agent *agent, const struct ff_control *control)
{
    struct ff_buffer buffer;
    const struct ff_outcome outcome = {
        .task = control->task,
        .attempt = control->attempt,
        .state = FF_TASK_CANCELLED_STATE,
        .code = ff_span_of(ff_error_name(FF_TASK_CANCELLED)),
        .message = ff_span_of("the endpoint does not hold this attempt"),
        .ended_ns = (uint64_t)ff_wall_ns(),
    };
    ff_buffer_init(&buffer, OUTCOME_LIMIT);
    struct ff_span raw = ff_gather_outcome_raw(&buffer, &outcome);
    if (raw.size > 0)
        ff_uplink_outcome_raw(agent->uplink, raw);
    ff_buffer_dispose(&buffer);
}

/* A task that waits here: nothing of it has begun. */
static void control_waiting(struct ff_agent *agent, struct ff_held *held,
                            enum ff_control_action action)
{
    if (action == FF_CONTROL_CHECKPOINT)
        end_lost(agent, held, FF_ENDPOINT_LOST, "given back before it began", true, true);
    else if (action == FF_CONTROL_STOP)
        held->asked = FF_CONTROL_STOP; /* its manager is asked when it gets the task */
    else
        end_cancelled(agent, held);
}

void ff_dispatch_control(struct ff_agent *agent, const struct ff_control *control)
{
    struct ff_held *held = ff_queue_find(agent->queue, &control->task, control->attempt);
    if (control->action < FF_CONTROL_CANCEL || control->action > FF_CONTROL_CHECKPOINT)
        return; /* of a newer service */
    enum ff_control_action action = (enum ff_control_action)control->action;
    if (held == NULL) {
        if (action == FF_CONTROL_CANCEL)
            control_unknown(agent, control);
    } else if (held->place == FF_HELD_GIVEN) {
        ff_dispatch_ask(held, action);
    } else if (held->place == FF_HELD_WAITING) {
        control_waiting(agent, held, action);
    }
}

void ff_dispatch_receipt(struct ff_agent *agent, const struct ff_receipt *receipt)
{
    struct ff_held *held = ff_queue_find(agent->queue, &receipt->task, receipt->attempt);
    if (held == NULL)
        return;
    if (held->place == FF_HELD_GIVEN) {
        /* Nobody wants this attempt any more. */
        held->unwanted = true;
        ff_dispatch_ask(held, FF_CONTROL_CANCEL);
        return;
    }
    if (held->place == FF_HELD_ENDED)
        give_receipt(held->manager, &held->task, held->attempt, receipt->ended);
    ff_queue_remove(agent->queue, held);
    if (receipt->ended && !ff_queue_holds(agent->queue, &receipt->task))
        ff_sweeper_add(agent->sweeper, &receipt->task);
}

/* ---- from managers ---- */

static void announce_one(struct ff_agent *agent, const struct ff_held *held)
{
    const struct ff_manager *manager = held->manager;
    const struct ff_holding holding = {
        .task = held->task,
        .attempt = held->attempt,
        .number = held->number,
        .state = held->state,
        .node = ff_span_of(manager != NULL ? manager->node : NULL),
        .devices = held->devices,
        .cores = held->cores,
    };
    ff_uplink_holding(agent->uplink, &holding);
}

static void book_again(struct ff_agent *agent, struct ff_manager *manager, struct ff_held *held)
{
    const struct ff_needs needs = ff_booking_needs_of(agent, held);
    ff_booking_take(agent, manager, &needs, held);
    if (held->nodes > 1)
        ff_gang_resume(agent, held);
}

void ff_dispatch_holding(struct ff_agent *agent, struct ff_manager *manager,
                         const struct ff_holding *holding)
{
    struct ff_held *held = ff_queue_find(agent->queue, &holding->task, holding->attempt);
    if (held == NULL) {
        held = ff_queue_add_holding(agent->queue, holding, &manager->given, manager);
        if (held == NULL)
            return; /* not announced: the service gives it a new attempt */
        book_again(agent, manager, held);
        if (ff_uplink_is_announced(agent->uplink))
            announce_one(agent, held);
    } else if (held->place == FF_HELD_WAITING) {
        ff_queue_give(agent->queue, held, &manager->given, manager);
        book_again(agent, manager, held);
    } else if (held->manager != manager) {
        /* It was given up as lost, or placed with another node: this one's is not wanted. */
        const struct ff_control control = {
            .task = held->task, .attempt = held->attempt, .action = FF_CONTROL_CANCEL};
        ff_gather_control(&manager->controls, &control);
        return;
    }
    held->announced = true;
    if (held->place == FF_HELD_GIVEN && holding->state < FF_TASK_STATE_COUNT)
        held->state = (uint8_t)holding->state;
}

/* Ends or places again what the manager was given and does not have. */
static void settle_missing(struct ff_agent *agent, struct ff_manager *manager)
{
    struct ff_held *next = NULL;
    for (struct ff_held *at = manager->given.first; at != NULL; at = next) {
        next = at->next;
        if (at->announced) {
            if (at->asked != 0)
                ff_dispatch_ask(at, (enum ff_control_action)at->asked);
            continue;
        }
        ff_booking_give_back(agent, at, 0);
        /* The order never reached it, so the attempt has not begun anywhere and may be placed again: a manager keeps
         * what it has taken until the receipt, and would have announced it. */
        if (at->asked == 0 && agent->phase < FF_AGENT_DRAINING &&
            ff_queue_take_back(agent->queue, at) == 0)
            continue;
        end_lost(agent, at, FF_MANAGER_LOST, "the order did not reach the node", true, true);
    }
}

/* Each node of a block has a manager of its own. */
static bool all_announced(const struct ff_agent *agent, const struct ff_block *block)
{
    unsigned ready = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        ready += at->block == block && at->ready ? 1 : 0;
    return ready >= block->nodes;
}

void ff_dispatch_holding_end(struct ff_agent *agent, struct ff_manager *manager)
{
    if (manager->ready)
        return;
    manager->ready = true;
    settle_missing(agent, manager);
    manager->room.open = agent->phase < FF_AGENT_DRAINING && !manager->draining;
    manager->block->announced = manager->block->announced || all_announced(agent, manager->block);
    if (manager->block->draining) /* it may not have heard that */
        ff_downlink_drain_block(agent->downlink, manager->block);
    agent->beat_needed = true;
    agent->dispatch_needed = true;
    agent->scale_needed = true;
}

void ff_dispatch_report(struct ff_agent *agent, struct ff_manager *manager,
                        const struct ff_report *report, struct ff_span raw)
{
    struct ff_held *held = ff_queue_find(agent->queue, &report->task, report->attempt);
    if (held == NULL || held->manager != manager || held->place != FF_HELD_GIVEN)
        return;
    if (report->state < FF_TASK_STATE_COUNT)
        held->state = (uint8_t)report->state;
    held->can_checkpoint = report->can_checkpoint;
    ff_uplink_report_raw(agent->uplink, raw);
}

/* true: the attempt is in the queue again. */
static bool place_again(struct ff_agent *agent, struct ff_held *held,
                        const struct ff_outcome *outcome)
{
    bool recalled = held->asked == FF_CONTROL_RECALL;
    if (!outcome->lost || !outcome->unbegun || held->unwanted || (held->asked != 0 && !recalled) ||
        agent->phase >= FF_AGENT_DRAINING || held->given_back >= GIVEN_BACK_LIMIT)
        return false;
    held->asked = 0;
    held->given_back += !recalled;
    return ff_queue_take_back(agent->queue, held) == 0;
}

void ff_dispatch_outcome(struct ff_agent *agent, struct ff_manager *manager,
                         const struct ff_outcome *outcome, struct ff_span raw)
{
    struct ff_held *held = ff_queue_find(agent->queue, &outcome->task, outcome->attempt);
    if (held != NULL && held->place == FF_HELD_ENDED && held->manager == manager)
        return; /* said again; its receipt is on the way */
    if (held == NULL || held->place != FF_HELD_GIVEN || held->manager != manager) {
        give_receipt(manager, &outcome->task, outcome->attempt, false);
        return;
    }
    ff_booking_give_back(agent, held,
                         outcome->run_us > 0 ? (int64_t)outcome->run_us : FF_RAN_SINCE_GIVEN);
    manager->block->used_ns = ff_monotonic_ns();
    agent->dispatch_needed = true;
    if (manager->given.count == 1)
        agent->scale_needed = true; /* its last one: the node may not be needed any more */
    if (!outcome->lost && outcome->state != FF_TASK_CANCELLED_STATE)
        ff_pace_learn(&agent->pace, &held->function, outcome->run_us);
    if (place_again(agent, held, outcome)) {
        give_receipt(manager, &outcome->task, outcome->attempt, false);
    } else if (held->unwanted) {
        give_receipt(manager, &outcome->task, outcome->attempt, false);
        ff_queue_remove(agent->queue, held);
    } else if (ff_queue_end(agent->queue, held, raw) == 0) {
        ff_uplink_outcome_raw(agent->uplink, raw);
    } else {
        /* No memory: the manager keeps the outcome and says it again after its next opening. */
        struct ff_error error;
        book_again(agent, manager, held);
        ff_fail(&error, FF_NO_MEMORY, "the agent has no memory for an outcome");
        ff_peer_refuse(manager->peer, &error, false);
    }
}

/* A call on several nodes ends with any of them, but for one that left in order: the first leaves by itself then. */
static void lose_gang(struct ff_agent *agent, struct ff_manager *manager, const char *message)
{
    struct ff_held *held = manager->gang;
    manager->gang = NULL;
    if (held == NULL || held->manager == manager || manager->draining)
        return;
    struct ff_manager *first = held->manager;
    const struct ff_control control = {
        .task = held->task, .attempt = held->attempt, .action = FF_CONTROL_CANCEL};
    if (first->ready)
        ff_gather_control(&first->controls, &control);
    ff_booking_give_back(agent, held, FF_RAN_SINCE_GIVEN);
    end_lost(agent, held, FF_MANAGER_LOST, message, held->state < FF_TASK_RUNNING, false);
    if (held->place == FF_HELD_GIVEN) {
        ff_log(FF_LOG_ERROR, "no memory to report a lost task; the service will miss it");
        ff_queue_remove(agent->queue, held);
    }
}

void ff_dispatch_manager_lost(struct ff_agent *agent, struct ff_manager *manager, const char *why)
{
    char message[512];
    snprintf(message, sizeof message, "the manager on %s was lost: %s", manager->node, why);
    lose_gang(agent, manager, message);
    while (manager->given.first != NULL) {
        struct ff_held *held = manager->given.first;
        ff_booking_give_back(agent, held, FF_RAN_SINCE_GIVEN);
        if (held->unwanted)
            ff_queue_remove(agent->queue, held);
        else
            end_lost(agent, held, FF_MANAGER_LOST, message, held->state < FF_TASK_RUNNING, false);
        if (manager->given.first == held) {
            ff_log(FF_LOG_ERROR, "no memory to report a lost task; the service will miss it");
            ff_queue_remove(agent->queue, held);
        }
    }
    for (struct ff_held *at = ff_queue_ended(agent->queue)->first; at != NULL; at = at->next)
        if (at->manager == manager)
            at->manager = NULL;
    agent->beat_needed = true;
    agent->dispatch_needed = true;
    agent->scale_needed = true;
}

/* ---- towards the service ---- */

void ff_dispatch_announce(struct ff_agent *agent)
{
    if (agent->awaiting_blocks || !ff_uplink_is_open(agent->uplink) ||
        ff_uplink_is_announced(agent->uplink))
        return;
    for (const struct ff_held *at = ff_queue_next(agent->queue, NULL); at != NULL;
         at = ff_queue_next(agent->queue, at))
        if (!at->unwanted)
            announce_one(agent, at);
    ff_uplink_end_holding(agent->uplink);
    for (struct ff_held *at = ff_queue_ended(agent->queue)->first; at != NULL; at = at->next)
        ff_uplink_outcome_raw(agent->uplink, (struct ff_span){at->outcome, at->outcome_size});
    for (struct ff_shape *shape = ff_queue_shapes(agent->queue); shape != NULL; shape = shape->next)
        for (struct ff_held *at = shape->list.first; at != NULL; at = at->next)
            at->reported = FF_WAIT_NONE;
    if (agent->phase >= FF_AGENT_DRAINING)
        ff_uplink_drain(agent->uplink, "the endpoint is stopping");
}

void ff_dispatch_fail_shape(struct ff_agent *agent, struct ff_shape *shape, const char *message,
                            const char *hint)
{
    struct ff_held *next = NULL;
    shape->blocked = true; /* in case one cannot be ended for want of memory */
    for (struct ff_held *at = shape->list.first; at != NULL; at = next) {
        next = at->next;
        end_failed(agent, at, FF_NO_DEVICE, message, hint);
    }
}

void ff_dispatch_give_back(struct ff_agent *agent)
{
    struct ff_shape *shape = NULL;
    while ((shape = ff_queue_shapes(agent->queue)) != NULL) {
        struct ff_held *held = shape->list.first;
        end_lost(agent, held, FF_ENDPOINT_LOST, "the endpoint is stopping", true, true);
        if (held->place == FF_HELD_WAITING)
            ff_queue_remove(agent->queue, held); /* not announced again: it gets a new attempt */
    }
}

void ff_dispatch_cut_off(struct ff_agent *agent)
{
    for (struct ff_manager *manager = ff_downlink_first(agent->downlink); manager != NULL;
         manager = manager->next)
        while (manager->given.first != NULL) {
            struct ff_held *held = manager->given.first;
            ff_booking_give_back(agent, held, FF_RAN_SINCE_GIVEN);
            end_lost(agent, held, FF_ENDPOINT_LOST, "the endpoint was stopped", true, false);
            if (manager->given.first == held)
                ff_queue_remove(agent->queue, held);
        }
}
