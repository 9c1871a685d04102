/*
 * protocol/peers.h: the server end of a link: all peers of one ROUTER socket. The downlink of an agent (to its managers)
 * and the router of the service (to its endpoints).
 *
 * It opens peers by HELLO (versions agreed here, admission by the owner), keeps them alive by heartbeats, notices their
 * silence (and a broken connection at once), and hands every other message to the owner together with the peer that the
 * CURVE key proves. A peer whose message cannot be decoded is answered REFUSED and forgotten. Of one key there is one
 * peer (with `by_instance`: of one key and instance): a later HELLO replaces it, and the owner is told `gone` for the old
 * one right after it admitted the new one, and only then. `gone` is never called from inside a send or a refusal, but
 * later from the loop. Brings its own ZAP handler, so there is one ff_peers in a context.
 */
#ifndef FF_PROTOCOL_PEERS_H
#define FF_PROTOCOL_PEERS_H

#include "protocol/codec.h"
#include "protocol/core/loop.h"
#include "protocol/curve.h"

struct ff_peers;
struct ff_peer;

struct ff_peers_events {
    void *user;
    /* Several processes share a key, and the instance of their HELLO tells them apart. */
    bool by_instance;
    /* Whether this public key may connect at all (ZAP). */
    bool (*allows)(void *user, const char public_key[FF_CURVE_TEXT_SIZE]);
    /* A HELLO. 0 admits: *peer_user is the owner's pointer for this peer, and `welcome` (versions are filled already) is
     * sent right after the call (send nothing from inside it). -1 refuses with the error; `*final` (true at the call)
     * tells whether the peer shall give up. `replaced` is the peer of the same key that is there now, or NULL. */
    int (*hello)(void *user, struct ff_peer *peer, const struct ff_hello *hello,
                 struct ff_peer *replaced, struct ff_welcome *welcome, void **peer_user,
                 bool *final, struct ff_error *error);
    /* Any message that is not of the link itself; HEARTBEATs are handed on too. Return -1 with an error to end the link
     * (REFUSED, code PROTOCOL). */
    int (*message)(void *user, struct ff_peer *peer, struct ff_decoder *decoder,
                   struct ff_error *error);
    /* The peer said FAREWELL, fell silent, was replaced, or broke the protocol. Its memory ends with this call. */
    void (*gone)(void *user, struct ff_peer *peer, const char *why);
};

/* Binds `host`:`port` (0: any free one; *port tells which). */
struct ff_peers *ff_peers_create(struct ff_loop *loop, void *context, const char *host, int *port,
                                 const struct ff_curve_keys *keys,
                                 const struct ff_peers_events *events,
                                 struct ff_error *error) FF_MUST_USE;

/* Heartbeats in WELCOME and on the link; before the first peer. Defaults are those of limits.h. */
void ff_peers_set_times(struct ff_peers *peers, int64_t heartbeat_ms, int64_t lost_ms);

/* Sends at once; copies. false: the peer is gone (its `gone` comes later from the loop). */
bool ff_peer_send(struct ff_peer *peer, struct ff_span frame);

/* REFUSED, then `gone`. */
void ff_peer_refuse(struct ff_peer *peer, const struct ff_error *error, bool final);

void *ff_peer_user(const struct ff_peer *peer);
const char *ff_peer_key(const struct ff_peer *peer);

/* Milliseconds since it was last heard. */
int64_t ff_peer_silence_ms(const struct ff_peer *peer);

/* Whether it said FAREWELL: it went in order, and nobody else is meant to wait for it. */
bool ff_peer_has_left(const struct ff_peer *peer);

/* Says FAREWELL to all peers, without `gone`. NULL is fine. */
void ff_peers_destroy(struct ff_peers *peers, const char *farewell);

#endif
