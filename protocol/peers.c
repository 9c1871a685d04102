#include "protocol/peers.h"

#include "protocol/core/clock.h"
#include "protocol/link.h"
#include "protocol/monitor.h"
#include "protocol/zap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    RECEIVE_AT_ONCE = 64, /* messages; then the rest of the process gets its turn */
    BUCKETS = 1024,
    ROUTING_ID_LIMIT = 255, /* of ZeroMQ */
    WHY_SIZE = FF_ERROR_MESSAGE_SIZE,
    SMALL_MESSAGE = 4096,
    FAREWELL_LINGER_MS = 100,
};

/* Invariant: a peer stands in the table from its admission until reap() calls `gone` for it. */
struct ff_peer {
    struct ff_peers *peers;
    struct ff_peer *next; /* of the same bucket */
    void *user;
    char key[FF_CURVE_TEXT_SIZE];
    struct ff_id instance; /* zero unless instances tell peers apart */
    unsigned version;
    int fd; /* of its connection, to recognise its end */
    int64_t heard_ns;
    int64_t sent_ns;
    uint64_t heard_bytes;
    uint64_t told_bytes; /* of those, what the last heartbeat said */
    bool leaving;        /* nothing is sent to it or taken from it any more */
    bool left;           /* it said FAREWELL */
    char why[WHY_SIZE];
    size_t routing_size;
    uint8_t routing[]; /* the routing id */
};

struct ff_peers {
    struct ff_loop *loop;
    struct ff_peers_events events;
    void *socket;
    struct ff_zap *zap;
    struct ff_monitor *monitor;
    struct ff_watch *watches[3];
    struct ff_timer *timer; /* the next heartbeat or end of a silence of any peer */
    struct ff_prepare *prepare;
    int64_t heartbeat_ms;
    int64_t lost_ms;
    bool look;         /* the router may have something; nothing else costs a system call */
    bool look_zap;     /* likewise */
    bool look_monitor; /* likewise */
    bool some_leave;
    struct ff_buffer buffer;
    struct ff_peer *buckets[BUCKETS];
};

/* ---- the table ---- */

static struct ff_peer **bucket_of(struct ff_peers *peers, struct ff_span routing)
{
    const uint8_t *at = routing.data;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < routing.size; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return &peers->buckets[hash % BUCKETS];
}

static struct ff_span routing_of(const struct ff_peer *peer)
{
    struct ff_span span = {peer->routing, peer->routing_size};
    return span;
}

static struct ff_peer *find_peer(struct ff_peers *peers, struct ff_span routing)
{
    for (struct ff_peer *at = *bucket_of(peers, routing); at != NULL; at = at->next)
        if (ff_span_equal(routing_of(at), routing))
            return at;
    return NULL;
}

/* The next peer behind `peer` in the whole table; the first for NULL. */
static struct ff_peer *next_peer(struct ff_peers *peers, const struct ff_peer *peer)
{
    size_t bucket = 0;
    if (peer != NULL) {
        if (peer->next != NULL)
            return peer->next;
        bucket = (size_t)(bucket_of(peers, routing_of(peer)) - peers->buckets) + 1;
    }
    while (bucket < BUCKETS && peers->buckets[bucket] == NULL)
        bucket++;
    return bucket < BUCKETS ? peers->buckets[bucket] : NULL;
}

/* The one whose place `peer` takes. */
static struct ff_peer *find_same(struct ff_peers *peers, const struct ff_peer *peer)
{
    for (struct ff_peer *at = next_peer(peers, NULL); at != NULL; at = next_peer(peers, at))
        if (!at->leaving && strcmp(at->key, peer->key) == 0 &&
            ff_id_equal(&at->instance, &peer->instance))
            return at;
    return NULL;
}

static void mark_leaving(struct ff_peer *peer, const char *why)
{
    if (peer->leaving)
        return;
    peer->leaving = true;
    snprintf(peer->why, sizeof peer->why, "%s", why);
    peer->peers->some_leave = true;
}

