/*
 * Submission: the body is scanned once, arguments stay text, and one job carries all tasks of a
 * request to the committer. The reply leaves after the commit, and only then do the tasks exist
 * for anybody. With wait_ms the same reply is held until they have ended, and carries their
 * results: the HTTP thread is then not woken for the commit at all.
 */
#include "service/http/document.h"

#include "protocol/core/clock.h"
#include "protocol/core/json_scan.h"
#include "service/admission.h"
#include "service/endings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_LIMIT = 256, KEY_LIMIT = 256, RESULTS_BYTES = 16 << 20 };

/* The tasks of one function. */
struct part {
    struct ff_span name; /* of the function, as the body says it */
    size_t first, count; /* in payloads */
    struct ff_function *function;
    struct ff_batch *batch;
};

struct submission {
    struct ff_job job;
    struct ff_request *request;
    struct ff_endpoint *endpoint;
    struct part parts[PARTS_LIMIT];
    size_t part_count;
    struct ff_payload *payloads;
    struct ff_digest *digests; /* of payloads that are objects */
    size_t count, capacity, digest_count;
    struct ff_resources resources;
    struct ff_id group, request_id;
    bool new_group;
    char key[KEY_LIMIT + 1]; /* idempotency key; "": none */
    struct ff_digest body;
    struct ff_submission_row known; /* an earlier submission of the same key */
    int64_t first;                  /* the key of its first task */
    int64_t wait_ms;                /* how long the reply is held for the results; 0: it has none */
    enum { NEW, REPEATED, CONTRADICTED } verdict;
};

static void destroy_submission(void *work)
{
    struct submission *submission = work;
    for (size_t i = 0; i < submission->part_count; i++)
        ff_batch_destroy(submission->parts[i].batch);
    free(submission->payloads);
    free(submission->digests);
    free(submission);
}

/* ---- reading the body ---- */

