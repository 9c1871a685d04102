#include "protocol/session.h"

#include "protocol/core/clock.h"
#include "protocol/link.h"
#include "protocol/monitor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    RECEIVE_AT_ONCE = 64, /* messages; then the rest of the process gets its turn */
    ANSWER_LIMIT_MS = FF_HEARTBEAT_MS,
    FAREWELL_LINGER_MS = 100,
    SMALL_MESSAGE = 4096,
};

enum phase {
    AWAY,    /* no socket; the timer starts the next attempt */
    CALLING, /* a socket, with HELLO in it; the timer ends the attempt */
    OPEN,    /* the timer is the next heartbeat or the end of the other side's silence */
    REFUSED, /* for good */
};

struct ff_session {
    struct ff_loop *loop;
    void *context;
    struct ff_curve_keys keys;
    struct ff_session_events events;
    struct ff_timer *timer;
    struct ff_prepare *prepare;
    enum phase phase;
    int64_t wait_ms; /* before the next attempt */
    int64_t heartbeat_ms;
    int64_t lost_ms;
    int64_t heard_ns;
    int64_t sent_ns;
    uint64_t sent_bytes;  /* on this connection */
    uint64_t taken_bytes; /* of those, what the server says it has heard */
    bool look;            /* the socket may have something; nothing else costs a system call */
    bool look_monitor;    /* likewise */
    int inside;           /* how many of our functions that call the owner are active */
    bool destroyed;
    void *socket;
    struct ff_monitor *monitor;
    struct ff_watch *socket_watch;
    struct ff_watch *monitor_watch;
};

/* Between enter and leave the owner may destroy the session; the memory goes at the last leave. */
static void enter(struct ff_session *session)
{
    session->inside++;
}

static void leave(struct ff_session *session)
{
    if (--session->inside == 0 && session->destroyed)
        free(session);
}

static void drop_socket(struct ff_session *session)
{
    ff_watch_destroy(session->socket_watch);
    ff_watch_destroy(session->monitor_watch);
    ff_monitor_destroy(session->monitor);
    ff_link_close(session->socket);
    session->socket_watch = NULL;
    session->monitor_watch = NULL;
    session->monitor = NULL;
    session->socket = NULL;
    session->look = false;
    session->look_monitor = false;
}

/* Ends the attempt or the open link and waits for the next; the wait doubles until one opens. */
static void lose(struct ff_session *session, const struct ff_error *why)
{
    drop_socket(session);
    session->phase = AWAY;
    ff_timer_set_after(session->timer, session->wait_ms);
    session->wait_ms *= 2;
    if (session->wait_ms > FF_RECONNECT_MAX_MS)
        session->wait_ms = FF_RECONNECT_MAX_MS;
    session->events.lost(session->events.user, why);
}

static void connection_broken(void *user, int fd, const char *why)
{
    struct ff_session *session = user;
    struct ff_error error;
    (void)fd;
    if (session->socket == NULL)
        return;
    ff_fail(&error, FF_UNREACHABLE, "%s", why);
    lose(session, &error);
}

static void socket_ready(void *user, uint32_t events)
{
    struct ff_session *session = user;
    (void)events;
    session->look = true;
}

static void monitor_ready(void *user, uint32_t events)
{
    struct ff_session *session = user;
    (void)events;
    session->look_monitor = true;
    session->look = true; /* what came before the connection broke is read first */
}

static int open_socket(struct ff_session *session, const struct ff_session_target *target,
                       struct ff_error *error)
{
    session->socket =
        ff_link_dealer_make(session->context, target->server_key, &session->keys, error);
    if (session->socket == NULL)
        return -1;
    session->monitor =
        ff_monitor_create(session->context, session->socket, connection_broken, session, error);
    if (session->monitor == NULL)
        return -1;
    session->socket_watch = ff_watch_create(session->loop, ff_link_fd(session->socket), EPOLLIN,
                                            socket_ready, session, error);
    session->monitor_watch = ff_watch_create(session->loop, ff_monitor_fd(session->monitor),
                                             EPOLLIN, monitor_ready, session, error);
    if (session->socket_watch == NULL || session->monitor_watch == NULL)
        return -1;
    session->look = true;
    session->look_monitor = true;
    session->sent_bytes = 0;
    session->taken_bytes = 0;
    return ff_link_connect(session->socket, target->address, error);
}

static void send_frame(struct ff_session *session, struct ff_span frame)
{
    struct ff_error error;
    session->look = true;
    session->sent_ns = ff_monotonic_ns();
    session->sent_bytes += frame.size;
    /* When it is not taken, the connection has just broken; the monitor says so. */
    int result = ff_link_send(session->socket, NULL, frame, &error);
    (void)result;
}