static void reap_bucket(struct ff_peers *peers, struct ff_peer **at)
{
    while (*at != NULL) {
        struct ff_peer *peer = *at;
        if (!peer->leaving) {
            at = &peer->next;
            continue;
        }
        *at = peer->next;
        peers->events.gone(peers->events.user, peer, peer->why);
        free(peer);
    }
}

/* Tells the owner about those that leave. It may mark more while it is told, but adds and removes none. */
static bool reap(struct ff_peers *peers)
{
    bool did = peers->some_leave;
    while (peers->some_leave) {
        peers->some_leave = false;
        for (int i = 0; i < BUCKETS; i++)
            reap_bucket(peers, &peers->buckets[i]);
    }
    return did;
}

/* ---- sending ---- */

static bool send_to(struct ff_peers *peers, struct ff_span routing, struct ff_span frame)
{
    peers->look = true;
    return ff_link_send(peers->socket, &routing, frame, NULL) == 0;
}

bool ff_peer_send(struct ff_peer *peer, struct ff_span frame)
{
    if (peer->leaving)
        return false;
    if (!send_to(peer->peers, routing_of(peer), frame)) {
        mark_leaving(peer, "the connection was closed");
        ff_loop_wake(peer->peers->loop);
        return false;
    }
    peer->sent_ns = ff_monotonic_ns();
    return true;
}

static void send_refusal(struct ff_peers *peers, struct ff_span routing,
                         const struct ff_error *error, bool final)
{
    struct ff_refusal refusal = {.code = ff_span_of(ff_error_name(error->code)),
                                 .message = ff_span_of(error->message),
                                 .hint = ff_span_of(error->hint),
                                 .final = final};
    struct ff_encoder encoder;
    ff_encode_begin(&encoder, &peers->buffer, FF_MSG_REFUSED);
    ff_encode_refusal(&encoder, &refusal);
    if (ff_encode_end(&encoder, NULL) == 0)
        send_to(peers, routing, ff_buffer_span(&peers->buffer));
}

void ff_peer_refuse(struct ff_peer *peer, const struct ff_error *error, bool final)
{
    if (peer->leaving)
        return;
    send_refusal(peer->peers, routing_of(peer), error, final);
    mark_leaving(peer, error->message);
    ff_loop_wake(peer->peers->loop);
}

static void send_plain(struct ff_peer *peer, enum ff_message_type type, const char *reason)
{
    struct ff_heartbeat heartbeat;
    struct ff_farewell farewell = {.reason = ff_span_of(reason)};
    struct ff_encoder encoder;
    memset(&heartbeat, 0, sizeof heartbeat);
    heartbeat.heard = peer->heard_bytes;
    ff_encode_begin(&encoder, &peer->peers->buffer, type);
    if (type == FF_MSG_HEARTBEAT)
        peer->told_bytes = peer->heard_bytes;
    if (type == FF_MSG_HEARTBEAT)
        ff_encode_heartbeat(&encoder, &heartbeat);
    else
        ff_encode_farewell(&encoder, &farewell);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_peer_send(peer, ff_buffer_span(&peer->peers->buffer));
}

/* ---- times ---- */

/* When this peer has to be looked at next. */
static int64_t deadline_of(const struct ff_peers *peers, const struct ff_peer *peer)
{
    int64_t heartbeat_ns = peer->sent_ns + peers->heartbeat_ms * 1000000;
    int64_t lost_ns = peer->heard_ns + peers->lost_ms * 1000000;
    return heartbeat_ns < lost_ns ? heartbeat_ns : lost_ns;
}

static void timer_due(void *user)
{
    struct ff_peers *peers = user;
    int64_t now = ff_monotonic_ns();
    /* Those that are due soon are served in the same wake-up. */
    int64_t soon = now + peers->heartbeat_ms * 1000000 / 8;
    int64_t next = INT64_MAX;
    for (struct ff_peer *at = next_peer(peers, NULL); at != NULL; at = next_peer(peers, at)) {
        if (at->leaving)
            continue;
        if (now - at->heard_ns >= peers->lost_ms * 1000000)
            mark_leaving(at, "nothing was heard from it");
        else if (at->sent_ns + peers->heartbeat_ms * 1000000 <= soon)
            send_plain(at, FF_MSG_HEARTBEAT, "");
        if (!at->leaving && deadline_of(peers, at) < next)
            next = deadline_of(peers, at);
    }
    ff_timer_set(peers->timer, next == INT64_MAX ? FF_TIMER_OFF : next);
}

