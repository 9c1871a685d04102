#include "service/http/document.h"

#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ff_documents_open(struct ff_documents *documents, struct ff_request *request,
                       struct ff_buffer *buffer, unsigned parts)
{
    memset(documents, 0, sizeof *documents);
    documents->request = request;
    documents->buffer = buffer;
    documents->parts = parts;
}

static int not_found(const char *id_text, struct ff_error *error)
{
    ff_fail(error, FF_TASK_NOT_FOUND, "there is no task %.40s", id_text);
    return ff_hint(error, "farfield task list shows the tasks");
}

int ff_document_key(struct ff_request *request, const char *id_text, int64_t *key,
                    struct ff_error *error)
{
    struct ff_id id;
    if (ff_id_parse(id_text, strlen(id_text), &id) < 0)
        return not_found(id_text, error);
    *key = ff_task_id_key(request->service->identity.secret, &id);
    return *key >= 0 ? 0 : not_found(id_text, error);
}

/* ---- parts that live and ended tasks share ---- */

static void write_head(struct ff_buffer *out, const struct ff_id *id, enum ff_task_state state)
{
    bool cancelled = state == FF_TASK_CANCELLED_STATE;
    ff_json_member_id(out, "task_id", id);
    ff_json_member_text(out, "status", cancelled ? "failed" : ff_task_state_name(state));
    ff_json_member_text(out, "state", ff_task_state_name(state));
}

static void write_place(struct ff_buffer *out, const struct ff_function *function,
                        const struct ff_endpoint *endpoint, const struct ff_id *group,
                        const char *priority, uint32_t attempt)
{
    if (function != NULL) {
        ff_json_member_id(out, "function_id", &function->id);
        ff_json_member_text(out, "function", function->name);
    }
    if (endpoint != NULL) {
        ff_json_member_id(out, "endpoint_id", &endpoint->id);
        ff_json_member_text(out, "endpoint", endpoint->name);
    }
    ff_json_member_id(out, "task_group_id", group);
    ff_json_member_text(out, "priority", priority);
    ff_json_member_integer(out, "attempt", attempt);
}

static void write_ms(struct ff_buffer *out, const char *key, uint64_t us)
{
    ff_json_member_number(out, key, (double)us / 1000.0);
}

/* "a,b" → ["a","b"] */
static void write_devices(struct ff_buffer *out, struct ff_span list)
{
    const char *at = list.data;
    const char *end = at + list.size;
    ff_json_key(out, "devices");
    ff_json_begin(out, '[');
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if (stop > at)
            ff_json_text(out, (struct ff_span){at, (size_t)(stop - at)});
        at = stop + 1;
    }
    ff_json_end(out, ']');
}

static void write_previews(struct ff_buffer *out, struct ff_span members)
{
    ff_json_key(out, "previews");
    ff_json_begin(out, '[');
    if (members.size > 0)
        ff_json_raw(out, members);
    ff_json_end(out, ']');
}

/* ---- live ---- */

void ff_document_why(const struct ff_task *task, char *text, size_t size)
{
    const struct ff_endpoint *endpoint = task->batch->endpoint;
    const struct ff_endpoint_link *link = &endpoint->link;
    text[0] = '\0';
    if (task->state == FF_TASK_RUNNING)
        return;
    if (link->peer == NULL)
        snprintf(text, size, "endpoint %s is not connected: farfield endpoint start %s",
                 endpoint->name, endpoint->name);
    else if (!link->announced)
        snprintf(text, size, "endpoint %s is still saying what it holds", endpoint->name);
    else if (link->draining)
        snprintf(text, size, "endpoint %s is stopping", endpoint->name);
    else if (task->queued)
        snprintf(text, size, "endpoint %s holds as many tasks as it takes", endpoint->name);
    else if (task->detail != NULL && task->detail->why != NULL)
        snprintf(text, size, "%s", task->detail->why);
    else if (link->why[0] != '\0')
        snprintf(text, size, "%s", link->why);
}

static void write_progress(struct ff_buffer *out, const struct ff_task_detail *detail)
{
    if (detail == NULL || !detail->has_progress) {
        ff_json_member_null(out, "progress");
        return;
    }
    ff_json_key(out, "progress");
    ff_json_begin(out, '{');
    ff_json_member_number(out, "fraction", detail->fraction);
    struct ff_span numbers = ff_span_of(detail->numbers);
    /* The members of the function's object join ours. */
    if (numbers.size > 2) {
        struct ff_span members = {(const char *)numbers.data + 1, numbers.size - 2};
        ff_json_raw(out, members);
    }
    ff_json_end(out, '}');
}

