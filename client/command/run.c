/* farfield run */
#include "client/command/arguments.h"
#include "client/command/lifecycle.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "client/command/watch.h"
#include "client/farfield.h"
#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_WAIT_MS = 1000 };

static int add_integer(const struct ff_invocation *invocation, const char *option, const char *key,
                       int64_t low, int64_t high, json_t *resources, struct ff_error *error)
{
    int64_t value;
    if (ff_given_integer(invocation, option, low, high, 0, &value, error) < 0)
        return -1;
    if (ff_given(invocation, option))
        json_object_set_new(resources, key, json_integer(value));
    return 0;
}

static int add_priority(const struct ff_invocation *invocation, json_t *resources,
                        struct ff_error *error)
{
    static const char *const classes[] = {"live", "normal", "batch"};
    const char *priority = ff_given_text(invocation, "priority");
    if (priority == NULL)
        return 0;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(priority, classes[i]) == 0)
            return json_object_set_new(resources, "priority", json_string(priority));
    return ff_fail(error, FF_INVALID_ARGUMENT, "--priority takes live, normal or batch, not '%s'",
                   priority);
}

static json_t *read_resources(const struct ff_invocation *invocation, struct ff_error *error)
{
    json_t *resources = json_object();
    const char *limit = ff_given_text(invocation, "time-limit");
    double seconds = 0;
    if (limit != NULL && ff_parse_seconds(limit, &seconds) < 0) {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "--time-limit takes a time such as 90, 15m or 2h, not '%s'", limit);
    } else if (add_integer(invocation, "gpus", "gpus", 0, FF_NODE_DEVICES, resources, error) == 0 &&
               add_integer(invocation, "cores", "cores", 1, 4096, resources, error) == 0 &&
               add_integer(invocation, "nodes", "nodes", 1, 65536, resources, error) == 0 &&
               add_priority(invocation, resources, error) == 0 &&
               add_integer(invocation, "retries", "max_retries", 0, 100, resources, error) == 0) {
        if (limit != NULL)
            json_object_set_new(resources, "time_limit_s", json_real(seconds));
        return resources;
    }
    json_decref(resources);
    return NULL;
}

static int read_arguments(const struct ff_invocation *invocation, json_t **arguments,
                          struct ff_error *error)
{
    json_t *found = NULL;
    if (ff_arguments_read(ff_given_text(invocation, "args"), &found, error) < 0)
        return -1;
    char folder[PATH_MAX];
    int result = 0;
    if (!ff_given(invocation, "literal")) {
        if (getcwd(folder, sizeof folder) == NULL)
            result = ff_fail_errno(error, FF_IO, errno, "cannot tell the current folder");
        else
            result = ff_arguments_resolve(found, folder, error);
    }
    if (result == 0)
        *arguments = found;
    else
        json_decref(found);
    return result;
}

/* A function that is shipped and not registered yet: nothing is registered behind the user's back, but said. */
static void offer_shipped(const char *function, struct ff_error *error)
{
    if (error->code != FF_FUNCTION_NOT_FOUND || strchr(function, '/') != NULL)
        return;
    struct ff_error ignored;
    char *folder = ff_function_folder(&ignored);
    char name[NAME_MAX + 8];
    snprintf(name, sizeof name, "%.200s.so", function);
    char *path = folder != NULL ? ff_path_join(folder, name) : NULL;
    if (path != NULL && access(path, R_OK) == 0)
        ff_hint(error,
                "it comes with Farfield and is not registered yet: farfield function register %s "
                "--native %s",
                function, function);
    free(path);
    free(folder);
}

static int submit_once(struct ff_session *session, const struct ff_submission *submission,
                       json_t **accepted, struct ff_error *error)
{
    int result = ff_task_submit(session, submission, accepted, error);
    if (result < 0)
        offer_shipped(submission->function, error);
    return result;
}

/* Whether nobody wants to see anything before the result. */
static bool is_quiet(const struct ff_invocation *invocation)
{
    return !invocation->json && !ff_given(invocation, "detach") && !ff_progress_shown();
}

/* A quiet run holds the reply for a moment: most calls are one request then. Ctrl-C meanwhile leaves the task alone as
 * later on; its id comes from submitting the same again. */
static int submit(struct ff_session *session, const struct ff_invocation *invocation,
                  json_t *arguments, json_t *resources, json_t **accepted, struct ff_error *error)
{
    char key[FF_SUBMISSION_KEY_SIZE];
    json_t *payloads = json_pack("[O]", arguments);
    struct ff_submission submission = {.endpoint = ff_given_text(invocation, "endpoint"),
                                       .function = invocation->operands[0],
                                       .payloads = payloads,
                                       .idempotency_key = key,
                                       .resources = resources};
    ff_submission_key(key);
    if (is_quiet(invocation)) {
        submission.wait_ms = FIRST_WAIT_MS;
        ff_watch_interrupts(session);
    }
    int result = submit_once(session, &submission, accepted, error);
    if (result < 0 && ff_watch_interrupted()) {
        submission.wait_ms = 0;
        ff_session_set_interrupt(session, NULL);
        result = submit_once(session, &submission, accepted, error);
    }
    json_decref(payloads);
    return result;
}

