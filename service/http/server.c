/*
 * libmicrohttpd: one internal thread with epoll and no timeouts of its own but those of idle
 * connections, so that it sleeps while nothing happens. A request whose head already says that it
 * cannot be served (no such route, no token, too large) is answered before its body is read.
 */
#include "service/http/connections.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_SECONDS = 120,
    LEAVE_SECONDS = 2, /* for replies, at the end */
    CONNECTION_BYTES = 65536,
    SWALLOWED = 4 * FF_REQUEST_LIMIT, /* of a body that is too large and did not say so */
    REPLY_LIMIT = 256 << 20,
};

/* ---- requests ---- */

static void destroy_request(struct ff_request *request)
{
    if (request == NULL)
        return;
    if (request->work_destroy != NULL)
        request->work_destroy(request->work);
    ff_upload_destroy(request->upload);
    if (request->reply_fd >= 0)
        close(request->reply_fd);
    ff_buffer_dispose(&request->body);
    ff_buffer_dispose(&request->reply);
    free(request->path);
    free(request);
}

static void count_answered(const struct ff_request *request)
{
    struct ff_http *http = request->http;
    if (!request->counted)
        return;
    pthread_mutex_lock(&http->lock);
    http->unanswered--;
    pthread_cond_signal(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

static void completed(void *user, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)connection;
    (void)code;
    if (*context != NULL) {
        ff_connection_ends(*context);
        count_answered(*context);
    }
    destroy_request(*context);
    *context = NULL;
}

/* Counts one more that is suspended; false: the service is stopping. */
static bool may_suspend(struct ff_request *request)
{
    struct ff_http *http = request->http;
    pthread_mutex_lock(&http->lock);
    bool may = !http->stopping;
    if (may) {
        http->suspended++;
        http->unanswered += !request->counted;
        request->counted = true;
    }
    pthread_mutex_unlock(&http->lock);
    return may;
}

/* Counts one less. Under the lock of the server. */
static void count_resumed(struct ff_http *http)
{
    http->suspended--;
    pthread_cond_signal(&http->changed);
}

int ff_request_suspend(struct ff_request *request, struct ff_error *error)
{
    if (!may_suspend(request)) {
        ff_fail(error, FF_UNREACHABLE, "the service is stopping");
        return ff_hint(error, "ask again when it runs again");
    }
    request->failed = false;
    MHD_suspend_connection(request->connection);
    return 0;
}

void ff_request_resume(struct ff_request *request, const struct ff_error *error)
{
    struct ff_http *http = request->http;
    request->failed = error != NULL;
    if (error != NULL)
        request->error = *error;
    /* From here on the request may be gone. */
    pthread_mutex_lock(&http->lock);
    MHD_resume_connection(request->connection);
    count_resumed(http);
    pthread_mutex_unlock(&http->lock);
}

static void wake_request(struct ff_waiter *waiter)
{
    struct ff_request *request =
        (struct ff_request *)((char *)waiter - offsetof(struct ff_request, waiter));
    ff_request_resume(request, NULL);
}

bool ff_request_stay(struct ff_request *request, struct ff_wait_list *list, int64_t wait_ms,
                     bool only_end)
{
    struct ff_service *service = request->service;
    int64_t now = ff_monotonic_ns();
    if (request->wait_until_ns == 0)
        request->wait_until_ns = now + wait_ms * 1000000;
    if (request->wait_until_ns <= now)
        return false;
    request->waiter.deadline_ns = request->wait_until_ns;
    request->waiter.only_end = only_end;
    request->waiter.wake = wake_request;
    if (!ff_waiters_add(&service->waiters, list, &request->waiter))
        return false;
    ff_service_expire_at(service, request->wait_until_ns);
    return true;
}

bool ff_request_wait(struct ff_request *request, struct ff_wait_list *list, int64_t wait_ms,
                     bool only_end)
{
    struct ff_http *http = request->http;
    if (!may_suspend(request))
        return false;
    if (!ff_request_stay(request, list, wait_ms, only_end)) {
        pthread_mutex_lock(&http->lock);
        count_resumed(http);
        pthread_mutex_unlock(&http->lock);
        return false;
    }
    MHD_suspend_connection(request->connection);
    return true;
}

/* ---- replies ---- */

static void write_error(struct ff_request *request, const struct ff_error *error)
{
    ff_buffer_dispose(&request->reply);
    ff_buffer_init(&request->reply, REPLY_LIMIT);
    request->status = (unsigned)ff_error_http_status(error->code);
    request->content_type = NULL;
    if (request->reply_fd >= 0)
        close(request->reply_fd);
    request->reply_fd = -1;
    ff_json_begin(&request->reply, '{');
    ff_json_member_text(&request->reply, "code", ff_error_name(error->code));
    ff_json_member_text(&request->reply, "message", error->message);
    ff_json_member_text(&request->reply, "hint", error->hint);
    ff_json_end(&request->reply, '}');
    if (request->status >= 500)
        ff_log_error(request->path != NULL ? request->path : "request", error);
}

static struct MHD_Response *make_response(struct ff_request *request)
{
    if (request->reply_fd >= 0) {
        struct MHD_Response *response =
            MHD_create_response_from_fd64(request->reply_size, request->reply_fd);
        if (response != NULL)
            request->reply_fd = -1;
        return response;
    }
    /* The memory is handed over. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        request->reply.size, request->reply.data, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        ff_buffer_init(&request->reply, REPLY_LIMIT);
    return response;
}

static enum MHD_Result send_reply(struct ff_request *request)
{
    struct MHD_Response *response = make_response(request);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            request->content_type != NULL ? request->content_type
                                                          : "application/json");
    if (request->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_error(struct ff_request *request, const struct ff_error *error)
{
    write_error(request, error);
    return send_reply(request);
}

/* ---- before the body ---- */

static int authenticate(struct ff_request *request, struct ff_error *error)
{
    static const char scheme[] = "Bearer ";
    struct ff_service *service = request->service;
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_AUTHORIZATION);
    if (request->route->scope == 0)
        return 0;
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0) {
        ff_fail(error, FF_UNAUTHENTICATED, "the request carries no token");
        return ff_hint(error, "send the header Authorization: Bearer TOKEN");
    }
    pthread_mutex_lock(&service->lock);
    const struct ff_token *token =
        ff_tokens_check(service->tokens, ff_span_of(header + sizeof scheme - 1));
    unsigned scopes = token != NULL ? token->scopes : 0;
    if (token != NULL)
        snprintf(request->user, sizeof request->user, "%s", token->user);
    pthread_mutex_unlock(&service->lock);
    if (token == NULL) {
        ff_fail(error, FF_UNAUTHENTICATED, "the token is not valid, has expired, or was revoked");
        return ff_hint(error, "make a new one: farfield token create");
    }
    if ((scopes & request->route->scope) != request->route->scope) {
        ff_fail(error, FF_FORBIDDEN, "this token does not allow that");
        return ff_hint(error, "make one with more scopes: farfield token create");
    }
    return 0;
}

