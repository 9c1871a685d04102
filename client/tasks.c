/* Tasks: submitted, looked at, waited for, ended early. follow.c hands over what happens meanwhile. */
#include "client/session.h"

#include "protocol/core/clock.h"
#include "protocol/core/text.h"
#include "protocol/limits.h"
#include "protocol/task_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { KEY_BYTES = (FF_SUBMISSION_KEY_SIZE - 1) / 2 };

void ff_submission_key(char key[FF_SUBMISSION_KEY_SIZE])
{
    unsigned char bytes[KEY_BYTES];
    uint64_t now_ms = (uint64_t)(ff_wall_ns() / 1000000);
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort(); /* the kernel gives 16 bytes at once, or there is no randomness at all */
    /* The time comes first, so that the service finds the newest keys side by side. */
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    ff_text_hex(bytes, sizeof bytes, key);
}

static json_t *submission_body(const struct ff_submission *submission)
{
    json_t *tasks = json_object();
    json_t *body = json_object();
    json_object_set_new(tasks, submission->function, json_copy((json_t *)submission->payloads));
    json_object_set_new(body, "tasks", tasks);
    if (submission->task_group != NULL)
        json_object_set_new(body, "task_group_id", json_string(submission->task_group));
    if (submission->resources != NULL)
        json_object_set_new(body, "resource_specification", json_deep_copy(submission->resources));
    return body;
}

/* {"tasks":{FN:[…]}} with one function becomes {"task_ids":[…]}. */
static int lift_ids(json_t *reply, size_t count, struct ff_error *error)
{
    json_t *tasks = json_object_get(reply, "tasks");
    json_t *ids = json_object_iter_value(json_object_iter(tasks));
    if (json_array_size(ids) != count)
        return ff_fail(error, FF_PROTOCOL, "the service accepted %zu tasks and named %zu", count,
                       json_array_size(ids));
    json_object_set(reply, "task_ids", ids);
    json_object_del(reply, "tasks");
    return 0;
}

int ff_task_submit(struct ff_session *session, const struct ff_submission *submission,
                   json_t **accepted, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    char behind[48] = "/submit";
    char unused[FF_PATH_SIZE];
    size_t count = json_array_size(submission->payloads);
    if (count == 0 || count > FF_SUBMIT_LIMIT)
        return ff_fail(error, FF_INVALID_ARGUMENT, "a submission has 1…%d payloads, not %zu",
                       FF_SUBMIT_LIMIT, count);
    if (submission->wait_ms > 0)
        snprintf(behind, sizeof behind, "/submit?wait_ms=%d", submission->wait_ms);
    if (ff_session_path(path, "/v3/endpoints/", "endpoint", submission->endpoint, behind, error) <
            0 ||
        ff_session_path(unused, "", "function", submission->function, "", error) < 0)
        return -1;
    char key[FF_SUBMISSION_KEY_SIZE];
    ff_submission_key(key);
    json_t *body = submission_body(submission);
    json_t *reply = NULL;
    const char *chosen = submission->idempotency_key;
    int result = ff_session_exchange(session, "POST", path, body, chosen != NULL ? chosen : key,
                                     FF_REPEATABLE, submission->wait_ms, &reply, error);
    json_decref(body);
    if (result == 0)
        result = lift_ids(reply, count, error);
    if (result == 0)
        *accepted = reply;
    else
        json_decref(reply);
    return result;
}

int ff_task_show(struct ff_session *session, const char *task, int wait_ms, json_t **entry,
                 struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    char query[32] = "";
    if (wait_ms > 0)
        snprintf(query, sizeof query, "?wait_ms=%d", wait_ms);
    if (ff_session_path(path, "/v2/tasks/", "task", task, query, error) < 0)
        return -1;
    return ff_session_request(session, "GET", path, NULL, wait_ms, entry, error);
}