/* Waits in the socket for the connection. */
static void send_hello(struct ff_session *session)
{
    struct ff_hello hello;
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    memset(&hello, 0, sizeof hello);
    session->events.hello(session->events.user, &hello);
    hello.version_min = FF_PROTOCOL_MIN;
    hello.version_max = FF_PROTOCOL_MAX;
    ff_buffer_init(&buffer, SMALL_MESSAGE);
    ff_encode_begin(&encoder, &buffer, FF_MSG_HELLO);
    ff_encode_hello(&encoder, &hello);
    if (ff_encode_end(&encoder, NULL) == 0)
        send_frame(session, ff_buffer_span(&buffer));
    ff_buffer_dispose(&buffer);
}

static void call(struct ff_session *session)
{
    struct ff_session_target target;
    struct ff_error error;
    memset(&target, 0, sizeof target);
    if (session->events.target(session->events.user, &target, &error) < 0 ||
        open_socket(session, &target, &error) < 0) {
        lose(session, &error);
        return;
    }
    session->phase = CALLING;
    ff_timer_set_after(session->timer, ANSWER_LIMIT_MS);
    send_hello(session);
}

static void send_heartbeat(struct ff_session *session)
{
    struct ff_heartbeat heartbeat;
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    memset(&heartbeat, 0, sizeof heartbeat);
    if (session->events.heartbeat != NULL)
        session->events.heartbeat(session->events.user, &heartbeat);
    ff_buffer_init(&buffer, SMALL_MESSAGE);
    ff_encode_begin(&encoder, &buffer, FF_MSG_HEARTBEAT);
    ff_encode_heartbeat(&encoder, &heartbeat);
    if (ff_encode_end(&encoder, NULL) == 0)
        send_frame(session, ff_buffer_span(&buffer));
    ff_buffer_dispose(&buffer);
}

static void set_open_timer(struct ff_session *session)
{
    int64_t heartbeat_ns = session->sent_ns + session->heartbeat_ms * 1000000;
    int64_t lost_ns = session->heard_ns + session->lost_ms * 1000000;
    ff_timer_set(session->timer, heartbeat_ns < lost_ns ? heartbeat_ns : lost_ns);
}

static void timer_due(void *user)
{
    struct ff_session *session = user;
    struct ff_error error;
    int64_t now = ff_monotonic_ns();
    enter(session);
    if (session->phase == AWAY) {
        call(session);
    } else if (session->phase == CALLING) {
        ff_fail(&error, FF_TIMED_OUT, "no answer within %d ms", ANSWER_LIMIT_MS);
        lose(session, &error);
    } else if (session->phase == OPEN && now - session->heard_ns >= session->lost_ms * 1000000) {
        ff_fail(&error, FF_TIMED_OUT, "nothing was heard for %lld ms", (long long)session->lost_ms);
        lose(session, &error);
    } else if (session->phase == OPEN) {
        if (now - session->sent_ns >= session->heartbeat_ms * 1000000)
            send_heartbeat(session);
        set_open_timer(session);
    }
    leave(session);
}

/* ---- what comes in ---- */

static void take_welcome(struct ff_session *session, const struct ff_welcome *welcome)
{
    session->phase = OPEN;
    session->wait_ms = FF_RECONNECT_MS;
    session->heartbeat_ms =
        welcome->heartbeat_ms > 0 ? (int64_t)welcome->heartbeat_ms : FF_HEARTBEAT_MS;
    session->lost_ms = welcome->lost_ms > 0 ? (int64_t)welcome->lost_ms : FF_PEER_LOST_MS;
    set_open_timer(session);
    session->events.open(session->events.user, welcome);
}

static void take_refusal(struct ff_session *session, const struct ff_refusal *refusal)
{
    struct ff_error error;
    ff_fail(&error, ff_error_code_from_name(refusal->code.data, refusal->code.size), "%.*s",
            (int)refusal->message.size, (const char *)refusal->message.data);
    if (refusal->hint.size > 0)
        ff_hint(&error, "%.*s", (int)refusal->hint.size, (const char *)refusal->hint.data);
    if (!refusal->final) {
        lose(session, &error);
        return;
    }
    drop_socket(session);
    ff_timer_set(session->timer, FF_TIMER_OFF);
    session->phase = REFUSED;
    session->events.refused(session->events.user, &error);
}

static void take_farewell(struct ff_session *session, const struct ff_farewell *farewell)
{
    struct ff_error error;
    ff_fail(&error, FF_UNREACHABLE, "the other end has left: %.*s", (int)farewell->reason.size,
            (const char *)farewell->reason.data);
    lose(session, &error);
}

/* A message of the session itself: its one item. */
static int take_own(struct ff_session *session, struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got = ff_decode_next(decoder, &item, error);
    if (got < 0)
        return -1;
    if (got == 0)
        memset(&item, 0, sizeof item);
    if (decoder->type == FF_MSG_WELCOME && session->phase == CALLING) {
        if (item.welcome.version < FF_PROTOCOL_MIN || item.welcome.version > FF_PROTOCOL_MAX)
            return ff_fail(error, FF_VERSION_MISMATCH, "the other end chose version %llu",
                           (unsigned long long)item.welcome.version);
        take_welcome(session, &item.welcome);
    } else if (decoder->type == FF_MSG_REFUSED) {
        take_refusal(session, &item.refusal);
    } else if (decoder->type == FF_MSG_FAREWELL) {
        take_farewell(session, &item.farewell);
    } else if (decoder->type == FF_MSG_HEARTBEAT && item.heartbeat.heard <= session->sent_bytes) {
        session->taken_bytes = item.heartbeat.heard;
    }
    return 0;
}

