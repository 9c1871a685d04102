/* farfield task list|show|watch|result|logs|preview|cancel|stop */
#include "client/command/events.h"
#include "client/command/listing.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/command/preview.h"
#include "client/command/watch.h"
#include "client/farfield.h"
#include "protocol/core/text.h"
#include "protocol/task_state.h"

#include <string.h>
#include <unistd.h>

enum { LIST_LINES = 20, LINE_SIZE = 1024, WAIT_MS = 25000 };

static int add_row(struct ff_table *table, const json_t *task, struct ff_error *error)
{
    char submitted[FF_SHORT_TIME_SIZE];
    char note[LINE_SIZE] = "";
    const char *why = ff_output_text_of(task, "waiting_because");
    const json_t *progress = json_object_get(task, "progress");
    ff_output_time(ff_output_text_of(task, "submitted"), submitted);
    if (why == NULL && json_is_object(json_object_get(task, "error")) &&
        strcmp(ff_output_text_of(task, "state"), "failed") == 0)
        why = ff_output_text_of(json_object_get(task, "error"), "message");
    if (why != NULL)
        snprintf(note, sizeof note, "%.*s", (int)strcspn(why, "\n"), why);
    else if (json_is_object(progress) && !ff_task_has_ended(task))
        ff_event_progress_text(progress, false, note, sizeof note);
    const char *const cells[] = {ff_output_text_of(task, "task_id"),
                                 ff_output_text_of(task, "function"),
                                 ff_output_text_of(task, "endpoint"),
                                 ff_output_text_of(task, "state"),
                                 submitted,
                                 note[0] != '\0' ? note : " "};
    return ff_table_add(table, cells, error);
}

static int print_tasks(const json_t *reply, struct ff_error *error)
{
    static const char *const titles[] = {"TASK",  "FUNCTION",  "ENDPOINT",
                                         "STATE", "SUBMITTED", "NOTE"};
    const char *older = ff_output_text_of(reply, "next_before");
    const struct ff_listing listing = {.entries = "tasks",
                                       .titles = titles,
                                       .columns = 6,
                                       .row = add_row,
                                       .nothing = older != NULL ? "none among the newest tasks"
                                                                : "no tasks"};
    int result = ff_listing_print(&listing, reply, error);
    if (result == 0 && older != NULL)
        printf("and older ones: --before %s\n", older);
    return result;
}

static int unknown_state(const char *given, struct ff_error *error)
{
    const char *names[FF_TASK_STATE_COUNT];
    char all[256] = "";
    size_t used = 0;
    for (int i = 0; i < FF_TASK_STATE_COUNT; i++) {
        names[i] = ff_task_state_name((enum ff_task_state)i);
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? " " : "", names[i]);
    }
    ff_fail(error, FF_INVALID_ARGUMENT, "no task has the state '%s'", given);
    const char *nearest = ff_text_nearest(given, names, FF_TASK_STATE_COUNT);
    return nearest != NULL ? ff_hint(error, "did you mean %s?", nearest)
                           : ff_hint(error, "states: %s", all);
}

static int make_query(const struct ff_invocation *invocation, char *query, size_t size,
                      struct ff_error *error)
{
    static const char *const filters[] = {"state", "function", "endpoint", "before"};
    int64_t limit;
    if (ff_given_integer(invocation, "limit", 1, 1000, LIST_LINES, &limit, error) < 0)
        return -1;
    const char *state = ff_given_text(invocation, "state");
    enum ff_task_state found;
    if (state != NULL && ff_task_state_from_name(state, strlen(state), &found) < 0)
        return unknown_state(state, error);
    size_t used = (size_t)snprintf(query, size, "limit=%lld", (long long)limit);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *value = ff_given_text(invocation, filters[i]);
        if (value == NULL)
            continue;
        if (!ff_text_is_name(value))
            return ff_fail(error, FF_INVALID_ARGUMENT,
                           "--%s takes an id or a name, which '%s' cannot be", filters[i], value);
        used += (size_t)snprintf(query + used, size - used, "&%s=%s", filters[i], value);
    }
    return 0;
}

