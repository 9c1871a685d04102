/* The other half of dispatch.h: which waiting task goes where. */
#include "endpoint/booking.h"
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/never.h"
#include "endpoint/promise.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a place ---- */

/* The manager for a task of this shape; NULL with the verdict that says most about why not. */
static struct ff_manager *choose(const struct ff_agent *agent, const struct ff_needs *needs,
                                 int64_t now_ns, enum ff_verdict *verdict)
{
    struct ff_manager *best = NULL;
    uint64_t best_score = 0;
    *verdict = FF_NOT_OPEN;
    bool none = true;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        enum ff_verdict here = ff_placement_judge(&at->room, needs, now_ns);
        if (here <= FF_FITS_AHEAD) {
            uint64_t score = ff_placement_score(&at->room, needs, here);
            if (best == NULL || score > best_score) {
                best = at;
                best_score = score;
            }
        }
        /* One node that could is worth more words than all that never can. */
        if (none || here < *verdict)
            *verdict = here;
        none = false;
    }
    return best;
}

/* Whether a block that starts anew lives long enough for the task. */
static bool fresh_block_would_do(const struct ff_agent *agent, const struct ff_needs *needs)
{
    return agent->provider->grows && needs->lasts_ns <= agent->fresh_block_ns;
}

static struct ff_manager *choose_any(const struct ff_agent *agent, const struct ff_needs *needs,
                                     int64_t now_ns, enum ff_verdict *verdict)
{
    return needs->nodes > 1 ? ff_gang_choose(agent, needs, now_ns, verdict)
                            : choose(agent, needs, now_ns, verdict);
}

/* A task that no block outlives begins all the same: it goes on from its checkpoint in the next one. */
static struct ff_manager *choose_in_time(const struct ff_agent *agent, struct ff_needs *needs,
                                         int64_t now_ns, enum ff_verdict *verdict)
{
    struct ff_manager *manager = choose_any(agent, needs, now_ns, verdict);
    if (manager != NULL || *verdict != FF_ENDS_TOO_SOON || fresh_block_would_do(agent, needs))
        return manager;
    needs->lasts_ns = 0;
    return choose_any(agent, needs, now_ns, verdict);
}

/* ---- never ---- */

static void fail_impossible(struct ff_agent *agent, struct ff_shape *shape,
                            const struct ff_needs *needs)
{
    char message[320];
    ff_never_why(agent, needs, message, sizeof message);
    ff_dispatch_fail_shape(agent, shape, message,
                           "ask for less, or use another endpoint; what its jobs ask for stands in "
                           "its config.yaml (gpus_per_node, cores_per_node, nodes_per_block)");
}

static enum ff_wait_reason reason_of(enum ff_verdict verdict)
{
    switch (verdict) {
    case FF_BUSY_DEVICES:
        return FF_WAIT_DEVICES;
    case FF_BUSY_CORES:
        return FF_WAIT_CORES;
    case FF_BUSY_SLOTS:
        return FF_WAIT_SLOT;
    case FF_PROMISED:
        return FF_WAIT_PROMISED;
    case FF_ENDS_TOO_SOON:
        return FF_WAIT_ENDS;
    default:
        return FF_WAIT_NODE;
    }
}

/* ---- a pass ---- */

static bool is_large(const struct ff_needs *needs)
{
    return needs->devices > 0 || needs->cores > 1 || needs->nodes > 1;
}

/* What was asked of the task while it waited; it goes out behind the task. */
static void ask_again(struct ff_manager *manager, const struct ff_held *held)
{
    const struct ff_control control = {
        .task = held->task, .attempt = held->attempt, .action = held->asked};
    ff_gather_control(&manager->controls, &control);
}

/* The order with the names of its nodes; false: no memory. */
static bool send_gang_order(struct ff_manager *manager, const struct ff_held *held)
{
    struct ff_buffer frame;
    struct ff_encoder encoder;
    struct ff_decoder decoder;
    struct ff_error error;
    union ff_item item;
    bool sent = false;
    ff_buffer_init(&frame, FF_MESSAGE_LIMIT);
    ff_encode_begin(&encoder, &frame, FF_MSG_TASKS);
    ff_encode_raw(&encoder, (struct ff_span){held->order, held->order_size});
    if (ff_encode_end(&encoder, &error) == 0 &&
        ff_decode_open(&decoder, ff_buffer_span(&frame), &error) == 0 &&
        ff_decode_next(&decoder, &item, &error) > 0) {
        item.order.node_list = ff_span_of(held->node_list);
        ff_gather_order(&manager->tasks, &item.order);
        sent = true;
    }
    ff_buffer_dispose(&frame);
    return sent;
}

/* What waits is told why, and what went ahead is looked at. */
static void look_later(struct ff_agent *agent)
{
    if (agent->telling)
        return;
    agent->telling = true;
    ff_timer_set_after(agent->wait_timer, FF_TELL_AFTER_MS);
}

/* false: it stays, for want of memory. */
static bool give(struct ff_agent *agent, struct ff_manager *manager, const struct ff_needs *needs,
                 struct ff_held *held, int64_t now_ns)
{
    if (needs->nodes > 1) {
        if (ff_gang_take(agent, manager, needs, held, now_ns) < 0)
            return false;
        if (!send_gang_order(manager, held)) {
            ff_gang_give_back(agent, held);
            return false;
        }
    } else {
        ff_gather_raw(&manager->tasks, (struct ff_span){held->order, held->order_size});
    }
    ff_booking_take(agent, manager, needs, held);
    ff_queue_give(agent->queue, held, &manager->given, manager);
    if (held->asked != 0)
        ask_again(manager, held);
    if (manager->room.given > manager->room.slots || manager->room.devices_taken > 0)
        look_later(agent);
    return true;
}

/* Gives the first of a shape away, or says why all of them wait. */
static void place_first(struct ff_agent *agent, struct ff_shape *shape, int64_t now_ns,
                        bool *promised)
{
    struct ff_needs needs = ff_booking_needs_of_shape(agent, shape);
    enum ff_verdict verdict;
    struct ff_manager *manager = choose_in_time(agent, &needs, now_ns, &verdict);
    if (manager != NULL && give(agent, manager, &needs, shape->list.first, now_ns))
        return;
    if (manager == NULL && ff_never_runs(agent, &needs, now_ns)) {
        fail_impossible(agent, shape, &needs);
        return;
    }
    shape->blocked = true;
    shape->reason =
        needs.nodes > 1 && verdict < FF_ENDS_TOO_SOON ? FF_WAIT_GANG : reason_of(verdict);
    if (shape->priority == 0 && needs.nodes <= 1)
        ff_aside_make_room(agent, shape, &needs, now_ns);
    if (!*promised && is_large(&needs)) {
        ff_promise_soonest(agent, &needs, now_ns);
        *promised = true;
    }
}

void ff_dispatch_run(struct ff_agent *agent)
{
    struct ff_shape *shape = NULL;
    bool promised = false;
    int64_t now_ns = ff_monotonic_ns();
    agent->dispatch_needed = false;
    if (agent->phase >= FF_AGENT_DRAINING)
        return;
    ff_queue_begin_pass(agent->queue);
    ff_promise_forget(agent);
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        at->awaited = (struct ff_coming){0};
    }
    while ((shape = ff_queue_next_shape(agent->queue)) != NULL)
        place_first(agent, shape, now_ns, &promised);
    if (ff_queue_count(agent->queue, FF_HELD_WAITING) > 0) {
        agent->scale_needed = true;
        look_later(agent);
    }
}
