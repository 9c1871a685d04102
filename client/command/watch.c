#include "client/command/watch.h"

#include "client/command/command.h"
#include "client/command/events.h"
#include "client/command/output.h"
#include "client/command/value_view.h"
#include "protocol/core/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 120000,
    LINE_SIZE = 1024,
    TAIL_LINES = 12,
    STATUS_FAILED = 1,
    STATUS_CANCELLED = 4
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void ff_watch_interrupts(struct ff_session *session)
{
    /* Without SA_RESTART, so that waits end; reset, so that a second Ctrl-C is the usual one. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    ff_session_set_interrupt(session, &interrupted);
}

bool ff_watch_interrupted(void)
{
    return interrupted != 0;
}

/* What a task's following has come to. */
struct watch {
    struct ff_session *session;
    const char *task_id;
    bool json;
    bool terminal; /* progress and log are shown */
    bool preview_told;
    char state[LINE_SIZE];
    json_t *result; /* the result event */
    int failed;     /* -1 when the output could not be written; then with `error` */
    struct ff_error *error;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int print_line(struct watch *watch, const json_t *event)
{
    json_t *line = ff_event_line(event, watch->task_id);
    int result = ff_output_json_line(line, watch->error);
    json_decref(line);
    return result;
}

static void show_log(const json_t *event)
{
    const json_t *text = json_object_get(event, "text");
    size_t length = json_string_length(text);
    const char *line = json_string_value(text);
    if (line == NULL)
        return;
    ff_progress_clear();
    ff_text_print(stderr, line, length);
    if (length == 0 || line[length - 1] != '\n')
        fputc('\n', stderr);
}

/* Once: later pictures come under the same command. */
static void tell_preview(struct watch *watch, const json_t *event)
{
    if (watch->preview_told)
        return;
    watch->preview_told = true;
    ff_progress_clear();
    fprintf(stderr, "a first picture is there (%s): farfield task preview %s\n",
            text_of(event, "name"), watch->task_id);
}

static void show_event(struct watch *watch, const json_t *event)
{
    const char *type = text_of(event, "type");
    char line[LINE_SIZE];
    if (strcmp(type, "log") == 0) {
        show_log(event);
    } else if (strcmp(type, "progress") == 0) {
        ff_event_progress_text(event, true, line, sizeof line);
        if (line[0] != '\0')
            snprintf(watch->state, sizeof watch->state, "%s", line);
    } else if (strcmp(type, "preview") == 0) {
        tell_preview(watch, event);
    } else if (strcmp(type, "state") == 0) {
        ff_event_state_text(event, watch->state, sizeof watch->state);
    }
    ff_progress_show(watch->state);
}

static int on_event(void *user, const json_t *event)
{
    struct watch *watch = user;
    if (strcmp(text_of(event, "type"), "result") == 0) {
        watch->result = json_deep_copy(event);
        if (watch->result == NULL) {
            watch->failed = ff_fail(watch->error, FF_NO_MEMORY, "no memory for the result");
            return 1;
        }
        /* Printed after the following, when a result that travels as an object has been fetched. */
        return 0;
    }
    if (watch->json)
        watch->failed = print_line(watch, event);
    else if (watch->terminal)
        show_event(watch, event);
    return watch->failed;
}

static void on_trouble(void *user, const struct ff_error *error)
{
    struct watch *watch = user;
    if (!watch->terminal)
        return;
    char line[LINE_SIZE];
    if (error != NULL)
        snprintf(line, sizeof line, "waiting for the service: %s", error->message);
    else
        snprintf(line, sizeof line, "%s", watch->state);
    ff_progress_show(line);
}

int ff_watch_status(const json_t *entry)
{
    const char *state = text_of(entry, "state");
    return strcmp(state, "success") == 0     ? 0
           : strcmp(state, "cancelled") == 0 ? STATUS_CANCELLED
                                             : STATUS_FAILED;
}

/* The value that a shell function gives: its own standard output is then the output. */
static const json_t *shell_output(const json_t *result)
{
    static const char *const keys[] = {"exit_status", "stderr", "stdout_bytes", "stderr_bytes"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(result, keys[i]) == NULL)
            return NULL;
    const json_t *output = json_object_get(result, "stdout");
    return json_is_string(output) ? output : NULL;
}

int ff_watch_value(const json_t *value, struct ff_error *error)
{
    if (!isatty(STDOUT_FILENO))
        return ff_output_json(value, error);
    if (ff_value_show(stdout, value, ff_output_columns(STDOUT_FILENO), error) < 0)
        return -1;
    return ff_output_flush(error);
}

static int print_result(const json_t *result, bool shown, struct ff_error *error)
{
    const json_t *output = shell_output(result);
    if (output != NULL) {
        if (!shown)
            ff_text_print(stdout, json_string_value(output), json_string_length(output));
        return ff_output_flush(error);
    }
    if (!json_is_string(result))
        return ff_watch_value(result, error);
    ff_text_print(stdout, json_string_value(result), json_string_length(result));
    fputc('\n', stdout);
    return ff_output_flush(error);
}

/* The last lines of the log that came with an error. */
static void print_tail(const char *tail)
{
    const char *start = tail + strlen(tail);
    for (int lines = 0; start > tail; start--)
        if (start[-1] == '\n' && start[0] != '\0' && ++lines == TAIL_LINES)
            break;
    if (*start == '\0')
        return;
    fputs("  the end of its log:\n", stderr);
    while (*start != '\0') {
        size_t length = strcspn(start, "\n");
        fputs("    ", stderr);
        ff_text_print(stderr, start, length);
        fputc('\n', stderr);
        start += length + (start[length] == '\n');
    }
}

static void print_failure(const json_t *entry, bool shown)
{
    const json_t *why = json_object_get(entry, "error");
    bool cancelled = strcmp(text_of(entry, "state"), "cancelled") == 0;
    const char *message = text_of(why, "message");
    if (message[0] == '\0')
        message = text_of(entry, "exception");
    char attempts[48] = "";
    json_int_t attempt = json_integer_value(json_object_get(entry, "attempt"));
    if (attempt > 1)
        snprintf(attempts, sizeof attempts, " after %lld attempts", (long long)attempt);
    struct ff_error error;
    if (cancelled)
        ff_fail(&error, FF_TASK_CANCELLED, "the task was cancelled");
    else
        ff_fail(&error, FF_TASK_FAILED, "the task failed%s: %s", attempts, message);
    if (!cancelled && text_of(why, "hint")[0] != '\0')
        ff_hint(&error, "%s", text_of(why, "hint"));
    ff_output_error(&error);
    if (!shown && !cancelled)
        print_tail(text_of(why, "log_tail"));
}

/* "done in 1.93 s: 1.88 s computing (97 %), 52 ms for everything else", on a terminal. */
static void print_times(const json_t *entry)
{
    const json_t *timings = json_object_get(entry, "timings");
    double total = json_number_value(json_object_get(timings, "total_ms")) / 1000;
    double run = json_number_value(json_object_get(timings, "run_ms")) / 1000;
    if (!isatty(STDERR_FILENO) || total <= 0)
        return;
    char whole[32];
    char computing[32];
    char rest[32];
    ff_text_duration(total, whole, sizeof whole);
    ff_text_duration(run, computing, sizeof computing);
    ff_text_duration(total > run ? total - run : 0, rest, sizeof rest);
    fprintf(stderr, "done in %s: %s running (%.0f %%), %s for everything else\n", whole, computing,
            100 * run / total, rest);
}

int ff_watch_ending(const json_t *entry, bool shown, struct ff_error *error)
{
    ff_progress_clear();
    const json_t *result = json_object_get(entry, "result");
    int status = ff_watch_status(entry);
    /* A command that failed has output, too. */
    if (result != NULL && (status == 0 || !json_is_null(result)) &&
        print_result(result, shown && isatty(STDOUT_FILENO), error) < 0)
        return -1;
    if (status != 0)
        print_failure(entry, shown);
    else
        print_times(entry);
    return status;
}

static int finish(struct watch *watch)
{
    if (ff_task_fetch_result(watch->session, watch->result, watch->error) < 0)
        return -1;
    if (!watch->json)
        return ff_watch_ending(watch->result, watch->terminal, watch->error);
    return print_line(watch, watch->result) < 0 ? -1 : ff_watch_status(watch->result);
}

static int detach(const char *task_id)
{
    ff_progress_clear();
    fprintf(stderr,
            "left alone; the task goes on: %s\n"
            "  follow it again: farfield task watch %s\n"
            "  end it:          farfield task cancel %s\n",
            task_id, task_id, task_id);
    return FF_EXIT_INTERRUPTED;
}

int ff_watch_task(struct ff_session *session, const char *task_id, bool json,
                  struct ff_error *error)
{
    struct watch watch = {.session = session,
                          .task_id = task_id,
                          .json = json,
                          .terminal = !json && ff_progress_shown(),
                          .error = error};
    struct ff_follower follower = {
        .event = on_event, .trouble = on_trouble, .user = &watch, .patience_ms = PATIENCE_MS};
    ff_watch_interrupts(session);
    int status = ff_task_follow(session, task_id, &follower, error);
    if (ff_watch_interrupted())
        status = detach(task_id);
    else if (status == 0)
        status = finish(&watch);
    else
        status = -1;
    ff_progress_clear();
    json_decref(watch.result);
    return status;
}
