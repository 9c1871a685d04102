/*
 * curve_tool: knocks at a CURVE server of Farfield.
 *
 *     curve_tool knock tcp://HOST:PORT SERVER_KEY             with a key pair that nobody knows
 *     curve_tool send tcp://HOST:PORT SERVER_KEY KEYS HEX     with the pair in the file KEYS, sends one frame
 *
 * knock prints `accepted` or `refused`; send prints the bytes of the answer in hexadecimal, or `nothing`.
 */
#include "protocol/curve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { WAIT_MS = 10000, FRAME_LIMIT = 1 << 16 };

static void *connect_with(void *context, const char *address, const char *server_key,
                          const struct ff_curve_keys *keys)
{
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    int linger = 0;
    int wait = WAIT_MS;
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(dealer, ZMQ_RCVTIMEO, &wait, sizeof wait);
    zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, server_key, strlen(server_key));
    zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, keys->public_key, strlen(keys->public_key));
    zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, keys->secret_key, strlen(keys->secret_key));
    zmq_socket_monitor(dealer, "inproc://monitor",
                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                           ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    if (zmq_connect(dealer, address) < 0) {
        fprintf(stderr, "curve_tool: %s: %s\n", address, zmq_strerror(zmq_errno()));
        exit(1);
    }
    return dealer;
}

/* Whether the handshake succeeded; the first frame of a monitor event begins with its number. */
static bool handshake(void *context)
{
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    int wait = WAIT_MS;
    uint8_t head[64] = {0};
    char from[256];
    zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &wait, sizeof wait);
    zmq_connect(monitor, "inproc://monitor");
    uint16_t event = 0;
    if (zmq_recv(monitor, head, sizeof head, 0) >= 6) {
        memcpy(&event, head, sizeof event);
        zmq_recv(monitor, from, sizeof from, 0);
    }
    zmq_close(monitor);
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

static void send_and_print(void *dealer, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *frame = malloc(size + 1);
    static uint8_t answer[FRAME_LIMIT];
    unsigned byte;
    for (size_t i = 0; i < size && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
        frame[i] = (uint8_t)byte;
    zmq_send(dealer, frame, size, 0);
    free(frame);
    int got = zmq_recv(dealer, answer, sizeof answer, 0);
    for (int i = 0; i < got && i < FRAME_LIMIT; i++)
        printf("%02x", answer[i]);
    puts(got >= 0 ? "" : "nothing");
}

int main(int count, char **words)
{
    struct ff_curve_keys keys;
    struct ff_error error;
    bool knock = count == 4 && strcmp(words[1], "knock") == 0;
    bool send = count == 6 && strcmp(words[1], "send") == 0;
    if (!knock && !send) {
        fputs("curve_tool: knock ADDRESS KEY, or send ADDRESS KEY KEYS HEX\n", stderr);
        return 2;
    }
    if ((knock ? ff_curve_generate(&keys, &error) : ff_curve_load(words[4], &keys, &error)) < 0) {
        fprintf(stderr, "curve_tool: %s\n", error.message);
        return 1;
    }
    void *context = zmq_ctx_new();
    void *dealer = connect_with(context, words[2], words[3], &keys);
    bool accepted = handshake(context);
    if (knock)
        puts(accepted ? "accepted" : "refused");
    else
        send_and_print(dealer, words[5]);
    zmq_close(dealer);
    zmq_ctx_term(context);
    return 0;
}