/* ---- what comes in ---- */

static void connection_broken(void *user, int fd, const char *why)
{
    struct ff_peers *peers = user;
    if (fd < 0)
        return;
    for (struct ff_peer *at = next_peer(peers, NULL); at != NULL; at = next_peer(peers, at))
        if (at->fd == fd)
            mark_leaving(at, why);
}

static struct ff_peer *make_peer(struct ff_peers *peers, struct ff_span routing, zmq_msg_t *frame,
                                 struct ff_error *error)
{
    struct ff_peer *peer = calloc(1, sizeof *peer + routing.size);
    if (peer == NULL || routing.size > ROUTING_ID_LIMIT) {
        free(peer);
        ff_fail(error, FF_NO_MEMORY, "no memory for another peer");
        return NULL;
    }
    peer->peers = peers;
    peer->fd = zmq_msg_get(frame, ZMQ_SRCFD);
    peer->heard_ns = ff_monotonic_ns();
    peer->sent_ns = peer->heard_ns;
    peer->heard_bytes = zmq_msg_size(frame); /* its HELLO */
    peer->routing_size = routing.size;
    memcpy(peer->routing, routing.data, routing.size);
    snprintf(peer->key, sizeof peer->key, "%s", ff_link_peer_key(frame));
    return peer;
}

/* Chooses the highest version that both know. */
static int agree_version(struct ff_peer *peer, const struct ff_hello *hello, bool *final,
                         struct ff_error *error)
{
    uint64_t highest = hello->version_max < FF_PROTOCOL_MAX ? hello->version_max : FF_PROTOCOL_MAX;
    if (highest < FF_PROTOCOL_MIN || highest < hello->version_min) {
        *final = true;
        ff_fail(error, FF_VERSION_MISMATCH,
                "the peer speaks versions %llu to %llu of the protocol, this program %d to %d",
                (unsigned long long)hello->version_min, (unsigned long long)hello->version_max,
                FF_PROTOCOL_MIN, FF_PROTOCOL_MAX);
        return ff_hint(error, "install the same release of Farfield on both machines");
    }
    peer->version = (unsigned)highest;
    return 0;
}

/* Asks the owner; on admission the peer enters the table and WELCOME goes out. */
static int admit(struct ff_peers *peers, struct ff_peer *peer, const struct ff_hello *hello,
                 bool *final, struct ff_error *error)
{
    struct ff_welcome welcome;
    struct ff_encoder encoder;
    if (peers->events.by_instance)
        peer->instance = hello->instance;
    struct ff_peer *replaced = find_same(peers, peer);
    if (agree_version(peer, hello, final, error) < 0)
        return -1;
    memset(&welcome, 0, sizeof welcome);
    welcome.heartbeat_ms = (uint64_t)peers->heartbeat_ms;
    welcome.lost_ms = (uint64_t)peers->lost_ms;
    welcome.version = peer->version;
    *final = true;
    if (peers->events.hello(peers->events.user, peer, hello, replaced, &welcome, &peer->user, final,
                            error) < 0)
        return -1;
    ff_encode_begin(&encoder, &peers->buffer, FF_MSG_WELCOME);
    ff_encode_welcome(&encoder, &welcome);
    struct ff_peer **bucket = bucket_of(peers, routing_of(peer));
    peer->next = *bucket;
    *bucket = peer;
    if (ff_encode_end(&encoder, error) < 0)
        mark_leaving(peer, error->message);
    else
        ff_peer_send(peer, ff_buffer_span(&peers->buffer));
    if (replaced != NULL) {
        mark_leaving(replaced, "replaced by a newer connection of the same key");
        reap(peers);
    }
    timer_due(peers);
    return 0;
}

