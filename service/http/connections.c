#include "service/http/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

static struct ff_connection *connection_of(const struct ff_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void unlink_connection(struct ff_connections *all, struct ff_connection *at)
{
    if (at->previous != NULL)
        at->previous->next = at->next;
    else
        all->oldest = at->next;
    if (at->next != NULL)
        at->next->previous = at->previous;
    else
        all->newest = at->previous;
}

static void append(struct ff_connections *all, struct ff_connection *at)
{
    at->next = NULL;
    at->previous = all->newest;
    if (all->newest != NULL)
        all->newest->next = at;
    else
        all->oldest = at;
    all->newest = at;
}

/* The server sees the end of the stream, and closes it as one that the client has left. */
static bool end_oldest_without_request(struct ff_connections *all)
{
    for (struct ff_connection *at = all->oldest; at != NULL; at = at->next) {
        if (at->request == NULL && !at->ending) {
            at->ending = true;
            shutdown(at->fd, SHUT_RDWR);
            return true;
        }
    }
    return false;
}

static void answer_oldest_wait(struct ff_http *http)
{
    struct ff_service *service = http->service;
    pthread_mutex_lock(&service->lock);
    for (struct ff_connection *at = http->connections.oldest; at != NULL; at = at->next) {
        if (at->request != NULL && at->request->waiter.list != NULL) {
            at->request->wait_until_ns = 1; /* it does not wait again */
            ff_waiter_expire(&service->waiters, &at->request->waiter);
            break;
        }
    }
    pthread_mutex_unlock(&service->lock);
}

void ff_connection_notify(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct ff_http *http = user;
    struct ff_connections *all = &http->connections;
    struct ff_connection *at = *context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (at != NULL) {
            unlink_connection(all, at);
            all->count--;
        }
        free(at);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    at = info != NULL ? calloc(1, sizeof *at) : NULL;
    *context = at;
    if (at == NULL)
        return; /* one that is never asked to leave */
    at->fd = info->connect_fd;
    if (++all->count > FF_CONNECTIONS_CROWDED && !end_oldest_without_request(all))
        answer_oldest_wait(http);
    append(all, at);
}

void ff_connection_begins(struct ff_request *request)
{
    struct ff_connection *at = connection_of(request);
    if (at == NULL)
        return;
    at->request = request;
    unlink_connection(&request->http->connections, at);
    append(&request->http->connections, at);
}

void ff_connection_ends(struct ff_request *request)
{
    struct ff_connection *at = connection_of(request);
    if (at == NULL || at->request != request)
        return;
    at->request = NULL;
    unlink_connection(&request->http->connections, at);
    append(&request->http->connections, at);
}
