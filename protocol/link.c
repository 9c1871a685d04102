#include "protocol/link.h"

#include "protocol/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* What both kinds share. Heartbeats are the protocol's own: those of ZeroMQ would double the
 * wake-ups. */
static int set_common(void *socket, const struct ff_curve_keys *keys)
{
    int64_t most = FF_MESSAGE_LIMIT;
    return set_int(socket, ZMQ_LINGER, 0) < 0 || set_int(socket, ZMQ_SNDHWM, 0) < 0 ||
                   set_int(socket, ZMQ_RCVHWM, 0) < 0 || set_int(socket, ZMQ_IPV6, 1) < 0 ||
                   zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) < 0 ||
                   zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key,
                                  FF_CURVE_TEXT_SIZE) < 0 ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key,
                                  FF_CURVE_TEXT_SIZE) < 0
               ? -1
               : 0;
}

static void *give_up(void *socket, struct ff_error *error, const char *what)
{
    int failure = errno;
    if (socket != NULL)
        zmq_close(socket);
    ff_fail(error, failure == EADDRINUSE ? FF_BUSY : FF_IO, "%s: %s", what, zmq_strerror(failure));
    if (failure == EADDRINUSE)
        ff_hint(error, "another program listens there: choose another port, or 0 for any free one");
    return NULL;
}

void *ff_link_router(void *context, const char *host, int *port, const struct ff_curve_keys *keys,
                     struct ff_error *error)
{
    char what[160];
    snprintf(what, sizeof what, "cannot listen on %s port %d", host, *port);
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    if (socket == NULL || set_common(socket, keys) < 0 ||
        set_int(socket, ZMQ_ROUTER_MANDATORY, 1) < 0 || set_int(socket, ZMQ_CURVE_SERVER, 1) < 0 ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "farfield", 8) < 0)
        return give_up(socket, error, what);
    char address[160];
    if (*port == 0)
        snprintf(address, sizeof address, "tcp://%s:*", host);
    else
        snprintf(address, sizeof address, "tcp://%s:%d", host, *port);
    if (zmq_bind(socket, address) < 0)
        return give_up(socket, error, what);
    char bound[256] = "";
    size_t size = sizeof bound;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) < 0)
        return give_up(socket, error, what);
    const char *colon = strrchr(bound, ':');
    if (colon != NULL)
        *port = (int)strtol(colon + 1, NULL, 10);
    return socket;
}

void *ff_link_dealer_make(void *context, const char *server_key, const struct ff_curve_keys *keys,
                          struct ff_error *error)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    if (socket == NULL || set_common(socket, keys) < 0 ||
        set_int(socket, ZMQ_RECONNECT_IVL, -1) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, FF_CURVE_TEXT_SIZE) < 0)
        return give_up(socket, error, "cannot make a socket");
    return socket;
}

int ff_link_connect(void *socket, const char *address, struct ff_error *error)
{
    if (zmq_connect(socket, address) < 0)
        return ff_fail(error, FF_IO, "cannot connect to %s: %s", address, zmq_strerror(errno));
    return 0;
}

void ff_link_linger(void *socket, int linger_ms)
{
    set_int(socket, ZMQ_LINGER, linger_ms);
}

void ff_link_close(void *socket)
{
    if (socket != NULL)
        zmq_close(socket);
}

int ff_link_send(void *socket, const struct ff_span *routing_id, struct ff_span frame,
                 struct ff_error *error)
{
    if (routing_id != NULL &&
        zmq_send(socket, routing_id->data, routing_id->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (errno == EHOSTUNREACH || errno == EAGAIN)
            return 1;
        return ff_fail(error, FF_IO, "cannot send: %s", zmq_strerror(errno));
    }
    if (zmq_send(socket, frame.data, frame.size, ZMQ_DONTWAIT) >= 0)
        return 0;
    if (errno == EHOSTUNREACH || errno == EAGAIN)
        return 1;
    return ff_fail(error, FF_IO, "cannot send: %s", zmq_strerror(errno));
}

/* Reads the frames that are left of a message. */
static void drop_rest(void *socket)
{
    int more = 1;
    size_t size = sizeof more;
    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        int got = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT);
        zmq_msg_close(&part);
        if (got < 0)
            break;
    }
}

int ff_link_receive(void *socket, zmq_msg_t *routing_id, zmq_msg_t *frame)
{
    for (;;) {
        zmq_msg_t *first = routing_id != NULL ? routing_id : frame;
        zmq_msg_init(first);
        if (zmq_msg_recv(first, socket, ZMQ_DONTWAIT) < 0) {
            int failure = errno;
            zmq_msg_close(first);
            if (failure == EINTR)
                continue;
            return 0;
        }
        bool whole = routing_id == NULL || zmq_msg_more(routing_id);
        if (whole && routing_id != NULL) {
            zmq_msg_init(frame);
            whole = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0;
            if (!whole)
                zmq_msg_close(frame);
        }
        if (whole && !zmq_msg_more(frame))
            return 1;
        if (whole)
            zmq_msg_close(frame);
        if (routing_id != NULL)
            zmq_msg_close(routing_id);
        drop_rest(socket);
    }
}

struct ff_span ff_link_span(zmq_msg_t *message)
{
    struct ff_span span = {zmq_msg_data(message), zmq_msg_size(message)};
    return span;
}

const char *ff_link_peer_key(zmq_msg_t *frame)
{
    const char *key = zmq_msg_gets(frame, "User-Id");
    return key != NULL ? key : "";
}

int ff_link_fd(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}