static uint64_t body_limit(const struct ff_request *request)
{
    switch (request->route->body) {
    case FF_JSON_BODY:
        return FF_REQUEST_LIMIT;
    case FF_OBJECT_BODY:
        return (uint64_t)request->service->config.object_limit;
    default:
        return FF_TEXT_LIMIT;
    }
}

static int refuse_size(const struct ff_request *request, struct ff_error *error)
{
    ff_fail(error, FF_TOO_LARGE, "the body is larger than the %llu bytes that %s takes",
            (unsigned long long)body_limit(request), request->route->pattern);
    return ff_hint(error, "send large data as objects: PUT /v3/objects/SHA256");
}

static int check_length(struct ff_request *request, struct ff_error *error)
{
    const char *text = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = text != NULL ? strtoull(text, NULL, 10) : 0;
    if (length > body_limit(request))
        return refuse_size(request, error);
    /* A body that says how long it is needs no growing buffer. */
    if (request->route->body == FF_JSON_BODY && length > 0 &&
        ff_buffer_reserve(&request->body, (size_t)length) == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the body");
    return 0;
}

static int open_upload(struct ff_request *request, struct ff_error *error)
{
    struct ff_digest digest;
    const char *name = request->arguments[0];
    if (request->route->body != FF_OBJECT_BODY)
        return 0;
    if (ff_digest_parse(name, strlen(name), &digest) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "\"%s\" is not a SHA-256 (64 hexadecimal digits)", name);
    request->upload = ff_upload_create(request->service->objects, &digest, error);
    return request->upload != NULL ? 0 : -1;
}

static enum MHD_Result begin(struct ff_http *http, struct MHD_Connection *connection,
                             const char *url, const char *method, void **context)
{
    struct ff_error error;
    struct ff_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return MHD_NO;
    *context = request;
    request->http = http;
    request->service = http->service;
    request->connection = connection;
    request->status = MHD_HTTP_OK;
    request->reply_fd = -1;
    ff_buffer_init(&request->body, FF_REQUEST_LIMIT);
    ff_buffer_init(&request->reply, REPLY_LIMIT);
    if (ff_route_find(request, method, url, &error) < 0 || authenticate(request, &error) < 0 ||
        check_length(request, &error) < 0 || open_upload(request, &error) < 0)
        return send_error(request, &error);
    ff_connection_begins(request);
    return MHD_YES;
}

/* ---- the body, and the handler ---- */

static enum MHD_Result take_piece(struct ff_request *request, const char *data, size_t *size)
{
    struct ff_span piece = {data, *size};
    request->received += *size;
    *size = 0;
    if (request->failed)
        return request->received > SWALLOWED ? MHD_NO : MHD_YES;
    if (request->received > body_limit(request))
        request->failed = refuse_size(request, &request->error) < 0;
    else if (request->upload != NULL)
        request->failed = ff_upload_add(request->upload, piece, &request->error) < 0;
    else
        ff_buffer_append(&request->body, piece.data, piece.size);
    if (!request->failed && ff_buffer_check(&request->body, "the body", &request->error) < 0)
        request->failed = true;
    return MHD_YES;
}

static enum MHD_Result answer(struct ff_request *request)
{
    struct ff_error error;
    if (request->failed)
        return send_error(request, &request->error);
    int result = request->route->handle(request, &error);
    request->again = true;
    if (result == FF_LATER)
        return MHD_YES;
    if (result == FF_REPLY && request->reply_fd < 0)
        result = ff_buffer_check(&request->reply, "the reply", &error);
    return result < 0 ? send_error(request, &error) : send_reply(request);
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **context)
{
    (void)version;
    if (*context == NULL)
        return begin(user, connection, url, method, context);
    if (*upload_data_size > 0)
        return take_piece(*context, upload_data, upload_data_size);
    return answer(*context);
}

/* ---- listening ---- */

static int bind_socket(const struct addrinfo *address, const char *host, int *port,
                       struct ff_error *error)
{
    int on = 1;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    socklen_t size = sizeof bound;
    memset(&bound, 0, sizeof bound);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 511) == 0 &&
        getsockname(fd, &bound.any, &size) == 0) {
        *port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
        return fd;
    }
    int failure = errno;
    if (fd >= 0)
        close(fd);
    ff_fail_errno(error, failure == EADDRINUSE ? FF_BUSY : FF_IO, failure,
                  "cannot listen on %s port %d", host, *port);
    if (failure == EADDRINUSE)
        ff_hint(error, "another program listens there: choose another port (https_port in "
                       "service/config.yaml, or --https-port), or 0 for any free one");
    return -1;
}

