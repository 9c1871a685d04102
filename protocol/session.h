/*
 * protocol/session.h: the client end of a link: the uplink of an agent (to the service) and of a manager (to its
 * agent). MESSAGES.md, "Liveness" and "Opening", is what it does:
 *
 *     away ──connect, HELLO──► calling ──WELCOME──► open ──silence, FAREWELL──► away (after a wait that doubles)
 *       ▲                         │
 *       └──no answer in time──────┴──REFUSED──► refused (final) or away
 *
 * One ff_session belongs to one loop. ff_session_send takes a whole frame and sends it at once, so the caller packs as
 * many items as it has. While it is not open, sends are dropped: what must not be lost is kept by the caller and sent
 * again after the next opening, as the protocol demands. Every attempt has a socket of its own, so nothing of an old one
 * survives. A connection that breaks is noticed at once, a silent one after `lost_ms`. The session may be destroyed
 * inside its own callbacks.
 */
#ifndef FF_PROTOCOL_SESSION_H
#define FF_PROTOCOL_SESSION_H

#include "protocol/codec.h"
#include "protocol/core/loop.h"
#include "protocol/curve.h"

struct ff_session;

/* Where the server is. Asked before every attempt, because an agent may have moved. */
struct ff_session_target {
    char address[256]; /* "tcp://HOST:PORT" */
    char server_key[FF_CURVE_TEXT_SIZE];
};

struct ff_session_events {
    void *user;
    /* Fills the target, or fails: then it is tried again later. */
    int (*target)(void *user, struct ff_session_target *target, struct ff_error *error);
    /* Fills everything of the hello except the versions. */
    void (*hello)(void *user, struct ff_hello *hello);
    /* WELCOME came. From now on sends are taken; send HOLDING and HOLDING_END when they are known. */
    void (*open)(void *user, const struct ff_welcome *welcome);
    /* Any message that is not of the session itself. The frame is valid during the call. -1 with an error ends the
     * link: it is opened anew. */
    int (*message)(void *user, struct ff_decoder *decoder, struct ff_error *error);
    /* The link was lost (or never came up); it is tried again. `why` says it in words. */
    void (*lost)(void *user, const struct ff_error *why);
    /* REFUSED with `final`: the session stays away. */
    void (*refused)(void *user, const struct ff_error *why);
    /* Fills the heartbeat's numbers; may be NULL. */
    void (*heartbeat)(void *user, struct ff_heartbeat *heartbeat);
};

/* `context` is a ZeroMQ context, `keys` the client's pair; both are borrowed. Starts calling at once. */
struct ff_session *ff_session_create(struct ff_loop *loop, void *context,
                                     const struct ff_curve_keys *keys,
                                     const struct ff_session_events *events,
                                     struct ff_error *error) FF_MUST_USE;
bool ff_session_is_open(const struct ff_session *session);

/* Copies the frame. */
void ff_session_send(struct ff_session *session, struct ff_span frame);

/* The same for what may be dropped (PREVIEW, LOG, PROGRESS): false, when too much is under way and it was. */
bool ff_session_offer(struct ff_session *session, enum ff_message_type type, struct ff_span frame);

/* Sends a heartbeat now, because its numbers have changed. */
void ff_session_beat(struct ff_session *session);

/* Says FAREWELL when open. NULL is fine. */
void ff_session_destroy(struct ff_session *session, const char *farewell);

#endif