static void take_stranger(struct ff_peers *peers, struct ff_span routing, zmq_msg_t *frame)
{
    struct ff_decoder decoder;
    union ff_item item;
    struct ff_error error;
    bool final = false;
    /* A connection that broke may have had the descriptor that this new one has. */
    ff_monitor_handle(peers->monitor);
    int got = ff_decode_open(&decoder, ff_link_span(frame), &error);
    if (got == 0 && decoder.type != FF_MSG_HELLO)
        got = ff_fail(&error, FF_PROTOCOL, "%s came before HELLO", ff_message_name(decoder.type));
    else if (got == 0 && ff_decode_next(&decoder, &item, &error) != 1)
        got = ff_fail(&error, FF_PROTOCOL, "a HELLO that cannot be read");
    struct ff_peer *peer = got == 0 ? make_peer(peers, routing, frame, &error) : NULL;
    if (peer != NULL && admit(peers, peer, &item.hello, &final, &error) == 0)
        return;
    free(peer);
    send_refusal(peers, routing, &error, final);
}

static int take_message(struct ff_peers *peers, struct ff_peer *peer, zmq_msg_t *frame,
                        struct ff_error *error)
{
    struct ff_decoder decoder;
    union ff_item item;
    if (strcmp(ff_link_peer_key(frame), peer->key) != 0)
        return ff_fail(error, FF_PROTOCOL, "a message under another's routing id");
    if (ff_decode_open(&decoder, ff_link_span(frame), error) < 0)
        return error->code == FF_UNSUPPORTED ? 0 : -1;
    if (decoder.type == FF_MSG_HELLO)
        return ff_fail(error, FF_PROTOCOL, "a second HELLO on one connection");
    if (decoder.type != FF_MSG_FAREWELL)
        return peers->events.message(peers->events.user, peer, &decoder, error);
    char why[WHY_SIZE] = "it has left";
    int got = ff_decode_next(&decoder, &item, error);
    if (got > 0)
        snprintf(why, sizeof why, "it has left: %.*s", (int)item.farewell.reason.size,
                 (const char *)item.farewell.reason.data);
    peer->left = true;
    mark_leaving(peer, why);
    return got;
}

static void take_frame(struct ff_peers *peers, struct ff_span routing, zmq_msg_t *frame)
{
    struct ff_error error;
    struct ff_peer *peer = find_peer(peers, routing);
    if (peer == NULL) {
        take_stranger(peers, routing, frame);
        return;
    }
    if (peer->leaving)
        return;
    peer->heard_ns = ff_monotonic_ns();
    size_t size = zmq_msg_size(frame);
    if (take_message(peers, peer, frame, &error) < 0) {
        error.code = FF_PROTOCOL;
        ff_peer_refuse(peer, &error, false);
    }
    /* The other side may go on to say what can be left out. */
    peer->heard_bytes += size;
    if (peer->heard_bytes - peer->told_bytes >= FF_LINK_CREDIT / 4)
        send_plain(peer, FF_MSG_HEARTBEAT, "");
}

static bool receive(struct ff_peers *peers)
{
    zmq_msg_t routing;
    zmq_msg_t frame;
    int taken = 0;
    peers->look = false;
    while (taken < RECEIVE_AT_ONCE && ff_link_receive(peers->socket, &routing, &frame) > 0) {
        take_frame(peers, ff_link_span(&routing), &frame);
        zmq_msg_close(&routing);
        zmq_msg_close(&frame);
        taken++;
    }
    if (taken == RECEIVE_AT_ONCE)
        peers->look = true;
    return taken > 0;
}

static bool prepare_run(void *user)
{
    struct ff_peers *peers = user;
    bool did = false;
    if (peers->look_zap) {
        peers->look_zap = false;
        ff_zap_handle(peers->zap);
    }
    if (peers->look)
        did = receive(peers);
    /* What came before a connection broke has been read by now. */
    if (peers->look_monitor && !peers->look) {
        peers->look_monitor = false;
        ff_monitor_handle(peers->monitor);
    }
    return reap(peers) || did;
}

static void set_flag(void *user, uint32_t events)
{
    bool *flag = user;
    (void)events;
    *flag = true;
}

