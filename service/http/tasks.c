/*
 * Single tasks: showing, listing, cancelling, stopping.
 */
#include "service/endings.h"
#include "service/http/document.h"
#include "service/router/router.h"

#include <string.h>

enum {
    LIST_LIMIT = 1000,
    LIST_LOOKED_AT = 200000,
    BATCH_LIMIT = 10000,
    REPLY_BYTES = 64 << 20,
    ENDING_WAIT_MS = 10000,
};

int ff_get_task(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_documents documents;
    int64_t key;
    int64_t wait_ms;
    if (ff_document_key(request, request->arguments[0], &key, error) < 0 ||
        ff_request_number(request, "wait_ms", 0, FF_LONG_POLL_MS, 0, &wait_ms, error) < 0)
        return -1;
    if (wait_ms > 0) {
        pthread_mutex_lock(&service->lock);
        struct ff_task *task = ff_ledger_find_key(service->ledger, key);
        struct ff_task_detail *detail = task != NULL ? ff_task_detail(task) : NULL;
        bool waits = detail != NULL && strcmp(task->batch->user, request->user) == 0 &&
                     ff_request_wait(request, &detail->waiters, wait_ms, true);
        pthread_mutex_unlock(&service->lock);
        if (waits)
            return FF_LATER;
    }
    ff_documents_open(&documents, request, &request->reply,
                      FF_DOCUMENT_RESULT | FF_DOCUMENT_LOG_TAIL);
    return ff_document_write(&documents, key, error);
}

int ff_post_batch_status(struct ff_request *request, struct ff_error *error)
{
    struct ff_buffer *out = &request->reply;
    struct ff_documents documents;
    json_t *body = ff_request_json(request, error);
    if (body == NULL)
        return -1;
    const json_t *ids = json_object_get(body, "task_ids");
    int result = 0;
    if (!json_is_array(ids) || json_array_size(ids) > BATCH_LIMIT)
        result = ff_fail(error, FF_INVALID_ARGUMENT,
                         "\"task_ids\" must be an array of at most %d ids", BATCH_LIMIT);
    ff_documents_open(&documents, request, out, FF_DOCUMENT_RESULT);
    ff_json_begin(out, '{');
    ff_json_member_text(out, "response", "batch");
    ff_json_key(out, "results");
    ff_json_begin(out, '{');
    for (size_t i = 0; result == 0 && i < json_array_size(ids); i++) {
        const char *text = json_string_value(json_array_get(ids, i));
        int64_t key;
        result = ff_document_key(request, text != NULL ? text : "", &key, error);
        if (result == 0) {
            ff_json_key(out, text);
            result = ff_document_write(&documents, key, error);
        }
        if (out->size > REPLY_BYTES)
            result = ff_fail(error, FF_TOO_LARGE,
                             "the results have more than %d bytes: ask for "
                             "fewer tasks at once",
                             REPLY_BYTES);
    }
    ff_json_end(out, '}');
    ff_json_end(out, '}');
    json_decref(body);
    return result;
}

/* ---- listing ---- */

struct listing {
    int64_t keys[LIST_LIMIT];
    size_t count, limit;
    size_t looked_at;
    int64_t last; /* key that was looked at */
    bool any_state, more;
    enum ff_task_state state;
    struct ff_service *service;
};

static int list_one(void *user, int64_t key, enum ff_task_state state)
{
    struct listing *listing = user;
    listing->more = listing->count == listing->limit || ++listing->looked_at > LIST_LOOKED_AT;
    if (listing->more)
        return 1;
    listing->last = key;
    if (!listing->any_state && !ff_task_state_is_terminal(state)) {
        pthread_mutex_lock(&listing->service->lock);
        const struct ff_task *task = ff_ledger_find_key(listing->service->ledger, key);
        state = task != NULL ? (enum ff_task_state)task->state : state;
        pthread_mutex_unlock(&listing->service->lock);
    }
    if (listing->any_state || state == listing->state)
        listing->keys[listing->count++] = key;
    return 0;
}

