/* The other half of dispatch.h: which waiting task goes where, and what is said of those that stay. */
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/manager.h"
#include "endpoint/uplink.h"
#include "protocol/core/clock.h"

#include <stdio.h>
#include <string.h>

enum { TELL_AFTER_MS = 500, TELL_AGAIN_MS = 1000 };

/* The manager for a task of this shape; NULL with the verdict that says most about why not. */
static struct ff_manager *choose(const struct ff_agent *agent, const struct ff_needs *needs,
                                 enum ff_verdict *verdict)
{
    struct ff_manager *best = NULL;
    unsigned best_free = 0;
    *verdict = FF_NOT_OPEN;
    bool none = true;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        enum ff_verdict here = ff_placement_judge(&at->room, needs);
        if (here <= FF_FITS_AHEAD) {
            /* Free slots first; among those ahead of need, the one with the shortest backlog. */
            unsigned room = here == FF_FITS_SLOT ? 1000000 + at->room.slots - at->room.given
                                                 : 900000 - (unsigned)(at->room.backlog_us / 1000);
            if (best == NULL || room > best_free) {
                best = at;
                best_free = room;
            }
        }
        /* One node that could is worth more words than all that never can. */
        if (none || here < *verdict)
            *verdict = here;
        none = false;
    }
    return best;
}

/* Nothing younger may take the place that this shape waits for. */
static void reserve(const struct ff_agent *agent, const struct ff_needs *needs)
{
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        if (!ff_verdict_is_never(ff_placement_judge(&at->room, needs)))
            at->room.reserved = true;
}

/* Whether a node may still come that has what no node has so far. */
static bool may_grow(const struct ff_agent *agent)
{
    if (agent->provider->grows)
        return true;
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (!at->announced && !at->ended)
            return true;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        if (!at->ready)
            return true;
    return false;
}

static void fail_impossible(struct ff_agent *agent, struct ff_shape *shape, enum ff_verdict verdict)
{
    unsigned most = 0;
    char message[256];
    bool devices = verdict == FF_NEVER_DEVICES;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        unsigned has = devices ? at->room.devices : at->room.cores;
        most = has > most ? has : most;
    }
    snprintf(message, sizeof message,
             "the task asks for %u %s; no node of endpoint %s has more than %u",
             devices ? shape->devices : shape->cores, devices ? "GPUs" : "cores",
             agent->folder.name, most);
    ff_dispatch_fail_shape(agent, shape, message,
                           devices ? "ask for fewer GPUs, or use another endpoint; `farfield gpu "
                                     "list` shows what a node has"
                                   : "ask for fewer cores, or use another endpoint");
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
    default:
        return FF_WAIT_NODE;
    }
}

/* What was asked of the task while it waited; it goes out behind the task. */
static void ask_again(struct ff_manager *manager, const struct ff_held *held)
{
    const struct ff_control control = {
        .task = held->task, .attempt = held->attempt, .action = held->asked};
    ff_gather_control(&manager->controls, &control);
}

void ff_dispatch_run(struct ff_agent *agent)
{
    struct ff_shape *shape = NULL;
    agent->dispatch_needed = false;
    if (agent->phase >= FF_AGENT_DRAINING)
        return;
    ff_queue_begin_pass(agent->queue);
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        at->room.reserved = false;
    while ((shape = ff_queue_next_shape(agent->queue)) != NULL) {
        const struct ff_needs needs = {shape->devices, shape->cores,
                                       ff_pace_of(&agent->pace, &shape->function)};
        enum ff_verdict verdict;
        struct ff_manager *manager = choose(agent, &needs, &verdict);
        if (manager != NULL) {
            struct ff_held *held = shape->list.first;
            ff_gather_raw(&manager->tasks, (struct ff_span){held->order, held->order_size});
            ff_room_take(&manager->room, &needs, held);
            ff_queue_give(agent->queue, held, &manager->given, manager);
            if (held->asked != 0)
                ask_again(manager, held);
        } else if (ff_verdict_is_never(verdict) && !may_grow(agent)) {
            fail_impossible(agent, shape, verdict);
        } else {
            shape->blocked = true;
            shape->reason = reason_of(verdict);
            reserve(agent, &needs);
        }
    }
    if (ff_queue_count(agent->queue, FF_HELD_WAITING) > 0) {
        agent->scale_needed = true;
        if (!agent->telling) {
            agent->telling = true;
            ff_timer_set_after(agent->wait_timer, TELL_AFTER_MS);
        }
    }
}

/* ---- words ---- */

static void say_why(const struct ff_agent *agent, const struct ff_shape *shape, char *text,
                    size_t size)
{
    unsigned nodes = 0;
    unsigned slots = 0;
    unsigned devices = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        nodes++;
        slots += at->room.slots;
        devices += at->room.devices;
    }
    switch (shape->reason) {
    case FF_WAIT_SLOT:
        snprintf(text, size, "all %u slots of %u node%s are busy", slots, nodes,
                 nodes == 1 ? "" : "s");
        break;
    case FF_WAIT_DEVICES:
        snprintf(text, size, "waits for %u free GPU%s on one node; there are %u on %u node%s",
                 shape->devices, shape->devices == 1 ? "" : "s", devices, nodes,
                 nodes == 1 ? "" : "s");
        break;
    case FF_WAIT_CORES:
        snprintf(text, size, "waits for %u free cores on one node", shape->cores);
        break;
    default:
        if (agent->phase >= FF_AGENT_DRAINING)
            snprintf(text, size, "the endpoint is stopping");
        else if (agent->block_why[0] != '\0')
            snprintf(text, size, "no node is there: %s", agent->block_why);
        else
            snprintf(text, size, "waits for a node to start");
    }
}

void ff_dispatch_why(const struct ff_agent *agent, char *text, size_t size)
{
    const struct ff_shape *oldest = NULL;
    text[0] = '\0';
    for (const struct ff_shape *at = ff_queue_shapes(agent->queue); at != NULL; at = at->next)
        if (oldest == NULL || at->list.first->sequence < oldest->list.first->sequence)
            oldest = at;
    if (oldest != NULL)
        say_why(agent, oldest, text, size);
}

void ff_dispatch_report_waiting(struct ff_agent *agent)
{
    char why[512];
    int64_t now = ff_monotonic_ns();
    agent->telling = ff_queue_count(agent->queue, FF_HELD_WAITING) > 0;
    if (!agent->telling)
        return;
    ff_timer_set_after(agent->wait_timer, TELL_AGAIN_MS);
    if (!ff_uplink_is_announced(agent->uplink))
        return;
    for (struct ff_shape *shape = ff_queue_shapes(agent->queue); shape != NULL;
         shape = shape->next) {
        say_why(agent, shape, why, sizeof why);
        for (struct ff_held *at = shape->list.first; at != NULL; at = at->next) {
            if (at->reported == shape->reason ||
                now - at->since_ns < (int64_t)TELL_AFTER_MS * 1000000)
                continue;
            const struct ff_report report = {
                .task = at->task,
                .attempt = at->attempt,
                .state = FF_TASK_WAITING_FOR_NODES,
                .why = ff_span_of(why),
                .time_ns = (uint64_t)ff_wall_ns(),
            };
            ff_uplink_report(agent->uplink, &report);
            at->reported = (uint8_t)shape->reason;
        }
    }
}
