/*
 * The session with the agent. Everything that is to be said of works is gathered here, many items a message, and sent
 * before the loop sleeps. Outcomes are kept by works.c, and all that have no receipt are sent again when the link
 * opens.
 */
#include "worker/uplink.h"

#include "worker/leases.h"
#include "worker/leaving.h"
#include "worker/manager.h"
#include "worker/objects.h"
#include "worker/slot.h"

#include "protocol/core/log.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"
#include "protocol/gather.h"
#include "protocol/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { LINK_WINDOW = 4096 };

enum { REPORTS, PROGRESS, LINES, OUTCOMES, GATHERS };

struct ff_uplink {
    struct ff_manager *manager;
    void *context;
    struct ff_session *session;
    struct ff_timer *lost_timer; /* agent_lost_limit */
    struct ff_gather gathers[GATHERS];
    struct ff_id instance;
    bool is_away; /* and the lost_timer runs */
    char said[FF_ERROR_MESSAGE_SIZE];
};

/* ---- gathering ---- */

/* Events may be dropped on a slow link. */
static void send_frame(void *user, enum ff_message_type type, struct ff_span frame)
{
    struct ff_uplink *uplink = user;
    if (type == FF_MSG_PROGRESS || type == FF_MSG_LOG || type == FF_MSG_PREVIEW)
        (void)ff_session_offer(uplink->session, type, frame);
    else
        ff_session_send(uplink->session, frame);
}

void ff_uplink_report(struct ff_uplink *uplink, const struct ff_report *report)
{
    if (ff_session_is_open(uplink->session))
        ff_gather_report(&uplink->gathers[REPORTS], report);
}

void ff_uplink_progress(struct ff_uplink *uplink, struct ff_span raw)
{
    if (ff_session_is_open(uplink->session))
        ff_gather_raw(&uplink->gathers[PROGRESS], raw);
}

void ff_uplink_line(struct ff_uplink *uplink, const struct ff_line *line)
{
    if (ff_session_is_open(uplink->session))
        ff_gather_line(&uplink->gathers[LINES], line);
}

void ff_uplink_outcome(struct ff_uplink *uplink, struct ff_span raw)
{
    if (raw.size > 0 && ff_session_is_open(uplink->session))
        ff_gather_raw(&uplink->gathers[OUTCOMES], raw);
}

bool ff_uplink_flush(struct ff_uplink *uplink)
{
    bool any = false;
    for (int i = 0; i < GATHERS; i++)
        any = ff_gather_flush(&uplink->gathers[i]) || any;
    return any;
}

void ff_uplink_send(struct ff_uplink *uplink, struct ff_span frame)
{
    if (!ff_session_is_open(uplink->session))
        return;
    (void)ff_uplink_flush(uplink);
    ff_session_send(uplink->session, frame);
}

void ff_uplink_preview(struct ff_uplink *uplink, struct ff_span frame)
{
    if (!ff_session_is_open(uplink->session))
        return;
    (void)ff_uplink_flush(uplink);
    send_frame(uplink, FF_MSG_PREVIEW, frame);
}

bool ff_uplink_is_open(const struct ff_uplink *uplink)
{
    return ff_session_is_open(uplink->session);
}

void ff_uplink_beat(struct ff_uplink *uplink)
{
    if (ff_session_is_open(uplink->session))
        ff_session_beat(uplink->session);
}

void ff_uplink_say_draining(struct ff_uplink *uplink, const char *why)
{
    struct ff_encoder encoder;
    struct ff_farewell farewell = {.reason = ff_span_of(why)};
    if (uplink == NULL) /* the link has failed while it was made */
        return;
    struct ff_buffer *frame = &uplink->manager->frame;
    ff_encode_begin(&encoder, frame, FF_MSG_DRAIN);
    ff_encode_farewell(&encoder, &farewell);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_uplink_send(uplink, ff_buffer_span(frame));
}

/* ---- where the agent is ---- */

static int take_address(void *user, const char *key, const char *value, int line,
                        struct ff_error *error)
{
    struct ff_session_target *target = user;
    (void)line;
    (void)error;
    if (strcmp(key, "address") == 0)
        snprintf(target->address, sizeof target->address, "%s", value);
    else if (strcmp(key, "key") == 0)
        snprintf(target->server_key, sizeof target->server_key, "%s", value);
    return 0;
}

static int find_agent(void *user, struct ff_session_target *target, struct ff_error *error)
{
    const struct ff_uplink *uplink = user;
    struct ff_session_target found;
    char path[PATH_MAX];
    memset(&found, 0, sizeof found);
    snprintf(path, sizeof path, "%s/run/agent", uplink->manager->settings.endpoint_folder);
    if (ff_yaml_read(path, take_address, &found, error) < 0)
        return -1;
    if (found.address[0] == '\0' || !ff_curve_is_key(found.server_key))
        return ff_fail(error, FF_INPUT_INVALID, "%s does not say where the agent is", path);
    *target = found;
    return 0;
}

