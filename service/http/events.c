/*
 * Following a task: events, log text, previews.
 */
#include "service/http/document.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/previews.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_LINE = 4096 };

static void write_event(struct ff_buffer *out, const struct ff_event *event)
{
    struct ff_span text = ff_span_of(event->text);
    static const char *const types[] = {"state", "progress", "log", "preview"};
    ff_json_begin(out, '{');
    ff_json_member_integer(out, "seq", (int64_t)event->seq);
    ff_json_member_time(out, "time", event->time_ns);
    ff_json_member_text(out, "type", types[event->type]);
    switch (event->type) {
    case FF_EVENT_STATE:
        ff_json_member_text(out, "state", ff_task_state_name((enum ff_task_state)event->number));
        ff_json_member_integer(out, "attempt", event->attempt);
        ff_json_member_text(out, "why", text.size > 0 ? event->text : NULL);
        ff_json_member_text(out, "node", event->node);
        break;
    case FF_EVENT_PROGRESS:
        ff_json_member_number(out, "fraction", event->fraction);
        ff_json_key(out, "numbers");
        ff_json_raw(out, text);
        break;
    case FF_EVENT_LOG:
        ff_json_member_text(out, "level", ff_log_level_name((enum ff_log_level)event->number));
        ff_json_member_span(out, "text", text);
        break;
    case FF_EVENT_PREVIEW:
        ff_json_member_span(out, "name", text);
        ff_json_member_integer(out, "bytes", event->number);
        break;
    }
    ff_json_end(out, '}');
}

/* Events behind `after`; returns the number of the last one. */
static uint64_t write_events(struct ff_buffer *out, const struct ff_trace *trace, uint64_t after)
{
    for (size_t i = 0; i < ff_trace_count(trace); i++)
        if (ff_trace_at(trace, i)->seq > after)
            write_event(out, ff_trace_at(trace, i));
    uint64_t last = ff_trace_last(trace);
    return last > after ? last : after;
}

static void begin_reply(struct ff_buffer *out)
{
    ff_json_begin(out, '{');
    ff_json_key(out, "events");
    ff_json_begin(out, '[');
}

static void end_reply(struct ff_request *request, uint64_t next, const char *state)
{
    struct ff_buffer *out = &request->reply;
    ff_json_end(out, ']');
    ff_json_member_integer(out, "next", (int64_t)next);
    ff_json_member_integer(out, "epoch", (int64_t)request->service->epoch);
    ff_json_member_text(out, "state", state);
    ff_json_end(out, '}');
}

/* ---- ended ---- */

/* What is left of an ended task when its trace is gone: the lines of its log tail, and its result.
 * */
struct ended {
    struct ff_request *request;
    uint64_t after, last;
    bool has_trace;
    enum ff_task_state state;
};

static void write_tail(struct ended *ended, const struct ff_result_row *row)
{
    const char *at = row->log_tail.data;
    const char *end = at + row->log_tail.size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        struct ff_buffer *out = &ended->request->reply;
        ff_json_begin(out, '{');
        ff_json_member_integer(out, "seq", (int64_t)++ended->last);
        ff_json_member_time(out, "time", row->ended_ns);
        ff_json_member_text(out, "type", "log");
        ff_json_member_text(out, "level", "info");
        ff_json_member_span(out, "text", (struct ff_span){at, (size_t)(stop - at)});
        ff_json_end(out, '}');
        at = stop + 1;
    }
}

static int look_at_result(void *user, const struct ff_result_row *row)
{
    struct ended *ended = user;
    ended->state = row->state;
    /* Whoever has read some of it had the lines while it ran; only a new reader gets the tail. */
    if (!ended->has_trace && ended->after == 0)
        write_tail(ended, row);
    return 0;
}

/* The result as an event: the task's document with three members in front. */
static int write_result_event(struct ended *ended, int64_t key, struct ff_error *error)
{
    struct ff_request *request = ended->request;
    struct ff_buffer document;
    struct ff_documents documents;
    ff_buffer_init(&document, 64 << 20);
    ff_documents_open(&documents, request, &document, FF_DOCUMENT_RESULT | FF_DOCUMENT_LOG_TAIL);
    int result = ff_document_write(&documents, key, error);
    if (result == 0)
        result = ff_buffer_check(&document, "the result of a task", error);
    if (result == 0) {
        struct ff_buffer *out = &request->reply;
        ff_json_begin(out, '{');
        ff_json_member_integer(out, "seq", (int64_t)++ended->last);
        ff_json_member_time(out, "time", ff_wall_ns());
        ff_json_member_text(out, "type", "result");
        ff_json_raw(out, (struct ff_span){document.data + 1, document.size - 1});
    }
    ff_buffer_dispose(&document);
    return result;
}

static int write_ended(struct ff_request *request, int64_t key, uint64_t after,
                       struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_store *store = request->http->store;
    struct ff_documents documents;
    struct ended ended = {.request = request, .after = after, .last = after};
    ff_documents_open(&documents, request, &request->reply, FF_DOCUMENT_PLAIN);
    if (ff_document_batch(&documents, key, error) < 0)
        return -1;
    begin_reply(&request->reply);
    pthread_mutex_lock(&service->lock);
    const struct ff_trace *trace = ff_ledger_old_trace(service->ledger, key);
    ended.has_trace = trace != NULL;
    if (trace != NULL)
        ended.last = write_events(&request->reply, trace, after);
    pthread_mutex_unlock(&service->lock);
    if (store->ops->get_result(store, key, look_at_result, &ended, error) < 0 ||
        write_result_event(&ended, key, error) < 0)
        return -1;
    end_reply(request, ended.last, ff_task_state_name(ended.state));
    return FF_REPLY;
}