void ff_document_write_live(struct ff_documents *documents, const struct ff_task *task)
{
    struct ff_buffer *out = documents->buffer;
    const struct ff_batch *batch = task->batch;
    const struct ff_task_detail *detail = task->detail;
    char why[1200];
    ff_document_why(task, why, sizeof why);
    ff_json_begin(out, '{');
    write_head(out, &task->id, (enum ff_task_state)task->state);
    write_place(out, batch->function, batch->endpoint, &batch->group, batch->priority,
                task->number > 0 ? task->number : 1);
    ff_json_member_text(out, "waiting_because", why[0] != '\0' ? why : NULL);
    write_progress(out, detail);
    ff_json_member_time(out, "submitted", batch->submitted_ns);
    ff_json_key(out, "timings");
    ff_json_begin(out, '{');
    ff_json_member_time(out, "submitted", batch->submitted_ns);
    ff_json_member_time(out, "accepted", batch->accepted_ns);
    ff_json_member_time(out, "delivered", task->delivered_ns);
    ff_json_member_number(out, "total_ms", (double)(ff_wall_ns() - batch->submitted_ns) / 1e6);
    ff_json_end(out, '}');
    ff_json_member_text(out, "node", task->node);
    write_devices(out, ff_span_of(detail != NULL ? detail->devices : NULL));
    write_previews(out, detail != NULL ? ff_buffer_span(&detail->previews) : ff_span_of(""));
    ff_json_end(out, '}');
}

/* ---- ended ---- */

static int take_batch(void *user, const struct ff_batch_row *row)
{
    struct ff_documents *documents = user;
    struct ff_service *service = documents->request->service;
    documents->first = row->first;
    documents->count = row->count;
    documents->group = row->group;
    documents->submitted_ns = row->submitted_ns;
    documents->accepted_ns = row->accepted_ns;
    snprintf(documents->user, sizeof documents->user, "%.*s", (int)row->user.size,
             (const char *)row->user.data);
    snprintf(documents->priority, sizeof documents->priority, "%.*s", (int)row->priority.size,
             (const char *)row->priority.data);
    pthread_mutex_lock(&service->lock);
    documents->function = ff_catalog_function(service->catalog, row->function);
    documents->endpoint = ff_catalog_endpoint(service->catalog, row->endpoint);
    pthread_mutex_unlock(&service->lock);
    return 0;
}

int ff_document_batch(struct ff_documents *documents, int64_t key, struct ff_error *error)
{
    struct ff_store *store = documents->request->http->store;
    bool here = documents->count > 0 && key >= documents->first &&
                key < documents->first + documents->count;
    int found = here ? 1 : store->ops->get_batch(store, key, take_batch, documents, error);
    if (found > 0 && strcmp(documents->user, documents->request->user) == 0)
        return 0;
    struct ff_id id;
    char text[FF_ID_TEXT_SIZE];
    ff_task_id(documents->request->service->identity.secret, key, &id);
    ff_id_text(&id, text);
    return found < 0 ? -1 : not_found(text, error);
}

static void write_error(struct ff_documents *documents, const struct ff_result_row *row)
{
    struct ff_buffer *out = documents->buffer;
    struct ff_span exception = row->message.size > 0 ? row->message : row->code;
    if (row->state == FF_TASK_CANCELLED_STATE)
        exception = ff_span_of("TASK_CANCELLED");
    ff_json_member_span(out, "exception", exception);
    ff_json_key(out, "error");
    ff_json_begin(out, '{');
    ff_json_member_span(out, "code", row->code);
    ff_json_member_span(out, "message", row->message);
    ff_json_member_span(out, "hint", row->hint);
    if (documents->parts & FF_DOCUMENT_LOG_TAIL)
        ff_json_member_span(out, "log_tail", row->log_tail);
    ff_json_end(out, '}');
}

static void write_value(struct ff_documents *documents, const struct ff_result_row *row)
{
    struct ff_buffer *out = documents->buffer;
    if (row->object_size > 0) {
        ff_json_member_null(out, "result");
        ff_json_key(out, "result_object");
        ff_json_begin(out, '{');
        ff_json_member_digest(out, "digest", &row->object);
        ff_json_member_integer(out, "size", (int64_t)row->object_size);
        ff_json_end(out, '}');
    } else if (row->value.size > 0) {
        ff_json_key(out, "result");
        ff_json_raw(out, row->value);
    }
}