bool ff_task_has_ended(const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "state"));
    enum ff_task_state state;
    return name != NULL && ff_task_state_from_name(name, strlen(name), &state) == 0 &&
           ff_task_state_is_terminal(state);
}

int ff_task_fetch_result(struct ff_session *session, json_t *entry, struct ff_error *error)
{
    const json_t *object = json_object_get(entry, "result_object");
    const char *digest = json_string_value(json_object_get(object, "digest"));
    json_t *present = json_object_get(entry, "result");
    if (digest == NULL || (present != NULL && !json_is_null(present)))
        return 0;
    char *text = NULL;
    size_t size = 0;
    if (ff_object_read(session, digest, FF_RESULT_LIMIT, &text, &size, error) < 0)
        return ff_fail_prefix(error, "fetching the result: ");
    json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    free(text);
    if (value == NULL)
        return ff_fail(error, FF_PROTOCOL, "the result that the service keeps is not JSON");
    json_object_set_new(entry, "result", value);
    return 0;
}

int ff_task_wait(struct ff_session *session, const char *task, int64_t limit_ms, json_t **entry,
                 struct ff_error *error)
{
    int64_t start_ns = ff_monotonic_ns();
    for (;;) {
        int64_t passed_ms = (ff_monotonic_ns() - start_ns) / 1000000;
        int64_t left_ms = limit_ms < 0 ? FF_LONG_POLL_MS : limit_ms - passed_ms;
        if (left_ms < 0)
            left_ms = 0;
        int wait_ms = left_ms < FF_LONG_POLL_MS ? (int)left_ms : FF_LONG_POLL_MS;
        json_t *found = NULL;
        if (ff_task_show(session, task, wait_ms, &found, error) < 0)
            return -1;
        if (ff_task_has_ended(found)) {
            int result = ff_task_fetch_result(session, found, error);
            if (result == 0)
                *entry = found;
            else
                json_decref(found);
            return result;
        }
        json_decref(found);
        if (limit_ms >= 0 && left_ms == 0)
            return ff_fail(error, FF_TIMED_OUT, "task %s has not ended within %lld ms", task,
                           (long long)limit_ms);
    }
}

int ff_task_run(struct ff_session *session, const struct ff_submission *submission,
                int64_t limit_ms, json_t **entry, struct ff_error *error)
{
    int64_t start_ns = ff_monotonic_ns();
    struct ff_submission held = *submission;
    json_t *accepted = NULL;
    held.wait_ms = limit_ms < 0 || limit_ms > FF_LONG_POLL_MS ? FF_LONG_POLL_MS : (int)limit_ms;
    if (json_array_size(submission->payloads) != 1)
        return ff_fail(error, FF_INVALID_ARGUMENT, "one task is run at a time, not %zu",
                       json_array_size(submission->payloads));
    if (ff_task_submit(session, &held, &accepted, error) < 0)
        return -1;
    const char *id = json_string_value(json_array_get(json_object_get(accepted, "task_ids"), 0));
    json_t *task = json_object_get(json_object_get(accepted, "results"), id != NULL ? id : "");
    int64_t passed_ms = (ff_monotonic_ns() - start_ns) / 1000000;
    int result;
    if (id == NULL)
        result = ff_fail(error, FF_PROTOCOL, "the service accepted the task and gave no id");
    else if (!ff_task_has_ended(task))
        result = ff_task_wait(session, id,
                              limit_ms < 0           ? -1
                              : passed_ms > limit_ms ? 0
                                                     : limit_ms - passed_ms,
                              entry, error);
    else if ((result = ff_task_fetch_result(session, task, error)) == 0)
        *entry = json_incref(task);
    json_decref(accepted);
    return result;
}

int ff_task_list(struct ff_session *session, const char *query, json_t **tasks,
                 struct ff_error *error)
{
    char path[2 * FF_PATH_SIZE];
    if (query == NULL)
        snprintf(path, sizeof path, "/v2/tasks");
    else if (snprintf(path, sizeof path, "/v2/tasks?%s", query) >= (int)sizeof path)
        return ff_fail(error, FF_INVALID_ARGUMENT, "the query is too long");
    return ff_session_request(session, "GET", path, NULL, 0, tasks, error);
}