/* ---- opening ---- */

static void fill_hello(void *user, struct ff_hello *hello)
{
    const struct ff_uplink *uplink = user;
    const struct ff_manager *manager = uplink->manager;
    const struct ff_settings *settings = &manager->settings;
    uint64_t window = manager->slot_count * 2 * FF_RUNNER_WINDOW;
    hello->endpoint = settings->endpoint;
    hello->instance = uplink->instance;
    hello->host = ff_span_of(settings->host);
    hello->node = ff_span_of(settings->node);
    hello->block = ff_span_of(settings->block);
    hello->software = ff_span_of(FF_VERSION);
    hello->pid = (uint64_t)getpid();
    hello->slots = manager->slot_count;
    hello->cores = manager->core_count;
    hello->devices = ff_leases_devices(manager->leases);
    hello->window = window < LINK_WINDOW ? window : LINK_WINDOW;
    hello->ends_ns = (uint64_t)settings->ends_ns;
    hello->leaves_ns = (uint64_t)manager->leaves_ns;
}

static void announce(struct ff_uplink *uplink)
{
    struct ff_manager *manager = uplink->manager;
    struct ff_encoder encoder;
    struct ff_buffer *frame = &manager->frame;
    struct ff_work *work = ff_works_next(manager, NULL);
    while (work != NULL) {
        ff_encode_begin(&encoder, frame, FF_MSG_HOLDING);
        for (; work != NULL; work = ff_works_next(manager, work)) {
            struct ff_holding holding = {
                .task = work->order.task,
                .attempt = work->order.attempt,
                .number = work->order.number,
                .state = (uint64_t)ff_work_state(work),
                .node = ff_span_of(manager->settings.node),
                .devices = work->order.devices,
                .cores = work->order.cores,
                .nodes = work->order.nodes,
                .node_list = work->order.node_list,
                .function = work->order.function,
                .user = work->order.user,
                .priority = work->order.priority,
                .time_limit_ms = work->order.time_limit_ms,
                .can_checkpoint = ff_work_can_checkpoint(work),
            };
            if (!ff_encode_holding(&encoder, &holding))
                break;
        }
        if (ff_encode_end(&encoder, NULL) == 0)
            ff_session_send(uplink->session, ff_buffer_span(frame));
    }
    struct ff_farewell end = {.reason = {NULL, 0}};
    ff_encode_begin(&encoder, frame, FF_MSG_HOLDING_END);
    ff_encode_farewell(&encoder, &end);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_session_send(uplink->session, ff_buffer_span(frame));
}

static void link_open(void *user, const struct ff_welcome *welcome)
{
    struct ff_uplink *uplink = user;
    struct ff_manager *manager = uplink->manager;
    ff_log(FF_LOG_INFO, "connected to the agent of %.*s", (int)welcome->name.size,
           (const char *)welcome->name.data);
    ff_timer_set(uplink->lost_timer, FF_TIMER_OFF);
    uplink->is_away = false;
    uplink->said[0] = '\0';
    for (int i = 0; i < GATHERS; i++)
        ff_gather_drop(&uplink->gathers[i]);
    announce(uplink);
    for (const struct ff_work *work = manager->ended.first; work != NULL; work = work->next)
        ff_uplink_outcome(uplink, (struct ff_span){work->outcome, work->outcome_size});
    ff_objects_online(manager->objects);
    if (ff_leases_taken(manager->leases) > 0)
        ff_uplink_beat(uplink);
    if (manager->draining)
        ff_uplink_say_draining(uplink, "the worker is about to leave");
}

/* Whoever removed the folder of the block wants nothing more of it. */
static bool is_block_gone(const struct ff_manager *manager)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/blocks/%s/block.yaml", manager->settings.endpoint_folder,
             manager->settings.block);
    return access(path, F_OK) < 0 && errno == ENOENT;
}

/* From the first failure on, the time that the worker goes on without an agent runs. */
static void link_lost(void *user, const struct ff_error *why)
{
    struct ff_uplink *uplink = user;
    for (int i = 0; i < GATHERS; i++)
        ff_gather_drop(&uplink->gathers[i]);
    if (!uplink->is_away)
        ff_timer_set_after(uplink->lost_timer, uplink->manager->settings.agent_lost_limit_ms);
    uplink->is_away = true;
    if (is_block_gone(uplink->manager)) {
        ff_fail(&uplink->manager->failure, FF_ENDPOINT_LOST, "the folder of the block is gone");
        ff_manager_leave(uplink->manager, true);
    }
    if (strcmp(uplink->said, why->message) == 0)
        return; /* said once, not with every attempt */
    snprintf(uplink->said, sizeof uplink->said, "%s", why->message);
    ff_log(FF_LOG_WARNING, "no link to the agent: %s", why->message);
}

