#include "endpoint/uplink.h"

#include "endpoint/registration.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "protocol/gather.h"
#include "protocol/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ff_uplink {
    struct ff_agent *agent;
    struct ff_uplink_events events;
    struct ff_session *session;
    struct ff_gather holdings;
    struct ff_gather reports;
    struct ff_gather outcomes;
    struct ff_buffer buffer;
    bool announced;
    int64_t since_ns;
    char host[256];
    char why[1024];
};

/* ---- the session's questions ---- */

static int give_target(void *user, struct ff_session_target *target, struct ff_error *error)
{
    struct ff_uplink *uplink = user;
    struct ff_registration registration;
    if (ff_registration_read(&uplink->agent->folder, &registration, error) < 0)
        return -1;
    uplink->agent->endpoint_id = registration.endpoint_id;
    snprintf(target->address, sizeof target->address, "%s", registration.router);
    snprintf(target->server_key, sizeof target->server_key, "%s", registration.router_key);
    return 0;
}

static void give_hello(void *user, struct ff_hello *hello)
{
    struct ff_uplink *uplink = user;
    const struct ff_agent *agent = uplink->agent;
    gethostname(uplink->host, sizeof uplink->host - 1);
    hello->endpoint = agent->endpoint_id;
    hello->instance = agent->instance;
    hello->previous = agent->previous;
    hello->host = ff_span_of(uplink->host);
    hello->software = ff_span_of(FF_VERSION);
    hello->pid = (uint64_t)getpid();
    hello->slots = ff_config_slots(&agent->config);
    hello->cores = ff_config_cores();
    hello->window = (uint64_t)agent->config.endpoint_window;
    hello->window_bytes = FF_WINDOW_BYTES;
    hello->take_over = agent->take_over;
}

static void give_heartbeat(void *user, struct ff_heartbeat *heartbeat)
{
    struct ff_uplink *uplink = user;
    uplink->events.heartbeat(uplink->events.user, heartbeat, uplink->why, sizeof uplink->why);
}

/* ---- what happens to the session ---- */

static void session_open(void *user, const struct ff_welcome *welcome)
{
    struct ff_uplink *uplink = user;
    char name[65];
    uplink->announced = false;
    uplink->since_ns = ff_wall_ns();
    snprintf(name, sizeof name, "%.*s", (int)welcome->name.size, (const char *)welcome->name.data);
    /* Moving the endpoint was asked for once; later openings of this instance need no force. */
    uplink->agent->take_over = false;
    uplink->events.open(uplink->events.user, name);
}

static void forget_gathered(struct ff_uplink *uplink)
{
    uplink->announced = false;
    uplink->since_ns = ff_wall_ns();
    ff_gather_drop(&uplink->holdings);
    ff_gather_drop(&uplink->reports);
    ff_gather_drop(&uplink->outcomes);
}

static void session_lost(void *user, const struct ff_error *why)
{
    struct ff_uplink *uplink = user;
    forget_gathered(uplink);
    uplink->events.lost(uplink->events.user, why);
}

static void session_refused(void *user, const struct ff_error *why)
{
    struct ff_uplink *uplink = user;
    forget_gathered(uplink);
    uplink->events.refused(uplink->events.user, why);
}

static int take_message(void *user, struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_uplink *uplink = user;
    return uplink->events.message(uplink->events.user, decoder, error);
}

/* ---- for the other rooms ---- */

static void send_frame(void *user, enum ff_message_type type, struct ff_span frame)
{
    struct ff_uplink *uplink = user;
    (void)type;
    ff_session_send(uplink->session, frame);
}

struct ff_uplink *ff_uplink_create(struct ff_agent *agent, const struct ff_uplink_events *events,
                                   struct ff_error *error)
{
    struct ff_uplink *uplink = calloc(1, sizeof *uplink);
    struct ff_curve_keys keys;
    char path[PATH_MAX];
    if (uplink == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the uplink");
        return NULL;
    }
    const struct ff_session_events of_session = {
        .user = uplink,
        .target = give_target,
        .hello = give_hello,
        .open = session_open,
        .message = take_message,
        .lost = session_lost,
        .refused = session_refused,
        .heartbeat = give_heartbeat,
    };
    uplink->agent = agent;
    uplink->events = *events;
    uplink->since_ns = ff_wall_ns();
    ff_buffer_init(&uplink->buffer, FF_MESSAGE_LIMIT);
    ff_gather_init(&uplink->holdings, FF_MSG_HOLDING, send_frame, uplink);
    ff_gather_init(&uplink->reports, FF_MSG_STATES, send_frame, uplink);
    ff_gather_init(&uplink->outcomes, FF_MSG_OUTCOMES, send_frame, uplink);
    ff_folder_path(&agent->folder, path, "curve");
    if (ff_curve_load(path, &keys, error) == 0)
        uplink->session = ff_session_create(agent->loop, agent->context, &keys, &of_session, error);
    if (uplink->session == NULL) {
        ff_uplink_destroy(uplink, NULL);
        return NULL;
    }
    return uplink;
}

