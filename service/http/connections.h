/*
 * service/http/connections.h: who may stay connected when nearly all connections are taken. Private
 * to service/http, and used by the one thread of the HTTP server alone.
 *
 * A client that connects and says nothing, or a byte a minute, and one that asks to be told later
 * and goes away, each hold a connection for as long as they like. Beyond FF_CONNECTIONS_CROWDED, every new
 * connection therefore makes room for itself: the one that has been without a request for longest
 * is ended; where all have one, the request that has waited for longest is answered now.
 */
#ifndef FF_SERVICE_HTTP_CONNECTIONS_H
#define FF_SERVICE_HTTP_CONNECTIONS_H

#include "service/http/request.h"

enum { FF_CONNECTIONS = 1000, FF_CONNECTIONS_CROWDED = 900 };

/* One connection; a member of its list until it is closed. */
struct ff_connection {
    struct ff_connection *next, *previous;
    struct ff_request *request; /* NULL: none has been let in yet */
    int fd;
    bool ending;
};

/* For MHD_OPTION_NOTIFY_CONNECTION; `user` is the struct ff_http. */
void ff_connection_notify(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code);

/* A request was let in; it has ended. */
void ff_connection_begins(struct ff_request *request);
void ff_connection_ends(struct ff_request *request);

#endif