static void write_timings(struct ff_documents *documents, const struct ff_result_row *row)
{
    struct ff_buffer *out = documents->buffer;
    int64_t run_ns = (int64_t)row->run_us * 1000;
    ff_json_key(out, "timings");
    ff_json_begin(out, '{');
    ff_json_member_time(out, "submitted", documents->submitted_ns);
    ff_json_member_time(out, "accepted", documents->accepted_ns);
    ff_json_member_time(out, "delivered", row->delivered_ns);
    ff_json_member_time(out, "started", row->delivered_ns != 0 ? row->ended_ns - run_ns : 0);
    ff_json_member_time(out, "ended", row->ended_ns);
    ff_json_member_time(out, "stored", row->stored_ns);
    write_ms(out, "queued_ms", row->queued_us);
    write_ms(out, "launch_ms", row->launch_us);
    write_ms(out, "run_ms", row->run_us);
    ff_json_member_number(out, "total_ms",
                          (double)(row->stored_ns - documents->submitted_ns) / 1e6);
    ff_json_end(out, '}');
}

static int write_ended(void *user, const struct ff_result_row *row)
{
    struct ff_documents *documents = user;
    struct ff_buffer *out = documents->buffer;
    struct ff_id id;
    ff_task_id(documents->request->service->identity.secret, row->key, &id);
    ff_json_begin(out, '{');
    write_head(out, &id, row->state);
    write_place(out, documents->function, documents->endpoint, &documents->group,
                documents->priority, row->number > 0 ? row->number : 1);
    ff_json_member_null(out, "waiting_because");
    if (row->state != FF_TASK_SUCCESS)
        write_error(documents, row);
    if (documents->parts & FF_DOCUMENT_RESULT)
        write_value(documents, row);
    ff_json_member_time(out, "completion_t", row->stored_ns);
    ff_json_member_time(out, "submitted", documents->submitted_ns);
    write_timings(documents, row);
    ff_json_member_span(out, "node", row->node);
    write_devices(out, row->devices);
    write_previews(out, row->previews);
    ff_json_end(out, '}');
    return 0;
}

/* One that has ended just now, for this user to read. */
static int write_recent(struct ff_documents *documents, const struct ff_recent_result *recent)
{
    documents->first = recent->first;
    documents->count = recent->count;
    documents->group = recent->group;
    documents->function = recent->function;
    documents->endpoint = recent->endpoint;
    documents->submitted_ns = recent->submitted_ns;
    documents->accepted_ns = recent->accepted_ns;
    snprintf(documents->user, sizeof documents->user, "%s", recent->user);
    snprintf(documents->priority, sizeof documents->priority, "%s", recent->priority);
    return write_ended(documents, &recent->row);
}

int ff_document_write(struct ff_documents *documents, int64_t key, struct ff_error *error)
{
    struct ff_service *service = documents->request->service;
    struct ff_store *store = documents->request->http->store;
    const char *user = documents->request->user;
    struct ff_recent_result *recent = NULL;
    pthread_mutex_lock(&service->lock);
    const struct ff_task *task = ff_ledger_find_key(service->ledger, key);
    bool ours = task != NULL && strcmp(task->batch->user, user) == 0;
    if (ours)
        ff_document_write_live(documents, task);
    else if (task == NULL)
        recent = ff_recent_take(&service->recent, key);
    pthread_mutex_unlock(&service->lock);
    bool told = recent != NULL && strcmp(recent->user, user) == 0;
    if (told)
        write_recent(documents, recent);
    free(recent);
    if (ours || told)
        return 0;
    if (ff_document_batch(documents, key, error) < 0)
        return -1;
    int found = store->ops->get_result(store, key, write_ended, documents, error);
    if (found == 0)
        return ff_fail(error, FF_INTERNAL, "a task is neither live nor ended");
    return found < 0 ? -1 : 0;
}

struct brief {
    struct ff_documents *documents;
    int64_t seq;
};

static int write_brief(void *user, const struct ff_result_row *row)
{
    const struct brief *brief = user;
    struct ff_documents *documents = brief->documents;
    struct ff_buffer *out = documents->buffer;
    struct ff_id id;
    ff_task_id(documents->request->service->identity.secret, row->key, &id);
    ff_json_begin(out, '{');
    ff_json_member_integer(out, "seq", brief->seq);
    write_head(out, &id, row->state);
    ff_json_member_integer(out, "attempt", row->number > 0 ? row->number : 1);
    if (row->state != FF_TASK_SUCCESS)
        write_error(documents, row);
    write_value(documents, row);
    ff_json_end(out, '}');
    return 0;
}

int ff_document_write_ended(struct ff_documents *documents, int64_t key, int64_t seq,
                            struct ff_error *error)
{
    struct ff_store *store = documents->request->http->store;
    struct brief brief = {documents, seq};
    int found = store->ops->get_result(store, key, write_brief, &brief, error);
    if (found == 0)
        return ff_fail(error, FF_INTERNAL, "the result of an ended task is not in the ledger");
    return found < 0 ? -1 : 0;
}
