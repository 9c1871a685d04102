/*
 * service/http/request.h: one request on its way through a handler. Private to service/http.
 *
 * A handler is called when the body is complete. It either fills the reply and returns FF_REPLY,
 * fails with an error, or has suspended the request and returns FF_LATER: then it is called again,
 * with `again` set, after somebody has resumed it. The one who resumes holds the lock that was
 * held at the suspension, or the request was suspended before the work that resumes it was handed
 * over.
 */
#ifndef FF_SERVICE_HTTP_REQUEST_H
#define FF_SERVICE_HTTP_REQUEST_H

#include "service/http/http.h"
#include "service/json.h"

#include <jansson.h>
#include <microhttpd.h>

enum { FF_REPLY = 0, FF_LATER = 1, FF_PATH_PARTS = 8 };

struct ff_request;
typedef int ff_handle(struct ff_request *request, struct ff_error *error);

enum ff_body { FF_NO_BODY, FF_JSON_BODY, FF_OBJECT_BODY };

struct ff_route {
    const char *method, *pattern; /* "{}" stands for one part of the path */
    unsigned scope;               /* of ff_scope; 0: anybody */
    enum ff_body body;
    ff_handle *handle;
};

/* Open connections, in the order in which each last began or ended a request. */
struct ff_connections {
    struct ff_connection *oldest, *newest;
    unsigned count;
};

struct ff_http {
    struct ff_service *service;
    struct MHD_Daemon *daemon;
    struct ff_store *store; /* a reader for this thread */
    bool tls;
    pthread_mutex_t lock; /* of the three below */
    unsigned suspended;
    unsigned unanswered; /* were suspended once, and their reply has not left yet */
    bool stopping;       /* nobody may be suspended any more */
    pthread_cond_t changed;
    struct ff_connections connections; /* of the HTTP thread */
};

struct ff_request {
    struct ff_http *http;
    struct ff_service *service;
    struct MHD_Connection *connection;
    const struct ff_route *route;
    char *path;                           /* cut into parts */
    const char *arguments[FF_PATH_PARTS]; /* what stands at the "{}" */
    char user[FF_USER_LIMIT + 1];
    struct ff_buffer body;
    uint64_t received; /* bytes of the body */
    struct ff_upload *upload;

    bool counted; /* as unanswered */
    bool again;   /* the handler is called after a resumption */
    bool failed;  /* what it waited for failed with `error`, which is the reply */
    struct ff_error error;
    struct ff_waiter waiter;
    int64_t wait_until_ns; /* 0: not set yet */
    void *work;            /* of the handler */
    void (*work_destroy)(void *work);

    unsigned status;
    struct ff_buffer reply;
    const char *content_type;
    int reply_fd; /* a file instead of the buffer; -1: none */
    uint64_t reply_size;
};

/* Suspends before handing work over; whoever does the work calls the second, once, from any
 * thread. An error is answered without calling the handler again. The first fails when the service
 * is stopping. */
int ff_request_suspend(struct ff_request *request, struct ff_error *error) FF_MUST_USE;
void ff_request_resume(struct ff_request *request, const struct ff_error *error);

/* Waits for a list, until `wait_ms` after the first call at most. Under the service's lock. false:
 * the time is over, or the service is stopping. */
bool ff_request_wait(struct ff_request *request, struct ff_wait_list *list, int64_t wait_ms,
                     bool only_end);

/* The same for a request that is suspended already, and stays so. */
bool ff_request_stay(struct ff_request *request, struct ff_wait_list *list, int64_t wait_ms,
                     bool only_end);

/* A whole number of the query, or `otherwise` where it is absent; -1 with an error out of
 * low…high. */
int ff_request_number(struct ff_request *request, const char *name, int64_t low, int64_t high,
                      int64_t otherwise, int64_t *value, struct ff_error *error) FF_MUST_USE;
const char *ff_request_query(struct ff_request *request, const char *name);

/* The body as a JSON object that the caller releases. */
json_t *ff_request_json(struct ff_request *request, struct ff_error *error) FF_MUST_USE;

/* A text member of at most `limit` bytes; absent gives "" unless it is `required`. */
int ff_json_get_text(const json_t *object, const char *name, size_t limit, bool required,
                     const char **text, struct ff_error *error) FF_MUST_USE;

/* commit.c: one change that a request makes in the ledger and then in memory. */
struct ff_commit;
struct ff_commit_kind {
    size_t size; /* of a structure that begins with ff_commit */
    /* In the committer's thread, inside a transaction; may be called again after a failure. */
    int (*write)(struct ff_commit *commit, struct ff_store *store, struct ff_error *error);
    /* The same thread, when it is durable, under the service's lock. */
    int (*apply)(struct ff_commit *commit, struct ff_service *service, struct ff_error *error);
    void (*destroy)(void *work);
};
struct ff_commit {
    struct ff_job job;
    struct ff_request *request;
    const struct ff_commit_kind *kind;
};

/* A zeroed structure of that kind, which becomes the work of the request; NULL: no memory. */
void *ff_commit_create(struct ff_request *request, const struct ff_commit_kind *kind,
                       struct ff_error *error) FF_MUST_USE;
/* Hands it over: FF_LATER, and the handler is called again when the change was made. */
int ff_commit_submit(struct ff_commit *commit, struct ff_error *error) FF_MUST_USE;

/* The host part of the address that the client used, for addresses in replies. */
void ff_request_host(struct ff_request *request, char *host, size_t size);

/* routes.c: the route of a path and method; fills the request's path and arguments. */
int ff_route_find(struct ff_request *request, const char *method, const char *url,
                  struct ff_error *error) FF_MUST_USE;

/* Handlers, by file. */
ff_handle ff_get_version, ff_get_status;
ff_handle ff_post_function, ff_get_functions, ff_get_function, ff_delete_function;
ff_handle ff_put_object, ff_get_object;
ff_handle ff_post_endpoint, ff_get_endpoints, ff_get_endpoint, ff_delete_endpoint,
    ff_get_endpoint_status;
ff_handle ff_post_submit;
ff_handle ff_get_task, ff_post_batch_status, ff_get_tasks, ff_post_cancel, ff_post_stop;
ff_handle ff_get_group, ff_get_group_results;
ff_handle ff_get_events, ff_get_log, ff_get_preview;
ff_handle ff_get_tokens, ff_post_token, ff_delete_token;

#endif
