/*
 * client/http.h: one HTTPS connection to the service: TLS pinned to one certificate, kept alive, every answer bounded.
 */
#ifndef FF_CLIENT_HTTP_H
#define FF_CLIENT_HTTP_H

#include "protocol/core/bytes.h"

#include <signal.h>
#include <stdbool.h>

struct ff_http;

/* `url` begins with https:// and has no slash at its end. `certificate` is a PEM file, the only one that is trusted. */
struct ff_http *ff_http_create(const char *url, const char *certificate, const char *token,
                               struct ff_error *error) FF_MUST_USE;
void ff_http_destroy(struct ff_http *http);
void ff_http_set_interrupt(struct ff_http *http, const volatile sig_atomic_t *flag);

/* Takes a piece of an answer; nonzero ends the transfer, with the error that it filled. */
typedef int ff_http_sink(void *user, struct ff_span piece, struct ff_error *error);

struct ff_http_request {
    const char *method;
    const char *path;    /* with its query */
    struct ff_span body; /* JSON; empty: none */
    int upload_fd;       /* where `upload` is set: the body is this file, from its start */
    uint64_t upload_size;
    bool upload;
    const char *idempotency_key; /* or NULL */
    bool repeatable;             /* may be sent a second time */
    int wait_ms;                 /* how long the service may hold the answer */
    size_t limit;                /* of the answer; 0: the usual */
    ff_http_sink *sink;          /* where a good answer goes; NULL: into `answer` */
    void *sink_user;
};

/* Sends and receives. An answer of status 2xx is success; any other becomes the error that its body tells. `answer` is
 * initialised by the call; dispose it in every case. */
int ff_http_send(struct ff_http *http, const struct ff_http_request *request,
                 struct ff_buffer *answer, struct ff_error *error) FF_MUST_USE;

#endif