struct list_filter {
    int64_t before, function, endpoint;
};

static int read_filter(struct ff_request *request, struct listing *listing,
                       struct list_filter *filter, struct ff_error *error)
{
    struct ff_service *service = request->service;
    const char *before = ff_request_query(request, "before");
    const char *state = ff_request_query(request, "state");
    const char *function = ff_request_query(request, "function");
    const char *endpoint = ff_request_query(request, "endpoint");
    int64_t limit;
    if (ff_request_number(request, "limit", 1, LIST_LIMIT, 100, &limit, error) < 0 ||
        (before != NULL && ff_document_key(request, before, &filter->before, error) < 0))
        return -1;
    listing->limit = (size_t)limit;
    listing->any_state = state == NULL;
    if (state != NULL && ff_task_state_from_name(state, strlen(state), &listing->state) < 0)
        return ff_fail(error, FF_INVALID_ARGUMENT, "there is no state \"%.40s\"", state);
    pthread_mutex_lock(&service->lock);
    const struct ff_function *f =
        function != NULL
            ? ff_catalog_find_function(service->catalog, request->user, ff_span_of(function), error)
            : NULL;
    const struct ff_endpoint *e =
        endpoint != NULL
            ? ff_catalog_find_endpoint(service->catalog, request->user, ff_span_of(endpoint), error)
            : NULL;
    pthread_mutex_unlock(&service->lock);
    if ((function != NULL && f == NULL) || (endpoint != NULL && e == NULL))
        return -1;
    filter->function = f != NULL ? f->key : 0;
    filter->endpoint = e != NULL ? e->key : 0;
    return 0;
}

int ff_get_tasks(struct ff_request *request, struct ff_error *error)
{
    struct ff_store *store = request->http->store;
    struct ff_buffer *out = &request->reply;
    struct listing listing = {.service = request->service};
    struct list_filter filter = {0, 0, 0};
    struct ff_documents documents;
    if (read_filter(request, &listing, &filter, error) < 0 ||
        store->ops->each_listed(store, filter.before, ff_span_of(request->user), filter.function,
                                filter.endpoint, list_one, &listing, error) < 0)
        return -1;
    ff_documents_open(&documents, request, out, FF_DOCUMENT_PLAIN);
    ff_json_begin(out, '{');
    ff_json_key(out, "tasks");
    ff_json_begin(out, '[');
    for (size_t i = 0; i < listing.count; i++)
        if (ff_document_write(&documents, listing.keys[i], error) < 0)
            return -1;
    ff_json_end(out, ']');
    ff_json_member_flag(out, "has_next_page", listing.more);
    if (listing.more) {
        struct ff_id last;
        ff_task_id(request->service->identity.secret, listing.last, &last);
        ff_json_member_id(out, "next_before", &last);
    }
    ff_json_end(out, '}');
    return FF_REPLY;
}

/* ---- cancelling and stopping ---- */

static void asked_done(void *user, const struct ff_error *error)
{
    ff_request_resume(user, error);
}

static int reply_asked(struct ff_request *request, const char *state, bool accepted,
                       const char *message)
{
    struct ff_buffer *out = &request->reply;
    ff_json_begin(out, '{');
    ff_json_member_text(out, "task_id", request->arguments[0]);
    ff_json_member_text(out, "state", state);
    ff_json_member_flag(out, "accepted", accepted);
    ff_json_member_text(out, "message", message);
    ff_json_end(out, '}');
    return FF_REPLY;
}

static int keep_state(void *user, const struct ff_result_row *row)
{
    enum ff_task_state *state = user;
    *state = row->state;
    return 0;
}

