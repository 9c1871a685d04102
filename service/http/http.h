/*
 * service/http/http.h: the HTTP server of the service: one thread with libmicrohttpd, over TLS, or
 * in clear text on 127.0.0.1 for clients that cannot do otherwise.
 */
#ifndef FF_SERVICE_HTTP_HTTP_H
#define FF_SERVICE_HTTP_HTTP_H

#include "service/service.h"

/* Listens on host:*port (0: any free one; *port tells which) and begins to serve. */
struct ff_http *ff_http_create(struct ff_service *service, const char *host, int *port, bool tls,
                               struct ff_error *error) FF_MUST_USE;

/* After ff_waiters_close: waits until the requests that wait for a commit have been answered, but
 * not for clients that do not read their answer. NULL is fine. */
void ff_http_destroy(struct ff_http *http);

#endif