int ff_task_log(struct ff_session *session, const char *task, json_t **log, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v3/tasks/", "task", task, "/log", error) < 0)
        return -1;
    return ff_session_request(session, "GET", path, NULL, 0, log, error);
}

int ff_task_preview(struct ff_session *session, const char *task, const char *name, char **data,
                    size_t *size, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    char behind[96];
    if (!ff_text_is_name(name))
        return ff_fail(error, FF_INVALID_ARGUMENT, "'%s' cannot be the name of a preview", name);
    snprintf(behind, sizeof behind, "/previews/%s", name);
    if (ff_session_path(path, "/v3/tasks/", "task", task, behind, error) < 0)
        return -1;
    struct ff_http_request request = {
        .method = "GET", .path = path, .repeatable = true, .limit = FF_PREVIEW_LIMIT};
    struct ff_buffer answer;
    int result = ff_http_send(ff_session_http(session), &request, &answer, error);
    char *copy = result == 0 ? ff_span_copy(ff_buffer_span(&answer)) : NULL;
    if (result == 0 && copy == NULL)
        result = ff_fail(error, FF_NO_MEMORY, "no memory for the preview");
    if (result == 0) {
        *data = copy;
        *size = answer.size;
    }
    ff_buffer_dispose(&answer);
    return result;
}

static int end_early(struct ff_session *session, const char *task, const char *how, json_t **reply,
                     struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (ff_session_path(path, "/v3/tasks/", "task", task, how, error) < 0)
        return -1;
    json_t *body = json_object();
    /* Asking twice is the same as asking once. */
    int result =
        ff_session_exchange(session, "POST", path, body, NULL, FF_REPEATABLE, 0, reply, error);
    json_decref(body);
    return result;
}

int ff_task_cancel(struct ff_session *session, const char *task, json_t **reply,
                   struct ff_error *error)
{
    return end_early(session, task, "/cancel", reply, error);
}

int ff_task_stop(struct ff_session *session, const char *task, json_t **reply,
                 struct ff_error *error)
{
    return end_early(session, task, "/stop", reply, error);
}

static int results_path(char path[FF_PATH_SIZE], const char *group, int64_t after, int limit,
                        int wait_ms, struct ff_error *error)
{
    char query[128];
    snprintf(query, sizeof query, "/results?after=%lld&limit=%d&wait_ms=%d", (long long)after,
             limit, wait_ms);
    return ff_session_path(path, "/v3/taskgroups/", "task group", group, query, error);
}

int ff_group_results(struct ff_session *session, const char *group, int64_t after, int limit,
                     int wait_ms, json_t **results, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (results_path(path, group, after, limit, wait_ms, error) < 0)
        return -1;
    return ff_session_request(session, "GET", path, NULL, wait_ms, results, error);
}

int ff_group_results_text(struct ff_session *session, const char *group, int64_t after, int limit,
                          int wait_ms, char **text, size_t *size, struct ff_error *error)
{
    char path[FF_PATH_SIZE];
    if (results_path(path, group, after, limit, wait_ms, error) < 0)
        return -1;
    struct ff_http_request request = {
        .method = "GET", .path = path, .repeatable = true, .wait_ms = wait_ms};
    struct ff_buffer answer;
    int result = ff_http_send(ff_session_http(session), &request, &answer, error);
    if (result == 0 && ff_buffer_reserve(&answer, 0) == NULL)
        result = ff_fail(error, FF_NO_MEMORY, "no memory for the results");
    if (result < 0) {
        ff_buffer_dispose(&answer);
        return -1;
    }
    *size = answer.size;
    *text = (char *)answer.data;
    (*text)[*size] = '\0';
    return 0;
}