/* ---- live ---- */

int ff_get_events(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    int64_t key;
    int64_t after;
    int64_t epoch;
    int64_t wait_ms;
    if (ff_document_key(request, request->arguments[0], &key, error) < 0 ||
        ff_request_number(request, "after", 0, INT64_MAX, 0, &after, error) < 0 ||
        ff_request_number(request, "epoch", 0, INT64_MAX, 0, &epoch, error) < 0 ||
        ff_request_number(request, "wait_ms", 0, FF_LONG_POLL_MS, 0, &wait_ms, error) < 0)
        return -1;
    if (epoch != 0 && (uint64_t)epoch != service->epoch)
        after = 0;
    pthread_mutex_lock(&service->lock);
    struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    bool live = task != NULL && strcmp(task->batch->user, request->user) == 0;
    const struct ff_trace *trace = live ? ff_task_trace(task) : NULL;
    bool waits = false;
    if (trace != NULL) {
        waits = ff_trace_last(trace) <= (uint64_t)after && wait_ms > 0 &&
                ff_request_wait(request, &task->detail->waiters, wait_ms, false);
    }
    if (trace != NULL && !waits) {
        begin_reply(&request->reply);
        uint64_t next = write_events(&request->reply, trace, (uint64_t)after);
        end_reply(request, next, ff_task_state_name((enum ff_task_state)task->state));
    }
    pthread_mutex_unlock(&service->lock);
    if (waits)
        return FF_LATER;
    if (live && trace == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory to follow the task");
    return live ? FF_REPLY : write_ended(request, key, (uint64_t)after, error);
}

static int keep_tail(void *user, const struct ff_result_row *row)
{
    struct ff_buffer *text = user;
    ff_buffer_append(text, row->log_tail.data, row->log_tail.size);
    return 0;
}

int ff_get_log(struct ff_request *request, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_store *store = request->http->store;
    struct ff_documents documents;
    struct ff_buffer text;
    int64_t key;
    bool truncated = false;
    int result = 0;
    if (ff_document_key(request, request->arguments[0], &key, error) < 0)
        return -1;
    ff_buffer_init(&text, 4 * FF_LOG_TAIL);
    pthread_mutex_lock(&service->lock);
    const struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    bool live = task != NULL && strcmp(task->batch->user, request->user) == 0;
    if (live && task->detail != NULL && task->detail->trace != NULL)
        ff_trace_log(task->detail->trace, FF_LOG_TAIL, &text, &truncated);
    pthread_mutex_unlock(&service->lock);
    if (!live) {
        ff_documents_open(&documents, request, &request->reply, FF_DOCUMENT_PLAIN);
        result = ff_document_batch(&documents, key, error);
        if (result == 0 && store->ops->get_result(store, key, keep_tail, &text, error) < 0)
            result = -1;
        /* The worker cut it there, at the end of a line. */
        truncated = text.size > FF_LOG_TAIL / 2 - LONG_LINE;
    }
    if (result == 0) {
        ff_json_begin(&request->reply, '{');
        ff_json_member_span(&request->reply, "text", ff_buffer_span(&text));
        ff_json_member_flag(&request->reply, "truncated", truncated);
        ff_json_end(&request->reply, '}');
    }
    ff_buffer_dispose(&text);
    return result;
}

static bool is_ours(struct ff_request *request, int64_t key, struct ff_error *error)
{
    struct ff_service *service = request->service;
    struct ff_documents documents;
    pthread_mutex_lock(&service->lock);
    const struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    bool live = task != NULL && strcmp(task->batch->user, request->user) == 0;
    pthread_mutex_unlock(&service->lock);
    ff_documents_open(&documents, request, &request->reply, FF_DOCUMENT_PLAIN);
    return live || ff_document_batch(&documents, key, error) == 0;
}

/* An image is shown by a browser as what it says it is: only images pass under their own type. */
static const char *media_type_of(const char *media_type)
{
    static const char *const known[] = {"image/png", "image/jpeg", "image/webp"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(media_type, known[i]) == 0)
            return known[i];
    return "application/octet-stream";
}

int ff_get_preview(struct ff_request *request, struct ff_error *error)
{
    struct ff_id id;
    char media_type[65];
    char *data = NULL;
    size_t size;
    size_t data_at;
    int64_t key;
    const char *text = request->arguments[0];
    if (ff_document_key(request, text, &key, error) < 0 || !is_ours(request, key, error))
        return -1;
    ff_task_id(request->service->identity.secret, key, &id);
    if (ff_preview_read(request->service->previews, &id, ff_span_of(request->arguments[1]), &data,
                        &size, &data_at, media_type, error) < 0)
        return -1;
    ff_buffer_append(&request->reply, data + data_at, size - data_at);
    free(data);
    request->content_type = media_type_of(media_type);
    return FF_REPLY;
}