static int run_list(const struct ff_invocation *invocation, struct ff_error *error)
{
    char query[384];
    if (make_query(invocation, query, sizeof query, error) < 0)
        return -1;
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *reply = NULL;
    int result = ff_task_list(session, query, &reply, error);
    if (result == 0)
        result = invocation->json ? ff_output_json(reply, error) : print_tasks(reply, error);
    json_decref(reply);
    ff_session_close(session);
    return result;
}

/* What a script may rely on is always there, null where there is nothing to say. */
static void complete_entry(json_t *task)
{
    static const char *const keys[] = {"task_id", "function", "endpoint", "status",
                                       "state",   "attempt",  "progress", "waiting_because",
                                       "result",  "error",    "timings"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(task, keys[i]) == NULL)
            json_object_set_new(task, keys[i], json_null());
}

static void print_timings(const json_t *timings)
{
    static const char *const keys[] = {"queued_ms", "launch_ms", "run_ms", "total_ms"};
    static const char *const names[] = {"queued", "launched", "ran", "total"};
    char line[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(timings, keys[i]);
        if (!json_is_number(value))
            continue;
        char text[32];
        ff_text_duration(json_number_value(value) / 1000, text, sizeof text);
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s %s", used > 0 ? ", " : "",
                                 names[i], text);
    }
    ff_output_field(stdout, "times", line);
}

static void print_number(const char *name, const json_t *value)
{
    char text[32];
    if (!json_is_integer(value))
        return;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    ff_output_field(stdout, name, text);
}

static void print_list(const char *name, const json_t *list)
{
    char line[LINE_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(list) && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", i > 0 ? " " : "",
                                 json_string_value(json_array_get(list, i)));
    ff_output_field(stdout, name, line);
}

static void print_error(const json_t *error)
{
    if (!json_is_object(error))
        return;
    char line[LINE_SIZE];
    snprintf(line, sizeof line, "%s: %s", ff_output_text_of(error, "code"),
             ff_output_text_of(error, "message"));
    ff_output_field(stdout, "error", line);
    ff_output_field(stdout, "hint", ff_output_text_of(error, "hint"));
}

static int print_task(const json_t *task, struct ff_error *error)
{
    char line[LINE_SIZE] = "";
    ff_output_field(stdout, "task", ff_output_text_of(task, "task_id"));
    ff_output_field(stdout, "function", ff_output_text_of(task, "function"));
    ff_output_field(stdout, "endpoint", ff_output_text_of(task, "endpoint"));
    ff_output_field(stdout, "state", ff_output_text_of(task, "state"));
    ff_output_field(stdout, "waits for", ff_output_text_of(task, "waiting_because"));
    ff_output_field(stdout, "priority", ff_output_text_of(task, "priority"));
    print_number("attempt", json_object_get(task, "attempt"));
    if (json_is_object(json_object_get(task, "progress")))
        ff_event_progress_text(json_object_get(task, "progress"), true, line, sizeof line);
    ff_output_field(stdout, "progress", line);
    ff_output_field(stdout, "node", ff_output_text_of(task, "node"));
    print_list("GPUs", json_object_get(task, "devices"));
    print_list("previews", json_object_get(task, "previews"));
    ff_output_time(ff_output_text_of(task, "submitted"), line);
    ff_output_field(stdout, "submitted", line);
    print_timings(json_object_get(task, "timings"));
    print_error(json_object_get(task, "error"));
    const json_t *result = json_object_get(task, "result");
    if (result == NULL || json_is_null(result))
        return ff_output_flush(error);
    fputs(isatty(STDOUT_FILENO) ? "\nresult\n" : "result        ", stdout);
    return ff_watch_value(result, error);
}

static int run_show(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *task = NULL;
    int result = ff_task_show(session, invocation->operands[0], 0, &task, error);
    if (result == 0)
        result = ff_task_fetch_result(session, task, error);
    if (result == 0 && invocation->json) {
        complete_entry(task);
        result = ff_output_json(task, error);
    } else if (result == 0) {
        result = print_task(task, error);
    }
    json_decref(task);
    ff_session_close(session);
    return result;
}