static void agent_is_lost(void *user)
{
    struct ff_uplink *uplink = user;
    struct ff_manager *manager = uplink->manager;
    char limit[64];
    ff_text_duration(1e-3 * (double)manager->settings.agent_lost_limit_ms, limit, sizeof limit);
    ff_fail(&manager->failure, FF_ENDPOINT_LOST, "no agent for %s", limit);
    manager->abandoned = true;
    ff_manager_leave(manager, true);
}

static void refused(void *user, const struct ff_error *why)
{
    struct ff_uplink *uplink = user;
    uplink->manager->failure = *why;
    ff_manager_leave(uplink->manager, true);
}

static void fill_heartbeat(void *user, struct ff_heartbeat *heartbeat)
{
    const struct ff_uplink *uplink = user;
    const struct ff_manager *manager = uplink->manager;
    heartbeat->managers = 1;
    heartbeat->slots = manager->slot_count;
    heartbeat->devices = ff_leases_devices(manager->leases);
    heartbeat->devices_taken = ff_leases_taken(manager->leases);
    for (size_t i = 0; i < manager->slot_count; i++) {
        enum ff_slot_state state = manager->slots[i].state;
        heartbeat->idle += state == FF_SLOT_EMPTY || state == FF_SLOT_IDLE;
        heartbeat->running += manager->slots[i].calls.first != NULL;
    }
    heartbeat->waiting = manager->work_count - manager->ended.count - (unsigned)heartbeat->running;
}

/* ---- messages ---- */

static void take_item(struct ff_manager *manager, enum ff_message_type type,
                      const union ff_item *item)
{
    switch (type) {
    case FF_MSG_TASKS:
        ff_works_order(manager, &item->order);
        break;
    case FF_MSG_CONTROL:
        ff_works_control(manager, &item->control);
        break;
    case FF_MSG_RECEIPTS:
        ff_works_receipt(manager, &item->receipt);
        break;
    case FF_MSG_OBJECT_PART:
        ff_objects_part(manager->objects, &item->part);
        break;
    case FF_MSG_OBJECT_STORED:
        ff_objects_stored(manager->objects, &item->part);
        break;
    case FF_MSG_DRAIN:
        ff_log(FF_LOG_INFO, "the agent asks to drain");
        ff_manager_leave(manager, false);
        break;
    default: /* of a newer agent: skipped */
        break;
    }
}

static int take_message(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    const struct ff_uplink *uplink = user;
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0)
        take_item(uplink->manager, decoder->type, &item);
    return got;
}

/* ---- life ---- */

struct ff_uplink *ff_uplink_create(struct ff_manager *manager, struct ff_error *error)
{
    static const enum ff_message_type types[GATHERS] = {FF_MSG_STATES, FF_MSG_PROGRESS, FF_MSG_LOG,
                                                        FF_MSG_OUTCOMES};
    struct ff_uplink *uplink = calloc(1, sizeof *uplink);
    if (uplink == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the link to the agent");
        return NULL;
    }
    const struct ff_session_events events = {
        .user = uplink,
        .target = find_agent,
        .hello = fill_hello,
        .open = link_open,
        .message = take_message,
        .lost = link_lost,
        .refused = refused,
        .heartbeat = fill_heartbeat,
    };
    uplink->manager = manager;
    for (int i = 0; i < GATHERS; i++)
        ff_gather_init(&uplink->gathers[i], types[i], send_frame, uplink);
    ff_id_random(&uplink->instance);
    uplink->context = zmq_ctx_new();
    uplink->lost_timer = ff_timer_create(manager->loop, agent_is_lost, uplink, error);
    if (uplink->context != NULL && uplink->lost_timer != NULL) {
        uplink->session = ff_session_create(manager->loop, uplink->context, &manager->settings.keys,
                                            &events, error);
    } else if (uplink->context == NULL) {
        ff_fail(error, FF_NO_MEMORY, "cannot start ZeroMQ");
    }
    if (uplink->session != NULL)
        return uplink;
    ff_uplink_destroy(uplink, NULL);
    return NULL;
}

void ff_uplink_destroy(struct ff_uplink *uplink, const char *farewell)
{
    if (uplink == NULL)
        return;
    ff_session_destroy(uplink->session, farewell);
    ff_timer_destroy(uplink->lost_timer);
    if (uplink->context != NULL)
        zmq_ctx_term(uplink->context);
    for (int i = 0; i < GATHERS; i++)
        ff_gather_dispose(&uplink->gathers[i]);
    free(uplink);
}