static void monitor_ready(void *user, uint32_t events)
{
    struct ff_peers *peers = user;
    (void)events;
    peers->look_monitor = true;
    peers->look = true; /* what came before the connection broke is read first */
}

/* ---- life ---- */

static int open_sockets(struct ff_peers *peers, void *context, const char *host, int *port,
                        const struct ff_curve_keys *keys, struct ff_error *error)
{
    peers->zap = ff_zap_create(context, peers->events.allows, peers->events.user, error);
    if (peers->zap == NULL)
        return -1;
    peers->socket = ff_link_router(context, host, port, keys, error);
    if (peers->socket == NULL)
        return -1;
    peers->monitor = ff_monitor_create(context, peers->socket, connection_broken, peers, error);
    return peers->monitor != NULL ? 0 : -1;
}

static int join_loop(struct ff_peers *peers, struct ff_loop *loop, struct ff_error *error)
{
    peers->watches[0] =
        ff_watch_create(loop, ff_link_fd(peers->socket), EPOLLIN, set_flag, &peers->look, error);
    peers->watches[1] = ff_watch_create(loop, ff_link_fd(ff_zap_socket(peers->zap)), EPOLLIN,
                                        set_flag, &peers->look_zap, error);
    peers->watches[2] =
        ff_watch_create(loop, ff_monitor_fd(peers->monitor), EPOLLIN, monitor_ready, peers, error);
    peers->timer = ff_timer_create(loop, timer_due, peers, error);
    peers->prepare = ff_prepare_create(loop, prepare_run, peers, error);
    if (peers->watches[0] == NULL || peers->watches[1] == NULL || peers->watches[2] == NULL ||
        peers->timer == NULL || peers->prepare == NULL)
        return -1;
    peers->look = true;
    peers->look_zap = true;
    return 0;
}

struct ff_peers *ff_peers_create(struct ff_loop *loop, void *context, const char *host, int *port,
                                 const struct ff_curve_keys *keys,
                                 const struct ff_peers_events *events, struct ff_error *error)
{
    struct ff_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the peers of a link");
        return NULL;
    }
    peers->loop = loop;
    peers->events = *events;
    peers->heartbeat_ms = FF_HEARTBEAT_MS;
    peers->lost_ms = FF_PEER_LOST_MS;
    ff_buffer_init(&peers->buffer, SMALL_MESSAGE);
    if (open_sockets(peers, context, host, port, keys, error) < 0 ||
        join_loop(peers, loop, error) < 0) {
        ff_peers_destroy(peers, NULL);
        return NULL;
    }
    return peers;
}

void ff_peers_set_times(struct ff_peers *peers, int64_t heartbeat_ms, int64_t lost_ms)
{
    peers->heartbeat_ms = heartbeat_ms;
    peers->lost_ms = lost_ms;
}

void *ff_peer_user(const struct ff_peer *peer)
{
    return peer->user;
}

const char *ff_peer_key(const struct ff_peer *peer)
{
    return peer->key;
}

int64_t ff_peer_silence_ms(const struct ff_peer *peer)
{
    return (ff_monotonic_ns() - peer->heard_ns) / 1000000;
}

bool ff_peer_has_left(const struct ff_peer *peer)
{
    return peer->left;
}

void ff_peers_destroy(struct ff_peers *peers, const char *farewell)
{
    if (peers == NULL)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (peers->buckets[i] != NULL) {
            struct ff_peer *peer = peers->buckets[i];
            if (farewell != NULL)
                send_plain(peer, FF_MSG_FAREWELL, farewell);
            peers->buckets[i] = peer->next;
            free(peer);
        }
    for (int i = 0; i < 3; i++)
        ff_watch_destroy(peers->watches[i]);
    ff_timer_destroy(peers->timer);
    ff_prepare_destroy(peers->prepare);
    ff_monitor_destroy(peers->monitor);
    if (peers->socket != NULL)
        ff_link_linger(peers->socket, FAREWELL_LINGER_MS);
    ff_link_close(peers->socket);
    ff_zap_destroy(peers->zap);
    ff_buffer_dispose(&peers->buffer);
    free(peers);
}