static int run_watch(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    int status = ff_watch_task(session, invocation->operands[0], invocation->json, error);
    ff_session_close(session);
    return status;
}

static int get_result(struct ff_session *session, const struct ff_invocation *invocation,
                      json_t **task, struct ff_error *error)
{
    const char *id = invocation->operands[0];
    if (!ff_given(invocation, "no-wait"))
        return ff_task_wait(session, id, -1, task, error);
    json_t *found = NULL;
    if (ff_task_show(session, id, 0, &found, error) < 0)
        return -1;
    int result = 0;
    if (!ff_task_has_ended(found)) {
        ff_fail(error, FF_BUSY, "the task has no result yet: it is %s",
                ff_output_text_of(found, "state"));
        result = ff_hint(error, "wait for it: farfield task result %s", id);
    } else {
        result = ff_task_fetch_result(session, found, error);
    }
    if (result == 0)
        *task = found;
    else
        json_decref(found);
    return result;
}

static int run_result(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    ff_watch_interrupts(session);
    json_t *task = NULL;
    int status = get_result(session, invocation, &task, error);
    if (ff_watch_interrupted()) {
        status = FF_EXIT_INTERRUPTED;
    } else if (status == 0 && invocation->json) {
        complete_entry(task);
        status = ff_output_json(task, error) < 0 ? -1 : ff_watch_status(task);
    } else if (status == 0) {
        status = ff_watch_ending(task, false, error);
    }
    json_decref(task);
    ff_session_close(session);
    return status;
}

/* Prints log events as they come, until the task has ended. */
struct log_follower {
    bool json;
    struct ff_error *error;
};

static int on_log_event(void *user, const json_t *event)
{
    const struct log_follower *follower = user;
    const char *type = ff_output_text_of(event, "type");
    const json_t *text = json_object_get(event, "text");
    if (type == NULL || strcmp(type, "log") != 0 || !json_is_string(text))
        return 0;
    if (follower->json) {
        json_t *line = ff_event_line(event, "");
        int result = ff_output_json_line(line, follower->error);
        json_decref(line);
        return result;
    }
    size_t length = json_string_length(text);
    ff_text_print(stdout, json_string_value(text), length);
    if (length == 0 || json_string_value(text)[length - 1] != '\n')
        putchar('\n');
    return ff_output_flush(follower->error);
}

static int print_log(struct ff_session *session, const char *task, bool json,
                     struct ff_error *error)
{
    json_t *log = NULL;
    if (ff_task_log(session, task, &log, error) < 0)
        return -1;
    const json_t *text = json_object_get(log, "text");
    size_t length = json_string_length(text);
    int result = 0;
    if (json) {
        result = ff_output_json_line(log, error);
    } else if (length > 0) {
        if (json_is_true(json_object_get(log, "truncated")))
            fputs("(only the end of the log is kept)\n", stderr);
        ff_text_print(stdout, json_string_value(text), length);
        if (json_string_value(text)[length - 1] != '\n')
            putchar('\n');
        result = ff_output_flush(error);
    }
    json_decref(log);
    return result;
}

static int follow_log(struct ff_session *session, const char *task, bool json,
                      struct ff_error *error)
{
    struct log_follower own = {.json = json, .error = error};
    struct ff_follower follower = {.event = on_log_event, .user = &own, .patience_ms = WAIT_MS};
    json_t *skipped = NULL;
    /* Where the events stand now, then the text until about now, then what comes. */
    if (ff_task_events(session, task, &follower.start, 0, &skipped, error) < 0)
        return -1;
    bool ended = false;
    for (size_t i = 0; i < json_array_size(skipped); i++) {
        const char *type = ff_output_text_of(json_array_get(skipped, i), "type");
        ended = ended || (type != NULL && strcmp(type, "result") == 0);
    }
    json_decref(skipped);
    if (print_log(session, task, json, error) < 0)
        return -1;
    if (ended)
        return 0;
    ff_watch_interrupts(session);
    int result = ff_task_follow(session, task, &follower, error);
    if (ff_watch_interrupted())
        return FF_EXIT_INTERRUPTED;
    return result == 0 ? 0 : -1;
}