void ff_uplink_destroy(struct ff_uplink *uplink, const char *farewell)
{
    if (uplink == NULL)
        return;
    ff_session_destroy(uplink->session, farewell);
    ff_gather_dispose(&uplink->holdings);
    ff_gather_dispose(&uplink->reports);
    ff_gather_dispose(&uplink->outcomes);
    ff_buffer_dispose(&uplink->buffer);
    free(uplink);
}

bool ff_uplink_is_open(const struct ff_uplink *uplink)
{
    return uplink != NULL && ff_session_is_open(uplink->session);
}

bool ff_uplink_is_announced(const struct ff_uplink *uplink)
{
    return ff_uplink_is_open(uplink) && uplink->announced;
}

int64_t ff_uplink_since_ns(const struct ff_uplink *uplink)
{
    return uplink->since_ns;
}

void ff_uplink_holding(struct ff_uplink *uplink, const struct ff_holding *holding)
{
    ff_gather_holding(&uplink->holdings, holding);
}

static void send_reason(struct ff_uplink *uplink, enum ff_message_type type, const char *reason)
{
    const struct ff_farewell farewell = {.reason = ff_span_of(reason)};
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &uplink->buffer, type);
    ff_encode_farewell(&encoder, &farewell);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_session_send(uplink->session, ff_buffer_span(&uplink->buffer));
}

void ff_uplink_end_holding(struct ff_uplink *uplink)
{
    ff_gather_flush(&uplink->holdings);
    send_reason(uplink, FF_MSG_HOLDING_END, "");
    uplink->announced = true;
}

void ff_uplink_drain(struct ff_uplink *uplink, const char *reason)
{
    send_reason(uplink, FF_MSG_DRAIN, reason);
}

void ff_uplink_report_raw(struct ff_uplink *uplink, struct ff_span raw)
{
    if (ff_uplink_is_announced(uplink))
        ff_gather_raw(&uplink->reports, raw);
}

void ff_uplink_report(struct ff_uplink *uplink, const struct ff_report *report)
{
    if (ff_uplink_is_announced(uplink))
        ff_gather_report(&uplink->reports, report);
}

void ff_uplink_outcome_raw(struct ff_uplink *uplink, struct ff_span raw)
{
    if (ff_uplink_is_announced(uplink))
        ff_gather_raw(&uplink->outcomes, raw);
}

void ff_uplink_forward(struct ff_uplink *uplink, enum ff_message_type type, struct ff_span frame)
{
    /* What was reported before is known there before. */
    if (!ff_uplink_is_announced(uplink))
        return;
    ff_gather_flush(&uplink->reports);
    (void)ff_session_offer(uplink->session, type, frame);
}

void ff_uplink_want(struct ff_uplink *uplink, const struct ff_want *want)
{
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &uplink->buffer, FF_MSG_OBJECT_WANT);
    ff_encode_want(&encoder, want);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_session_send(uplink->session, ff_buffer_span(&uplink->buffer));
}

void ff_uplink_store(struct ff_uplink *uplink, const struct ff_part *part)
{
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &uplink->buffer, FF_MSG_OBJECT_STORE);
    ff_encode_part(&encoder, part);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_session_send(uplink->session, ff_buffer_span(&uplink->buffer));
    ff_buffer_dispose(&uplink->buffer);
    ff_buffer_init(&uplink->buffer, FF_MESSAGE_LIMIT);
}

void ff_uplink_beat(struct ff_uplink *uplink)
{
    ff_session_beat(uplink->session);
}

bool ff_uplink_flush(struct ff_uplink *uplink)
{
    bool did = ff_gather_flush(&uplink->holdings);
    did = ff_gather_flush(&uplink->reports) || did;
    return ff_gather_flush(&uplink->outcomes) || did;
}