static int reply_ended(struct ff_request *request, int64_t key, struct ff_error *error)
{
    struct ff_documents documents;
    struct ff_store *store = request->http->store;
    enum ff_task_state state = FF_TASK_RECEIVED;
    ff_documents_open(&documents, request, &request->reply, FF_DOCUMENT_PLAIN);
    if (ff_document_batch(&documents, key, error) < 0 ||
        store->ops->get_result(store, key, keep_state, &state, error) < 0)
        return -1;
    return reply_asked(request, ff_task_state_name(state), false, "the task has ended already");
}

/* What was asked is durable now. */
static int reply_written(struct ff_request *request, int64_t key, enum ff_control_action action)
{
    struct ff_service *service = request->service;
    pthread_mutex_lock(&service->lock);
    const struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    const char *state = ff_task_state_name(task != NULL ? (enum ff_task_state)task->state
                                                        : FF_TASK_CANCELLED_STATE);
    pthread_mutex_unlock(&service->lock);
    if (task == NULL && action == FF_CONTROL_CANCEL)
        return reply_asked(request, state, true, "the task was cancelled");
    return reply_asked(
        request, task != NULL ? state : "ended", true,
        action == FF_CONTROL_CANCEL
            ? "the task is being cancelled"
            : "the task ends at its next step, or at its first one, and keeps its result");
}

/* An attempt is ending: whether that is the end of the task, or it is tried again and what is asked
 * means the next attempt, is known when it is written. Under the lock. */
static bool waits_for_ending(struct ff_request *request, struct ff_task *task)
{
    struct ff_task_detail *detail = ff_task_detail(task);
    return detail != NULL && ff_request_wait(request, &detail->waiters, ENDING_WAIT_MS, false);
}

/* Under the lock. FF_LATER: it is being written, or the task is ending. */
static int ask(struct ff_request *request, struct ff_task *task, enum ff_control_action action,
               struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_endpoint *endpoint = task->batch->endpoint;
    const char *state = ff_task_state_name((enum ff_task_state)task->state);
    bool at_endpoint = !task->queued && endpoint->link.peer != NULL;
    if (task->ending)
        return waits_for_ending(request, task)
                   ? FF_LATER
                   : reply_asked(request, state, false, "the task is just ending");
    if (action == FF_CONTROL_STOP && task->asked == FF_CONTROL_CANCEL)
        return reply_asked(request, state, false, "the task is being cancelled already");
    if (ff_request_suspend(request, error) < 0)
        return -1;
    /* From here on a further call means that it was written. */
    request->wait_until_ns = 0;
    if (!at_endpoint && action == FF_CONTROL_CANCEL) {
        ff_task_cancel_here(service, task, asked_done, request);
        return FF_LATER;
    }
    /* A stop reaches a task that is not here (yet, or after a restart) with its announcement or
     * its next attempt. */
    task->asked = (uint8_t)action;
    if (at_endpoint)
        ff_router_note_control(endpoint, task, action);
    ff_loop_wake(service->loop);
    ff_task_save_asked(service, task, asked_done, request);
    return FF_LATER;
}

static int post_control(struct ff_request *request, enum ff_control_action action,
                        struct ff_error *error)
{
    struct ff_service *service = request->service;
    int64_t key;
    if (ff_document_key(request, request->arguments[0], &key, error) < 0)
        return -1;
    if (request->again && request->wait_until_ns == 0)
        return reply_written(request, key, action);
    pthread_mutex_lock(&service->lock);
    struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    bool ours = task != NULL && strcmp(task->batch->user, request->user) == 0;
    int result = ours ? ask(request, task, action, error) : FF_REPLY;
    pthread_mutex_unlock(&service->lock);
    return ours ? result : reply_ended(request, key, error);
}

int ff_post_cancel(struct ff_request *request, struct ff_error *error)
{
    return post_control(request, FF_CONTROL_CANCEL, error);
}

int ff_post_stop(struct ff_request *request, struct ff_error *error)
{
    return post_control(request, FF_CONTROL_STOP, error);
}
