/*
 * protocol/link.h: ZeroMQ sockets as Farfield uses them.
 *
 * One socket belongs to one thread. ROUTER sockets are mandatory (a message to a peer that is gone
 * is an error, not a silent loss) and let nobody take over another's routing id; nothing blocks in
 * a send; high-water marks are off, because the window of the protocol bounds what is under way and
 * a session drops what may be dropped (FF_LINK_CREDIT);
 * messages beyond FF_MESSAGE_LIMIT drop the peer. All sockets use CURVE. Which key speaks is known
 * from the handshake (ff_link_peer_key), never from what a message claims.
 */
#ifndef FF_PROTOCOL_LINK_H
#define FF_PROTOCOL_LINK_H

#include "protocol/core/bytes.h"
#include "protocol/curve.h"

#include <zmq.h>

/* A ROUTER bound to `host` (an address or "*") and `port` (0 = any free one; *port tells which).
 * Needs an ff_zap in the same context before the first peer arrives. FF_BUSY names the port when it
 * is taken. */
void *ff_link_router(void *context, const char *host, int *port, const struct ff_curve_keys *keys,
                     struct ff_error *error) FF_MUST_USE;

/* A DEALER for the server whose key is `server_key`; then its one connection to "tcp://HOST:PORT":
 * what is sent waits for it; when it breaks, the socket is of no more use and another is made, so
 * that nothing of the old connection reaches the new one (monitor.h tells when). */
void *ff_link_dealer_make(void *context, const char *server_key, const struct ff_curve_keys *keys,
                          struct ff_error *error) FF_MUST_USE;
int ff_link_connect(void *socket, const char *address, struct ff_error *error) FF_MUST_USE;

/* How long closing waits (in the background) for what was sent last; 0 unless set. */
void ff_link_linger(void *socket, int linger_ms);

void ff_link_close(void *socket);

/* Sends one frame, behind `routing_id` on a ROUTER (NULL on a DEALER). Copies. 0: taken. 1: no such
 * peer is there now. -1: a real failure.
 * Never blocks. */
int ff_link_send(void *socket, const struct ff_span *routing_id, struct ff_span frame,
                 struct ff_error *error) FF_MUST_USE;

/* Receives without waiting. 1: `frame` (and on a ROUTER `routing_id`) are filled; close both with
 * zmq_msg_close. 0: nothing there. Messages of a wrong number of frames are dropped here. */
int ff_link_receive(void *socket, zmq_msg_t *routing_id, zmq_msg_t *frame) FF_MUST_USE;

struct ff_span ff_link_span(zmq_msg_t *message);

/* The public key (Z85) of the peer that sent this frame, as the CURVE handshake proved it; "" when
 * unknown. */
const char *ff_link_peer_key(zmq_msg_t *frame);

/* The file descriptor to poll for a socket (edge-triggered: drain until ff_link_receive gives 0).
 */
int ff_link_fd(void *socket);

#endif