static int add_payload(struct submission *submission, struct ff_span text, struct ff_error *error)
{
    if (submission->count == FF_SUBMIT_LIMIT) {
        ff_fail(error, FF_TOO_LARGE, "more than %d tasks in one submission", FF_SUBMIT_LIMIT);
        return ff_hint(error, "submit them in several requests");
    }
    if (submission->count == submission->capacity) {
        size_t capacity = submission->capacity == 0 ? 16 : 4 * submission->capacity;
        struct ff_payload *grown = realloc(submission->payloads, capacity * sizeof *grown);
        if (grown == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks");
        submission->payloads = grown;
        submission->capacity = capacity;
    }
    submission->payloads[submission->count++] =
        (struct ff_payload){.text = text, .object = NULL, .size = text.size};
    return 0;
}

static int read_payloads(struct submission *submission, struct ff_json *json,
                         struct ff_error *error)
{
    struct ff_span value;
    int more;
    if (ff_json_enter(json, '[', error) < 0)
        return -1;
    while ((more = ff_json_element(json, error)) > 0)
        if (ff_json_value(json, &value, error) < 0 || add_payload(submission, value, error) < 0)
            return -1;
    return more;
}

static int read_tasks(struct submission *submission, struct ff_json *json, struct ff_error *error)
{
    struct ff_span name;
    int more;
    if (ff_json_enter(json, '{', error) < 0)
        return -1;
    while ((more = ff_json_member(json, &name, error)) > 0) {
        if (submission->part_count == PARTS_LIMIT)
            return ff_fail(error, FF_TOO_LARGE, "more than %d functions in one submission",
                           PARTS_LIMIT);
        struct part *part = &submission->parts[submission->part_count++];
        part->name = name;
        part->first = submission->count;
        if (read_payloads(submission, json, error) < 0)
            return -1;
        part->count = submission->count - part->first;
    }
    return more;
}

/* The small members, which go through jansson as values of their own. */
static int read_member(struct submission *submission, struct ff_span name, struct ff_span value,
                       struct ff_error *error)
{
    bool is_key = ff_span_equal(name, ff_span_of("idempotency_key"));
    bool is_group = ff_span_equal(name, ff_span_of("task_group_id"));
    bool is_resources = ff_span_equal(name, ff_span_of("resource_specification"));
    if (!is_key && !is_group && !is_resources)
        return 0;
    json_t *json = json_loadb(value.data, value.size, JSON_DECODE_ANY, NULL);
    const char *text = json_string_value(json);
    int result = 0;
    if (json == NULL)
        result = ff_fail(error, FF_INVALID_JSON, "\"%.*s\" cannot be read", (int)name.size,
                         (const char *)name.data);
    else if (is_resources)
        result = ff_resources_read(json, &submission->resources, error);
    else if (json_is_null(json))
        result = 0;
    else if (is_group && (text == NULL || ff_id_parse(text, strlen(text), &submission->group) < 0))
        result = ff_fail(error, FF_INVALID_ARGUMENT, "\"task_group_id\" must be a UUID");
    else if (is_key && (text == NULL || text[0] == '\0' || strlen(text) > KEY_LIMIT))
        result = ff_fail(error, FF_INVALID_ARGUMENT,
                         "\"idempotency_key\" must be text of 1 to %d bytes", KEY_LIMIT);
    else if (is_key)
        snprintf(submission->key, sizeof submission->key, "%s", text);
    json_decref(json);
    return result;
}

static int read_body(struct submission *submission, struct ff_error *error)
{
    struct ff_json json;
    struct ff_span name;
    struct ff_span value;
    int more;
    bool has_tasks = false;
    ff_json_open(&json, ff_buffer_span(&submission->request->body));
    if (ff_json_enter(&json, '{', error) < 0)
        return -1;
    while ((more = ff_json_member(&json, &name, error)) > 0) {
        bool tasks = ff_span_equal(name, ff_span_of("tasks"));
        if (tasks && has_tasks)
            return ff_fail(error, FF_INVALID_JSON, "\"tasks\" stands twice in the body");
        has_tasks |= tasks;
        if (tasks ? read_tasks(submission, &json, error) < 0
                  : ff_json_value(&json, &value, error) < 0 ||
                        read_member(submission, name, value, error) < 0)
            return -1;
    }
    if (more < 0 || ff_json_finish(&json, error) < 0)
        return -1;
    if (submission->count == 0) {
        ff_fail(error, FF_INVALID_ARGUMENT, "the body has no tasks");
        return ff_hint(error, "send {\"tasks\": {FUNCTION: [ARGUMENTS, …]}}");
    }
    return 0;
}

static int read_header_key(struct submission *submission, struct ff_error *error)
{
    const char *key = MHD_lookup_connection_value(submission->request->connection, MHD_HEADER_KIND,
                                                  "Idempotency-Key");
    if (key == NULL || submission->key[0] != '\0')
        return 0;
    if (key[0] == '\0' || strlen(key) > KEY_LIMIT)
        return ff_fail(error, FF_INVALID_ARGUMENT,
                       "the header Idempotency-Key must be text of 1 to %d bytes", KEY_LIMIT);
    snprintf(submission->key, sizeof submission->key, "%s", key);
    return 0;
}

/* ---- making the tasks ---- */

static int find_names(struct submission *submission, struct ff_error *error)
{
    struct ff_request *request = submission->request;
    struct ff_service *service = request->service;
    int result = 0;
    pthread_mutex_lock(&service->lock);
    submission->endpoint = ff_catalog_find_endpoint(service->catalog, request->user,
                                                    ff_span_of(request->arguments[0]), error);
    if (submission->endpoint == NULL)
        result = -1;
    for (size_t i = 0; result == 0 && i < submission->part_count; i++) {
        struct part *part = &submission->parts[i];
        part->function =
            ff_catalog_find_function(service->catalog, request->user, part->name, error);
        if (part->function == NULL)
            result = -1;
    }
    pthread_mutex_unlock(&service->lock);
    return result;
}

/* A group that a client names may have tasks already: then they must be the same user's. */
static int find_group(struct submission *submission, struct ff_error *error)
{
    struct ff_request *request = submission->request;
    struct ff_service *service = request->service;
    submission->new_group = ff_id_is_zero(&submission->group);
    if (submission->new_group) {
        ff_id_random(&submission->group);
        return 0;
    }
    pthread_mutex_lock(&service->lock);
    const struct ff_group *group = ff_ledger_group(service->ledger, &service->lock,
                                                   request->http->store, &submission->group, error);
    bool foreign = group != NULL && strcmp(group->user, request->user) != 0;
    pthread_mutex_unlock(&service->lock);
    if (foreign)
        return ff_fail(error, FF_FORBIDDEN, "the task group belongs to somebody else");
    /* What cannot be read may be somebody else's. */
    return group != NULL || error->code == FF_NOT_FOUND ? 0 : -1;
}

/* Arguments beyond the inline limit become objects. */
static int name_objects(struct submission *submission, struct ff_error *error)
{
    size_t large = 0;
    for (size_t i = 0; i < submission->count; i++)
        large += submission->payloads[i].text.size > FF_INLINE_LIMIT;
    if (large == 0)
        return 0;
    submission->digests = calloc(large, sizeof *submission->digests);
    if (submission->digests == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks");
    for (size_t i = 0; i < submission->count; i++) {
        struct ff_payload *payload = &submission->payloads[i];
        struct ff_digest *digest = &submission->digests[submission->digest_count];
        if (payload->text.size <= FF_INLINE_LIMIT)
            continue;
        if (ff_digest_of(payload->text, digest, error) < 0)
            return -1;
        payload->object = digest;
        submission->digest_count++;
    }
    return 0;
}

/* Copies the arguments of a part into its batch, and lets the payloads point there. */
static int fill_batch(struct submission *submission, const struct part *part,
                      struct ff_batch *batch, struct ff_error *error)
{
    size_t size = 0;
    struct ff_payload *payloads = &submission->payloads[part->first];
    for (size_t i = 0; i < part->count; i++)
        size += payloads[i].object == NULL ? payloads[i].text.size : 0;
    batch->text = malloc(size + 1);
    batch->text_size = size;
    batch->user = strdup(submission->request->user);
    if (batch->text == NULL || batch->user == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks");
    char *at = batch->text;
    for (size_t i = 0; i < part->count; i++) {
        struct ff_task *task = &batch->tasks[i];
        task->payload_size = payloads[i].size;
        task->is_object = payloads[i].object != NULL;
        if (task->is_object)
            continue;
        memcpy(at, payloads[i].text.data, payloads[i].text.size);
        payloads[i].text.data = at;
        task->payload = at;
        at += payloads[i].text.size;
    }
    return 0;
}

/* Only a shell function can spread over nodes: it is told their names. */
static int check_nodes(const struct submission *submission, const struct ff_function *function,
                       struct ff_error *error)
{
    if (submission->resources.nodes <= 1 || strcmp(function->kind, "shell") == 0)
        return 0;
    ff_fail(error, FF_INVALID_ARGUMENT,
            "%s asks for %u nodes; only shell functions run on several, and %s is a %s function",
            function->name, submission->resources.nodes, function->name, function->kind);
    return ff_hint(error, "leave --nodes away, or register a shell function, which sees "
                          "FARFIELD_NODELIST");
}

static int make_batches(struct submission *submission, struct ff_error *error)
{
    struct ff_service *service = submission->request->service;
    const struct ff_resources *resources = &submission->resources;
    int64_t first = atomic_fetch_add(&service->next_task, (int64_t)submission->count);
    submission->first = first;
    ff_id_random(&submission->request_id);
    for (size_t i = 0; i < submission->part_count; i++) {
        struct part *part = &submission->parts[i];
        if (check_nodes(submission, part->function, error) < 0)
            return -1;
        part->batch = ff_batch_create(service->identity.secret, first, (uint32_t)part->count);
        if (part->batch == NULL)
            return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks");
        struct ff_batch *batch = part->batch;
        first += (int64_t)part->count;
        batch->group = submission->group;
        batch->request = submission->request_id;
        batch->endpoint = submission->endpoint;
        batch->function = part->function;
        batch->submitted_ns = ff_wall_ns();
        batch->devices = resources->devices;
        batch->cores = resources->cores;
        batch->nodes = resources->nodes;
        batch->max_retries = resources->max_retries;
        batch->time_limit_ms = resources->time_limit_ms;
        snprintf(batch->priority, sizeof batch->priority, "%s", resources->priority);
        if (fill_batch(submission, part, batch, error) < 0)
            return -1;
    }
    return 0;
}

/* A part without tasks has no batch, but its name stays in the reply. */
static void drop_empty_batches(struct submission *submission)
{
    for (size_t i = 0; i < submission->part_count; i++) {
        struct part *part = &submission->parts[i];
        if (part->count > 0)
            continue;
        ff_batch_destroy(part->batch);
        part->batch = NULL;
    }
}

/* ---- in the committer's thread ---- */

static struct ff_batch_row batch_row(const struct ff_batch *batch)
{
    return (struct ff_batch_row){
        .first = batch->first,
        .count = batch->count,
        .group = batch->group,
        .request = batch->request,
        .endpoint = batch->endpoint->key,
        .function = batch->function->key,
        .user = ff_span_of(batch->user),
        .priority = ff_span_of(batch->priority),
        .submitted_ns = batch->submitted_ns,
        .accepted_ns = batch->accepted_ns,
        .devices = batch->devices,
        .cores = batch->cores,
        .nodes = batch->nodes,
        .max_retries = batch->max_retries,
        .time_limit_ms = batch->time_limit_ms,
    };
}

static int store_objects(struct submission *submission, struct ff_error *error)
{
    struct ff_objects *objects = submission->request->service->objects;
    for (size_t i = 0; submission->digest_count > 0 && i < submission->count; i++) {
        const struct ff_payload *payload = &submission->payloads[i];
        if (payload->object != NULL &&
            ff_objects_store(objects, payload->text, payload->object, error) < 0)
            return -1;
    }
    return 0;
}

/* Whether this key was used before; the committer alone decides that, so two requests at once
 * cannot both be new. */
static int look_back(struct submission *submission, struct ff_store *store, struct ff_error *error)
{
    struct ff_span user = ff_span_of(submission->request->user);
    struct ff_span key = ff_span_of(submission->key);
    int found = store->ops->get_submission(store, user, key, &submission->known, error);
    if (found <= 0)
        return found;
    bool same = memcmp(submission->known.body.bytes, submission->body.bytes, FF_DIGEST_SIZE) == 0;
    submission->verdict = same ? REPEATED : CONTRADICTED;
    return 1;
}

static int write_submission(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct submission *submission = (struct submission *)job;
    submission->verdict = NEW;
    if (submission->key[0] != '\0') {
        int found = look_back(submission, store, error);
        if (found != 0)
            return found < 0 ? -1 : 0;
        struct ff_submission_row row = {
            .user = ff_span_of(submission->request->user),
            .key = ff_span_of(submission->key),
            .body = submission->body,
            .group = submission->group,
            .request = submission->request_id,
            .first = submission->first,
            .parts = (uint32_t)submission->part_count,
            .created_ns = ff_wall_ns(),
        };
        if (store->ops->put_submission(store, &row, error) < 0)
            return -1;
    }
    if (store_objects(submission, error) < 0)
        return -1;
    for (size_t i = 0; i < submission->part_count; i++) {
        struct part *part = &submission->parts[i];
        if (part->batch == NULL)
            continue;
        part->batch->accepted_ns = ff_wall_ns();
        struct ff_batch_row row = batch_row(part->batch);
        if (store->ops->put_batch(store, &row, &submission->payloads[part->first], error) < 0)
            return -1;
    }
    return 0;
}

/* A batch of the submission that has tasks without result; NULL: all have ended. Under the lock. */
static struct ff_batch *find_live(const struct submission *submission)
{
    int64_t key = submission->first;
    for (size_t i = 0; i < submission->part_count; i++) {
        size_t count = submission->parts[i].count;
        struct ff_batch *batch =
            count > 0 ? ff_ledger_find_batch(submission->request->service->ledger, key) : NULL;
        if (batch != NULL)
            return batch;
        key += (int64_t)count;
    }
    return NULL;
}

static void submission_done(struct ff_job *job, const struct ff_error *error)
{
    struct submission *submission = (struct submission *)job;
    struct ff_request *request = submission->request;
    struct ff_service *service = request->service;
    bool stays = false;
    if (error == NULL && submission->verdict == NEW) {
        pthread_mutex_lock(&service->lock);
        for (size_t i = 0; i < submission->part_count; i++) {
            if (submission->parts[i].batch != NULL)
                ff_ledger_add(service->ledger, submission->parts[i].batch, submission->new_group);
            submission->parts[i].batch = NULL;
        }
        /* It was deleted after this submission had found it. */
        if (submission->endpoint->deleted)
            ff_endpoint_cancel_tasks(service, submission->endpoint);
        struct ff_batch *live = submission->wait_ms > 0 ? find_live(submission) : NULL;
        stays = live != NULL && ff_request_stay(request, &live->waiters, submission->wait_ms, true);
        pthread_mutex_unlock(&service->lock);
        /* The tasks go on their way first; who asked for them can be answered meanwhile. */
        ff_loop_wake(service->loop);
    }
    if (!stays)
        ff_request_resume(request, error);
}

/* ---- the reply ---- */

/* Holds the reply again while there are tasks to wait for, and time. */
static bool goes_on_waiting(struct submission *submission)
{
    struct ff_service *service = submission->request->service;
    if (submission->wait_ms == 0)
        return false;
    pthread_mutex_lock(&service->lock);
    struct ff_batch *live = find_live(submission);
    bool waits = live != NULL &&
                 ff_request_wait(submission->request, &live->waiters, submission->wait_ms, true);
    pthread_mutex_unlock(&service->lock);
    return waits;
}

/* Adds the tasks as they are now, as many as a reply holds. */
static int write_results(struct submission *submission, struct ff_error *error)
{
    struct ff_documents documents;
    struct ff_request *request = submission->request;
    struct ff_buffer *out = &request->reply;
    int64_t end = submission->first + (int64_t)submission->count;
    ff_documents_open(&documents, request, out, FF_DOCUMENT_RESULT | FF_DOCUMENT_LOG_TAIL);
    ff_json_key(out, "results");
    ff_json_begin(out, '{');
    for (int64_t key = submission->first; key < end && out->size < RESULTS_BYTES; key++) {
        struct ff_id id;
        char text[FF_ID_TEXT_SIZE];
        ff_task_id(request->service->identity.secret, key, &id);
        ff_id_text(&id, text);
        ff_json_key(out, text);
        if (ff_document_write(&documents, key, error) < 0)
            return -1;
    }
    ff_json_end(out, '}');
    return 0;
}

/* Names the tasks; the object stays open for what reply() adds. Written before the tasks are handed
 * over. */
static void write_reply(struct submission *submission, const struct ff_id *request_id,
                        const struct ff_id *group)
{
    struct ff_buffer *out = &submission->request->reply;
    const uint8_t *secret = submission->request->service->identity.secret;
    int64_t key = submission->first;
    ff_json_begin(out, '{');
    ff_json_member_id(out, "request_id", request_id);
    ff_json_member_id(out, "task_group_id", group);
    ff_json_member_id(out, "endpoint_id", &submission->endpoint->id);
    ff_json_key(out, "tasks");
    ff_json_begin(out, '{');
    for (size_t i = 0; i < submission->part_count; i++) {
        const struct part *part = &submission->parts[i];
        /* The name goes back literally: clients look their tasks up by it. */
        ff_json_raw(out, (struct ff_span){(const char *)part->name.data - 1, part->name.size + 2});
        ff_buffer_append_text(out, ":");
        ff_json_begin(out, '[');
        for (size_t n = 0; n < part->count; n++) {
            struct ff_id id;
            ff_task_id(secret, key + (int64_t)n, &id);
            ff_json_id(out, &id);
        }
        ff_json_end(out, ']');
        key += (int64_t)part->count;
    }
    ff_json_end(out, '}');
}

/* The same key came before: what it made then is named again. */
static void repeat(struct submission *submission)
{
    for (size_t i = 0; i < submission->part_count; i++) {
        ff_batch_destroy(submission->parts[i].batch);
        submission->parts[i].batch = NULL;
    }
    submission->verdict = NEW;
    submission->first = submission->known.first;
    ff_buffer_clear(&submission->request->reply);
    write_reply(submission, &submission->known.request, &submission->known.group);
}

static int reply(struct ff_request *request, struct ff_error *error)
{
    struct submission *submission = request->work;
    if (submission->verdict == CONTRADICTED) {
        ff_fail(error, FF_CONFLICT, "the idempotency key was used before, with another body");
        return ff_hint(error, "use a new key for every new submission");
    }
    if (submission->verdict == REPEATED)
        repeat(submission);
    if (goes_on_waiting(submission))
        return FF_LATER;
    if (submission->wait_ms > 0 && write_results(submission, error) < 0)
        return -1;
    ff_json_end(&request->reply, '}');
    return FF_REPLY;
}

int ff_post_submit(struct ff_request *request, struct ff_error *error)
{
    if (request->again)
        return reply(request, error);
    struct submission *submission = calloc(1, sizeof *submission);
    if (submission == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the submission");
    request->work = submission;
    request->work_destroy = destroy_submission;
    submission->request = request;
    ff_resources_default(&submission->resources, &request->service->config);
    if (ff_request_number(request, "wait_ms", 0, FF_LONG_POLL_MS, 0, &submission->wait_ms, error) <
            0 ||
        read_body(submission, error) < 0 || read_header_key(submission, error) < 0 ||
        find_names(submission, error) < 0 || find_group(submission, error) < 0 ||
        name_objects(submission, error) < 0 || make_batches(submission, error) < 0)
        return -1;
    drop_empty_batches(submission);
    if (submission->key[0] != '\0' &&
        ff_digest_of(ff_buffer_span(&request->body), &submission->body, error) < 0)
        return -1;
    write_reply(submission, &submission->request_id, &submission->group);
    submission->job.rows = (uint32_t)submission->count;
    submission->job.write = write_submission;
    submission->job.done = submission_done;
    if (ff_request_suspend(request, error) < 0)
        return -1;
    ff_committer_submit(request->service->committer, &submission->job);
    return FF_LATER;
}