static int open_socket(const char *host, int *port, struct ff_error *error)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[16];
    snprintf(service, sizeof service, "%d", *port);
    int failure = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, service, &hints, &addresses);
    if (failure != 0)
        return ff_fail(error, FF_INVALID_SETTING, "the host \"%s\" has no address: %s", host,
                       gai_strerror(failure));
    int fd = bind_socket(addresses, host, port, error);
    freeaddrinfo(addresses);
    return fd;
}

static struct MHD_Daemon *start_daemon(struct ff_http *http, int fd)
{
    const struct ff_identity *identity = &http->service->identity;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (http->tls ? MHD_USE_TLS : MHD_NO_FLAG);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, identity->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, identity->certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(flags, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)FF_CONNECTIONS,
                            MHD_OPTION_NOTIFY_CONNECTION, ff_connection_notify, http,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                            MHD_OPTION_ARRAY, http->tls ? tls : plain, MHD_OPTION_END);
}

struct ff_http *ff_http_create(struct ff_service *service, const char *host, int *port, bool tls,
                               struct ff_error *error)
{
    struct ff_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the HTTP server");
        return NULL;
    }
    http->service = service;
    http->tls = tls;
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->changed, NULL);
    http->store = ff_store_sqlite.open(service->ledger_path, FF_STORE_READER, NULL, error);
    int fd = http->store != NULL ? open_socket(host, port, error) : -1;
    http->daemon = fd >= 0 ? start_daemon(http, fd) : NULL;
    if (http->daemon == NULL) {
        if (fd >= 0) {
            close(fd);
            ff_fail(error, FF_INTERNAL, "the HTTP server cannot be started on port %d", *port);
        }
        ff_http_destroy(http);
        return NULL;
    }
    return http;
}

/* Waits until nobody is suspended, and then a moment for the replies to leave: a client that does
 * not read must not hold up the end. */
static void let_answers_leave(struct ff_http *http)
{
    struct timespec until;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    while (http->suspended > 0)
        pthread_cond_wait(&http->changed, &http->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEAVE_SECONDS;
    while (http->unanswered > 0 &&
           pthread_cond_clockwait(&http->changed, &http->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    pthread_mutex_unlock(&http->lock);
}

void ff_http_destroy(struct ff_http *http)
{
    if (http == NULL)
        return;
    if (http->daemon != NULL) {
        let_answers_leave(http);
        MHD_stop_daemon(http->daemon);
    }
    if (http->store != NULL)
        http->store->ops->close(http->store);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->lock);
    free(http);
}
