#include "protocol/zap.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    VERSION,
    REQUEST_ID,
    DOMAIN,
    ADDRESS,
    IDENTITY,
    MECHANISM,
    CREDENTIALS,
    FRAMES, /* of a CURVE request (RFC 27) */
    KEY_SIZE = 32,
};

struct ff_zap {
    void *socket;
    ff_zap_allows *allows;
    void *user;
};

struct ff_zap *ff_zap_create(void *context, ff_zap_allows *allows, void *user,
                             struct ff_error *error)
{
    struct ff_zap *zap = calloc(1, sizeof *zap);
    if (zap == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the ZAP handler");
        return NULL;
    }
    zap->allows = allows;
    zap->user = user;
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (zap->socket == NULL || zmq_bind(zap->socket, "inproc://zeromq.zap.01") < 0) {
        ff_fail(error, FF_IO, "cannot start the ZAP handler: %s", zmq_strerror(zmq_errno()));
        ff_zap_destroy(zap);
        return NULL;
    }
    return zap;
}

void *ff_zap_socket(struct ff_zap *zap)
{
    return zap->socket;
}

/* Receives one request. 1: complete in `frames`. 0: none waits. -1: not a CURVE request. All frames
 * are initialised in every case. */
static int receive_request(void *socket, zmq_msg_t frames[FRAMES])
{
    int count = 0;
    bool more = true;
    for (int i = 0; i < FRAMES; i++)
        zmq_msg_init(&frames[i]);
    while (more) {
        zmq_msg_t extra;
        zmq_msg_init(&extra);
        zmq_msg_t *to = count < FRAMES ? &frames[count] : &extra;
        int got = zmq_msg_recv(to, socket, ZMQ_DONTWAIT);
        more = got >= 0 && zmq_msg_more(to);
        zmq_msg_close(&extra);
        if (got < 0)
            return count == 0 ? 0 : -1;
        count++;
    }
    bool curve = count == FRAMES && zmq_msg_size(&frames[MECHANISM]) == 5 &&
                 memcmp(zmq_msg_data(&frames[MECHANISM]), "CURVE", 5) == 0 &&
                 zmq_msg_size(&frames[CREDENTIALS]) == KEY_SIZE;
    return curve ? 1 : -1;
}

static void answer(void *socket, zmq_msg_t *request_id, const char *status, const char *text,
                   const char *user_id)
{
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, zmq_msg_data(request_id), zmq_msg_size(request_id), ZMQ_SNDMORE);
    zmq_send(socket, status, strlen(status), ZMQ_SNDMORE);
    zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(socket, user_id, strlen(user_id), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

void ff_zap_handle(struct ff_zap *zap)
{
    zmq_msg_t frames[FRAMES];
    int got;
    do {
        got = receive_request(zap->socket, frames);
        char key[FF_CURVE_TEXT_SIZE] = "";
        if (got > 0)
            zmq_z85_encode(key, zmq_msg_data(&frames[CREDENTIALS]), KEY_SIZE);
        if (got > 0 && zap->allows(zap->user, key))
            answer(zap->socket, &frames[REQUEST_ID], "200", "OK", key);
        else if (got != 0)
            answer(zap->socket, &frames[REQUEST_ID], "400", "this key is not registered", "");
        for (int i = 0; i < FRAMES; i++)
            zmq_msg_close(&frames[i]);
    } while (got != 0);
}

void ff_zap_destroy(struct ff_zap *zap)
{
    if (zap == NULL)
        return;
    if (zap->socket != NULL)
        zmq_close(zap->socket);
    free(zap);
}