/* Tells that the task was accepted: as the whole output with --detach, else as the first line. */
static int tell_accepted(const struct ff_invocation *invocation, const json_t *accepted,
                         const char *task_id, struct ff_error *error)
{
    if (!invocation->json) {
        if (ff_given(invocation, "detach"))
            printf("%s\n", task_id);
        return ff_output_flush(error);
    }
    json_t *line =
        json_pack("{s:s, s:s, s:O*, s:s, s:s}", "type", "accepted", "task_id", task_id,
                  "task_group_id", json_object_get(accepted, "task_group_id"), "function",
                  invocation->operands[0], "endpoint", ff_given_text(invocation, "endpoint"));
    int result = ff_output_json_line(line, error);
    json_decref(line);
    return result;
}

/* A command that looked for a file in its own folder, which lies here: what to write instead. */
static void tell_missed_path(const struct ff_invocation *invocation, const json_t *arguments)
{
    char folder[PATH_MAX];
    const char *path = !ff_given(invocation, "literal") && getcwd(folder, sizeof folder) != NULL
                           ? ff_arguments_missed_path(arguments, folder)
                           : NULL;
    if (path == NULL || invocation->json)
        return;
    fputs("  if the file here was meant, write \"./", stderr);
    ff_text_print(stderr, path, strlen(path));
    fputs("\"\n", stderr);
}

static int run_submitted(struct ff_session *session, const struct ff_invocation *invocation,
                         const json_t *arguments, const json_t *accepted, struct ff_error *error)
{
    const char *task_id =
        json_string_value(json_array_get(json_object_get(accepted, "task_ids"), 0));
    if (task_id == NULL)
        return ff_fail(error, FF_PROTOCOL, "the service accepted the task and gave no id");
    if (tell_accepted(invocation, accepted, task_id, error) < 0)
        return -1;
    if (ff_given(invocation, "detach"))
        return 0;
    json_t *task = json_object_get(json_object_get(accepted, "results"), task_id);
    int status;
    if (!ff_task_has_ended(task))
        status = ff_watch_task(session, task_id, invocation->json, error);
    else if (ff_task_fetch_result(session, task, error) < 0)
        status = -1;
    else
        status = ff_watch_ending(task, false, error);
    if (status == ff_error_exit_status(FF_TASK_FAILED))
        tell_missed_path(invocation, arguments);
    return status;
}

static int run_run(const struct ff_invocation *invocation, struct ff_error *error)
{
    if (ff_given_text(invocation, "endpoint") == NULL) {
        ff_fail(error, FF_INVALID_ARGUMENT, "`farfield run` needs --endpoint ENDPOINT");
        return ff_hint(error, "farfield endpoint list names them");
    }
    json_t *arguments = NULL;
    json_t *resources = read_resources(invocation, error);
    if (resources == NULL || read_arguments(invocation, &arguments, error) < 0) {
        json_decref(resources);
        return -1;
    }
    struct ff_session *session = ff_session_open(NULL, error);
    json_t *accepted = NULL;
    int status = -1;
    if (session != NULL && submit(session, invocation, arguments, resources, &accepted, error) == 0)
        status = run_submitted(session, invocation, arguments, accepted, error);
    json_decref(accepted);
    json_decref(arguments);
    json_decref(resources);
    ff_session_close(session);
    return status;
}

static const struct ff_command_option run_options[] = {
    {"endpoint", 'e', "ENDPOINT", "where it runs: an id or a name"},
    {"args", 'a', "JSON|@FILE", "its arguments ({}); @- reads standard input"},
    {"gpus", '\0', "N", "how many GPUs it gets to itself (0)"},
    {"cores", '\0', "N", "how many CPU cores it needs (those of its slot)"},
    {"nodes", '\0', "K",
     "how many whole nodes it gets; shell functions, which see FARFIELD_NODELIST (1)"},
    {"priority", '\0', "CLASS",
     "live, normal or batch: who comes first where several wait (normal)"},
    {"time-limit", '\0', "TIME", "end it when it has run for so long: 90, 15m, 2h"},
    {"retries", '\0', "N", "attempts after the first when its node is lost (2)"},
    {"detach", 'd', NULL, "print the id of the task and do not wait"},
    {"literal", '\0', NULL, "leave relative paths in the arguments as they are"},
    {NULL, '\0', NULL, NULL},
};

const struct ff_command ff_run_commands[] = {
    {.name = "run",
     .operands = "FUNCTION",
     .least = 1,
     .most = 1,
     .summary = "run a registered function on an endpoint, and wait for its result",
     .details =
         "The result goes to standard output; on a terminal, progress and log lines go to "
         "standard\n"
         "error meanwhile. Ctrl-C stops the waiting, not the task.\n"
         "\n"
         "Relative paths in the arguments are made absolute: the values of input, output,\n"
         "initial_probe and initial_object; those of mask, resume and config where they name a\n"
         "file; and every value that begins with ./ or ../ .",
     .options = run_options,
     .examples =
         "  farfield run echo --endpoint local --args '{\"hello\": \"world\"}'\n"
         "  farfield run reconstruct -e local -a '{\"input\": \"scan.cxi\", \"epochs\": 40}'\n"
         "  farfield run reconstruct -e local -a @settings.json --gpus 2 --detach\n",
     .lines = true,
     .run = run_run},
    {.name = NULL},
};
