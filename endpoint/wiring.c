#include "endpoint/wiring.h"

#include "endpoint/dispatch.h"
#include "endpoint/elastic.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/objects.h"
#include "endpoint/uploads.h"
#include "protocol/core/clock.h"

#include <stdio.h>

/* ---- the service ---- */

static void fill_heartbeat(void *user, struct ff_heartbeat *heartbeat, char *why, size_t size)
{
    const struct ff_agent *agent = user;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        unsigned busy = at->room.given < at->room.slots ? at->room.given : at->room.slots;
        heartbeat->managers++;
        heartbeat->slots += at->room.slots;
        heartbeat->idle += at->room.slots - busy;
        heartbeat->devices += at->room.devices;
    }
    heartbeat->waiting = ff_queue_count(agent->queue, FF_HELD_WAITING);
    heartbeat->running = ff_queue_count(agent->queue, FF_HELD_GIVEN);
    if (heartbeat->waiting == 0)
        return;
    ff_dispatch_why(agent, why, size);
    heartbeat->why = ff_span_of(why);
}

static void service_open(void *user, const char *endpoint_name)
{
    struct ff_agent *agent = user;
    ff_agent_connected(agent, endpoint_name);
    ff_objects_online(agent->objects);
    ff_uploads_online(agent->uploads);
}

static void service_lost(void *user, const struct ff_error *why)
{
    ff_agent_disconnected(user, why);
}

static void service_refuses(void *user, const struct ff_error *why)
{
    ff_agent_refused(user, why);
}

static int take_from_service(struct ff_agent *agent, const struct ff_decoder *decoder,
                             const union ff_item *item, struct ff_error *error)
{
    switch (decoder->type) {
    case FF_MSG_TASKS:
        return ff_dispatch_order(agent, &item->order, decoder->raw, error);
    case FF_MSG_CONTROL:
        ff_dispatch_control(agent, &item->control);
        return 0;
    case FF_MSG_RECEIPTS:
        ff_dispatch_receipt(agent, &item->receipt);
        return 0;
    case FF_MSG_OBJECT_PART:
        ff_objects_part(agent->objects, &item->part);
        return 0;
    case FF_MSG_OBJECT_STORED:
        ff_uploads_stored(agent->uploads, &item->part);
        return 0;
    default: /* what only others get means nothing here */
        return 0;
    }
}

static int message_of_service(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0)
        if (take_from_service(user, decoder, &item, error) < 0)
            return -1;
    return got;
}

struct ff_uplink_events ff_wiring_uplink(struct ff_agent *agent)
{
    const struct ff_uplink_events events = {
        .user = agent,
        .open = service_open,
        .message = message_of_service,
        .lost = service_lost,
        .refused = service_refuses,
        .heartbeat = fill_heartbeat,
    };
    return events;
}

/* ---- the managers ---- */

static void manager_came(void *user, struct ff_manager *manager)
{
    struct ff_agent *agent = user;
    for (struct ff_held *at = manager->given.first; at != NULL; at = at->next)
        at->announced = false;
    int64_t left_ns =
        manager->room.ends_ns > 0 ? manager->room.ends_ns - ff_monotonic_ns() : INT64_MAX;
    if (!manager->block->adopted && !manager->block->had_manager)
        agent->fresh_block_ns = left_ns;
    ff_gang_came(agent, manager);
    manager->block->had_manager = true;
    if (manager->block->state != FF_BLOCK_RUNNING) /* it is, and the scheduler tells until when */
        ff_block_look(manager->block);
    ff_elastic_manager_came(agent->elastic, manager);
}

/* It asks and sends again when it is back. */
static void manager_away(void *user, struct ff_manager *manager)
{
    struct ff_agent *agent = user;
    ff_objects_forget(agent->objects, manager);
    ff_uploads_forget(agent->uploads, manager);
}

static void manager_lost(void *user, struct ff_manager *manager, const char *why)
{
    ff_dispatch_manager_lost(user, manager, why);
    manager_away(user, manager);
}

static void manager_gone(void *user, struct ff_block *block)
{
    ff_agent_manager_gone(user, block);
}

/* Events of running tasks are passed on as they came, once all of the message is known to be good and to be about
 * what this manager was given. */
static int forward_events(struct ff_manager *manager, struct ff_decoder *decoder,
                          struct ff_error *error)
{
    struct ff_span frame = {decoder->wire.data, decoder->wire.size};
    union ff_item item;
    bool known = true;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        /* All three kinds begin with task and attempt. */
        const struct ff_held *held =
            ff_queue_find(manager->agent->queue, &item.progress.task, item.progress.attempt);
        if (held == NULL || held->manager != manager)
            known = false;
    }
    if (got == 0 && known)
        ff_uplink_forward(manager->agent->uplink, decoder->type, frame);
    return got;
}

/* GPUs that others take or give back on its node change where tasks fit. */
static void take_heartbeat(struct ff_manager *manager, const struct ff_heartbeat *heartbeat)
{
    unsigned taken = heartbeat->devices_taken < manager->room.devices
                         ? (unsigned)heartbeat->devices_taken
                         : manager->room.devices;
    if (taken == manager->room.devices_taken)
        return;
    manager->room.devices_taken = taken;
    manager->agent->dispatch_needed = true;
}

static void take_from_manager(struct ff_manager *manager, const struct ff_decoder *decoder,
                              const union ff_item *item)
{
    struct ff_agent *agent = manager->agent;
    switch (decoder->type) {
    case FF_MSG_HOLDING:
        ff_dispatch_holding(agent, manager, &item->holding);
        break;
    case FF_MSG_STATES:
        ff_dispatch_report(agent, manager, &item->report, decoder->raw);
        break;
    case FF_MSG_OUTCOMES:
        ff_dispatch_outcome(agent, manager, &item->outcome, decoder->raw);
        break;
    case FF_MSG_OBJECT_WANT:
        ff_objects_want(agent->objects, manager, &item->want);
        break;
    case FF_MSG_OBJECT_STORE:
        ff_uploads_store(agent->uploads, manager, &item->part);
        break;
    case FF_MSG_HOLDING_END:
        ff_dispatch_holding_end(agent, manager);
        ff_agent_block_announced(agent);
        break;
    case FF_MSG_HEARTBEAT:
        take_heartbeat(manager, &item->heartbeat);
        break;
    case FF_MSG_DRAIN: /* its room is gone: others, and other blocks, are looked at now */
        manager->draining = true;
        manager->room.open = false;
        agent->dispatch_needed = true;
        agent->scale_needed = true;
        break;
    default: /* what only others get means nothing here */
        break;
    }
}

static int message_of_manager(void *user, struct ff_manager *manager, struct ff_decoder *decoder,
                              struct ff_error *error)
{
    union ff_item item;
    int got;
    (void)user;
    if (decoder->type == FF_MSG_PROGRESS || decoder->type == FF_MSG_PREVIEW ||
        decoder->type == FF_MSG_LOG)
        return forward_events(manager, decoder, error);
    while ((got = ff_decode_next(decoder, &item, error)) > 0)
        take_from_manager(manager, decoder, &item);
    return got;
}

struct ff_downlink_events ff_wiring_downlink(struct ff_agent *agent)
{
    const struct ff_downlink_events events = {
        .user = agent,
        .came = manager_came,
        .message = message_of_manager,
        .away = manager_away,
        .lost = manager_lost,
        .gone = manager_gone,
    };
    return events;
}