static int take_frame(struct ff_session *session, struct ff_span frame, struct ff_error *error)
{
    struct ff_decoder decoder;
    session->heard_ns = ff_monotonic_ns();
    if (ff_decode_open(&decoder, frame, error) < 0)
        return error->code == FF_UNSUPPORTED ? 0 : -1;
    switch (decoder.type) {
    case FF_MSG_WELCOME:
    case FF_MSG_REFUSED:
    case FF_MSG_FAREWELL:
    case FF_MSG_HEARTBEAT:
        return take_own(session, &decoder, error);
    default:
        if (session->phase != OPEN)
            return 0; /* the answer to HELLO comes first */
        return session->events.message(session->events.user, &decoder, error);
    }
}

/* Reads what is there, at most RECEIVE_AT_ONCE messages. */
static bool receive(struct ff_session *session)
{
    struct ff_error error;
    const void *socket = session->socket;
    int taken = 0;
    session->look = false;
    while (session->socket == socket && !session->destroyed && socket != NULL) {
        zmq_msg_t frame;
        if (taken == RECEIVE_AT_ONCE) {
            session->look = true;
            break;
        }
        if (ff_link_receive(session->socket, NULL, &frame) == 0)
            break;
        taken++;
        int result = take_frame(session, ff_link_span(&frame), &error);
        zmq_msg_close(&frame);
        if (result < 0 && session->socket == socket && !session->destroyed)
            lose(session, &error);
    }
    return taken > 0;
}

static bool prepare_run(void *user)
{
    struct ff_session *session = user;
    bool did = false;
    enter(session);
    if (session->look)
        did = receive(session);
    if (!session->destroyed && session->look_monitor && !session->look) {
        session->look_monitor = false;
        ff_monitor_handle(session->monitor);
    }
    leave(session);
    return did;
}

/* ---- for the owner ---- */

struct ff_session *ff_session_create(struct ff_loop *loop, void *context,
                                     const struct ff_curve_keys *keys,
                                     const struct ff_session_events *events, struct ff_error *error)
{
    struct ff_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a session");
        return NULL;
    }
    session->loop = loop;
    session->context = context;
    session->keys = *keys;
    session->events = *events;
    session->wait_ms = FF_RECONNECT_MS;
    session->timer = ff_timer_create(loop, timer_due, session, error);
    session->prepare = ff_prepare_create(loop, prepare_run, session, error);
    if (session->timer == NULL || session->prepare == NULL) {
        ff_session_destroy(session, NULL);
        return NULL;
    }
    ff_timer_set_after(session->timer, 0);
    return session;
}

bool ff_session_is_open(const struct ff_session *session)
{
    return session->phase == OPEN;
}

void ff_session_send(struct ff_session *session, struct ff_span frame)
{
    if (session->phase == OPEN)
        send_frame(session, frame);
}

bool ff_session_offer(struct ff_session *session, enum ff_message_type type, struct ff_span frame)
{
    uint64_t most = type == FF_MSG_PROGRESS ? 2 * (uint64_t)FF_LINK_CREDIT : FF_LINK_CREDIT;
    if (session->phase != OPEN || session->sent_bytes - session->taken_bytes > most)
        return false;
    send_frame(session, frame);
    return true;
}

void ff_session_beat(struct ff_session *session)
{
    if (session->phase == OPEN)
        send_heartbeat(session);
}

static void say_farewell(struct ff_session *session, const char *reason)
{
    struct ff_farewell farewell = {.reason = ff_span_of(reason)};
    struct ff_buffer buffer;
    struct ff_encoder encoder;
    ff_buffer_init(&buffer, SMALL_MESSAGE);
    ff_encode_begin(&encoder, &buffer, FF_MSG_FAREWELL);
    ff_encode_farewell(&encoder, &farewell);
    if (ff_encode_end(&encoder, NULL) == 0)
        send_frame(session, ff_buffer_span(&buffer));
    ff_buffer_dispose(&buffer);
    ff_link_linger(session->socket, FAREWELL_LINGER_MS);
}

void ff_session_destroy(struct ff_session *session, const char *farewell)
{
    if (session == NULL)
        return;
    if (session->phase == OPEN && farewell != NULL)
        say_farewell(session, farewell);
    drop_socket(session);
    ff_timer_destroy(session->timer);
    ff_prepare_destroy(session->prepare);
    session->phase = REFUSED;
    session->destroyed = true;
    if (session->inside == 0)
        free(session);
}