static int run_logs(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    const char *task = invocation->operands[0];
    int status = ff_given(invocation, "follow") ? follow_log(session, task, invocation->json, error)
                                                : print_log(session, task, invocation->json, error);
    ff_session_close(session);
    return status;
}

static int end_early(const struct ff_invocation *invocation,
                     int (*ask)(struct ff_session *, const char *, json_t **, struct ff_error *),
                     struct ff_error *error)
{
    struct ff_session *session = ff_session_open(NULL, error);
    if (session == NULL)
        return -1;
    json_t *reply = NULL;
    int result = ask(session, invocation->operands[0], &reply, error);
    if (result == 0 && invocation->json) {
        result = ff_output_json(reply, error);
    } else if (result == 0) {
        const char *message = ff_output_text_of(reply, "message");
        if (message != NULL && message[0] != '\0')
            printf("%s\n", message);
        else
            printf("the task is %s\n", ff_output_text_of(reply, "state"));
    }
    json_decref(reply);
    ff_session_close(session);
    return result;
}

static int run_cancel(const struct ff_invocation *invocation, struct ff_error *error)
{
    return end_early(invocation, ff_task_cancel, error);
}

static int run_stop(const struct ff_invocation *invocation, struct ff_error *error)
{
    return end_early(invocation, ff_task_stop, error);
}

static const struct ff_command_option list_options[] = {
    {"state", '\0', "STATE", "only those in this state: running, success, failed, cancelled, …"},
    {"function", '\0', "FUNCTION", "only those of this function"},
    {"endpoint", '\0', "ENDPOINT", "only those on this endpoint"},
    {"limit", 'n', "N", "at most N (20)"},
    {"before", '\0', "TASK", "only those older than this one"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option result_options[] = {
    {"no-wait", '\0', NULL, "fail where the task has not ended yet"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command_option logs_options[] = {
    {"follow", 'f', NULL, "go on with what is added, until the task has ended"},
    {NULL, '\0', NULL, NULL},
};

#define ONE_TASK .group = "task", .operands = "TASK", .least = 1, .most = 1

const struct ff_command ff_task_commands[] = {
    {.group = "task",
     .name = "list",
     .operands = "",
     .summary = "list tasks, the newest first",
     .options = list_options,
     .examples = "  farfield task list --state running\n"
                 "  farfield task list --function reconstruct -n 100 --json\n",
     .run = run_list},
    {ONE_TASK, .name = "show",
     .summary = "tell all about a task: state, why it waits, progress, times, result",
     .examples = "  farfield task show TASK\n"
                 "  farfield task show TASK --json | jq .timings\n",
     .run = run_show},
    {ONE_TASK, .name = "watch", .summary = "follow a task to its end, and print its result",
     .details =
         "The exit status tells how it ended: 0 success, 1 failed, 4 cancelled. Ctrl-C stops the\n"
         "watching, not the task.",
     .examples = "  farfield task watch TASK\n"
                 "  farfield task watch TASK --json | grep epoch\n",
     .lines = true, .run = run_watch},
    {ONE_TASK, .name = "result", .summary = "print the result of a task, once it has ended",
     .options = result_options, .examples = "  farfield task result TASK > result.json\n",
     .run = run_result},
    {ONE_TASK, .name = "logs", .summary = "print what a task logged", .options = logs_options,
     .examples = "  farfield task logs -f TASK\n", .lines = true, .run = run_logs},
    {.group = "task",
     .name = "preview",
     .operands = "TASK [NAME]",
     .least = 1,
     .most = 2,
     .summary = "save the newest picture that a task has published",
     .options = ff_preview_options,
     .examples = "  farfield task preview TASK\n"
                 "  farfield task preview TASK phase.png --output now.png\n",
     .run = ff_preview_save},
    {ONE_TASK, .name = "cancel", .summary = "end a task now, without a result",
     .examples = "  farfield task cancel TASK\n", .run = run_cancel},
    {ONE_TASK, .name = "stop",
     .summary = "ask a running task to end soon and to keep what it has reached",
     .details = "A reconstruction ends at its next epoch and writes its result.",
     .examples = "  farfield task stop TASK\n", .run = run_stop},
    {.name = NULL},
};
