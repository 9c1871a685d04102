#include "worker/host.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/json_scan.h"
#include "protocol/core/text.h"
#include "worker/scratch.h"
#include "worker/tree.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASK_ENVIRONMENT_SIZE = 64 };

struct ff_host {
    struct ff_call call; /* first: the function sees this */
    struct ff_runner_link *link;
    struct ff_turn *turn;
    struct ff_host_setup setup;
    struct ff_scratch *scratch;
    struct ff_buffer frame;

    /* of the call that runs */
    struct ff_invocation invocation;
    uint32_t serial;
    struct ff_call_facts facts;
    char task_id[FF_ID_TEXT_SIZE];
    char environment
        [TASK_ENVIRONMENT_SIZE]; /* "FARFIELD_TASK_ID=…": the process's environment points here */
    struct ff_buffer arguments;
    struct ff_buffer body;
    struct ff_buffer value;
    bool has_value;
    int ended;               /* what the function ended with, of enum ff_call_outcome; -1 */
    struct ff_error failure; /* when ended is FF_OUTCOME_FAILURE or FF_OUTCOME_LOST */
    char code
        [FF_NAME_LIMIT]; /* of the failure: a function may use codes that this version does not know */
};

static struct ff_host *host_of(struct ff_call *call)
{
    return (struct ff_host *)call;
}

/* ---- what the function calls ---- */

static const struct ff_call_facts *host_facts(struct ff_call *call)
{
    return &host_of(call)->facts;
}

static int host_should_stop(struct ff_call *call)
{
    const struct ff_host *host = host_of(call);
    return ff_turn_asked(host->turn, host->serial);
}

static void host_progress(struct ff_call *call, double fraction, const char *numbers)
{
    struct ff_host *host = host_of(call);
    struct ff_progress progress = {
        .task = host->invocation.task,
        .attempt = host->invocation.attempt,
        .fraction = isfinite(fraction) ? fraction : -1.0,
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    /* Numbers that are not JSON would cost the user the whole event. */
    if (numbers != NULL && strlen(numbers) <= FF_TEXT_LIMIT &&
        ff_json_check(ff_span_of(numbers), NULL) == 0)
        progress.numbers = ff_span_of(numbers);
    ff_runner_link_progress(host->link, &progress);
}

static void host_log(struct ff_call *call, int level, const char *text)
{
    struct ff_host *host = host_of(call);
    struct ff_encoder encoder;
    struct ff_line line = {
        .task = host->invocation.task,
        .attempt = host->invocation.attempt,
        .level = (uint64_t)(level < FF_CALL_DEBUG   ? FF_CALL_DEBUG
                            : level > FF_CALL_ERROR ? FF_CALL_ERROR
                                                    : level),
        .text = ff_span_of(text),
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    ff_encode_begin(&encoder, &host->frame, FF_MSG_LOG);
    ff_encode_line(&encoder, &line);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_runner_link_send(host->link, ff_buffer_span(&host->frame));
}

static void host_preview(struct ff_call *call, const char *name, const char *media_type,
                         const void *data, size_t size)
{
    struct ff_host *host = host_of(call);
    char warning[192];
    if (name == NULL || !ff_text_is_name(name) || size > FF_PREVIEW_LIMIT) {
        snprintf(warning, sizeof warning,
                 "the preview %.80s of %zu bytes is dropped: names are 1 to 64 of [A-Za-z0-9._-], "
                 "and at most %d bytes travel",
                 name != NULL ? name : "without a name", size, FF_PREVIEW_LIMIT);
        host_log(call, FF_CALL_WARNING, warning);
        return;
    }
    struct ff_encoder encoder;
    struct ff_preview preview = {
        .task = host->invocation.task,
        .attempt = host->invocation.attempt,
        .name = ff_span_of(name),
        .media_type = ff_span_of(media_type),
        .data = {data, size},
        .time_ns = (uint64_t)ff_wall_ns(),
    };
    ff_encode_begin(&encoder, &host->frame, FF_MSG_PREVIEW);
    ff_encode_preview(&encoder, &preview);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_runner_link_send(host->link, ff_buffer_span(&host->frame));
}

static int end_with(struct ff_host *host, int ended, const char *code, const char *message,
                    const char *hint)
{
    ff_fail(&host->failure, FF_TASK_FAILED, "%s", message != NULL ? message : "");
    ff_hint(&host->failure, "%s", hint != NULL ? hint : "");
    snprintf(host->code, sizeof host->code, "%s",
             code != NULL && code[0] != '\0' ? code : ff_error_name(FF_TASK_FAILED));
    host->ended = ended;
    return ended;
}

static int fail_with(struct ff_host *host, const struct ff_error *error)
{
    return end_with(host, FF_OUTCOME_FAILURE, ff_error_name(error->code), error->message,
                    error->hint);
}

static int host_succeed(struct ff_call *call, const char *result, size_t size)
{
    struct ff_host *host = host_of(call);
    struct ff_error error;
    struct ff_span text = {result, size};
    if (size > FF_RESULT_LIMIT) {
        ff_fail(&error, FF_RESULT_TOO_LARGE, "the function gave a result of %zu bytes; at most %d",
                size, FF_RESULT_LIMIT);
        ff_hint(&error, "write large results to a file and return its path");
        return fail_with(host, &error);
    }
    if (ff_json_check(text, &error) < 0) {
        ff_fail_prefix(&error, "the result of the function is ");
        ff_hint(&error, "ff_call_succeed takes one JSON value in UTF-8");
        return fail_with(host, &error);
    }
    ff_buffer_clear(&host->value);
    ff_buffer_append(&host->value, result, size);
    if (ff_buffer_check(&host->value, "the result", &error) < 0)
        return fail_with(host, &error);
    host->has_value = true;
    return host->ended = FF_OUTCOME_SUCCESS;
}

static int host_fail(struct ff_call *call, const char *code, const char *message, const char *hint)
{
    return end_with(host_of(call), FF_OUTCOME_FAILURE, code, message, hint);
}

static int host_yield(struct ff_call *call)
{
    struct ff_host *host = host_of(call);
    if (host_should_stop(call) == FF_CHECKPOINT)
        return host->ended = FF_OUTCOME_YIELD;
    return end_with(host, FF_OUTCOME_FAILURE, ff_error_name(FF_TASK_FAILED),
                    "the function gave the task back without having been asked to", "");
}

static int host_lost(struct ff_call *call, const char *code, const char *message, const char *hint)
{
    return end_with(host_of(call), FF_OUTCOME_LOST, code, message, hint);
}

static const struct ff_call_host host_table = {
    .abi = FF_FUNCTION_ABI,
    .size = sizeof(struct ff_call_host),
    .facts = host_facts,
    .should_stop = host_should_stop,
    .progress = host_progress,
    .preview = host_preview,
    .log = host_log,
    .succeed = host_succeed,
    .fail = host_fail,
    .yield = host_yield,
    .lost = host_lost,
};

/* ---- one call ---- */

struct ff_host *ff_host_create(struct ff_runner_link *link, struct ff_turn *turn,
                               const struct ff_host_setup *setup, struct ff_error *error)
{
    struct ff_host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a call");
        return NULL;
    }
    host->call.host = &host_table;
    host->link = link;
    host->turn = turn;
    host->setup = *setup;
    host->scratch = ff_scratch_create(setup->tasks, setup->node, error);
    if (host->scratch == NULL) {
        free(host);
        return NULL;
    }
    ff_buffer_init(&host->frame, FF_MESSAGE_LIMIT);
    ff_buffer_init(&host->arguments, FF_INLINE_LIMIT);
    ff_buffer_init(&host->body, FF_INLINE_LIMIT);
    ff_buffer_init(&host->value, FF_RESULT_LIMIT);
    return host;
}

static int take_arguments(struct ff_host *host, char **from_file, struct ff_error *error)
{
    const struct ff_invocation *invocation = &host->invocation;
    struct ff_call_facts *facts = &host->facts;
    if (invocation->arguments_path.size == 0) {
        ff_buffer_clear(&host->arguments);
        ff_buffer_append(&host->arguments, invocation->arguments.data, invocation->arguments.size);
        facts->arguments = ff_buffer_text(&host->arguments);
        facts->arguments_size = host->arguments.size;
        return ff_buffer_check(&host->arguments, "the arguments", error);
    }
    char *path = ff_span_copy(invocation->arguments_path);
    if (path == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    int result = ff_file_read(path, FF_OBJECT_LIMIT, from_file, &facts->arguments_size, error);
    free(path);
    facts->arguments = *from_file;
    return result;
}

/* The nodes of the call, for its command. */
static int tell_nodes(struct ff_span list, struct ff_error *error)
{
    if (list.size == 0)
        return unsetenv("FARFIELD_NODELIST");
    char *text = ff_span_copy(list);
    int result = text != NULL ? setenv("FARFIELD_NODELIST", text, 1) : -1;
    free(text);
    return result == 0 ? 0 : ff_fail(error, FF_NO_MEMORY, "no memory for the names of the nodes");
}

static int prepare(struct ff_host *host, char **from_file, struct ff_error *error)
{
    const struct ff_invocation *invocation = &host->invocation;
    if (ff_scratch_enter(host->scratch, invocation->scratch, invocation->checkpoint, error) < 0)
        return -1;
    ff_buffer_clear(&host->body);
    ff_buffer_append(&host->body, invocation->body.data, invocation->body.size);
    host->facts = (struct ff_call_facts){
        .size = sizeof host->facts,
        .attempt = (uint32_t)invocation->number,
        .task_id = host->task_id,
        .scratch_folder = ff_scratch_path(host->scratch),
        .checkpoint_path = ff_scratch_checkpoint(host->scratch),
        .cache_folder = host->setup.cache,
        .cores = host->setup.cores,
        .core_count = host->setup.core_count,
        .device_count = host->setup.device_count,
        .devices = host->setup.devices,
        .seconds_left = invocation->time_limit_ms > 0 ? 1e-3 * (double)invocation->time_limit_ms
                                                      : (double)INFINITY,
        .body = invocation->body.size > 0 ? ff_buffer_text(&host->body) : NULL,
    };
    snprintf(host->environment, sizeof host->environment, "FARFIELD_TASK_ID=%s", host->task_id);
    putenv(host->environment); /* points here, so that no value is leaked with each call */
    if (tell_nodes(invocation->node_list, error) < 0)
        return -1;
    return take_arguments(host, from_file, error);
}

static void judge(struct ff_host *host, int returned)
{
    struct ff_error error;
    if (host->ended == returned)
        return;
    if (host->ended < 0)
        ff_fail(&error, FF_TASK_FAILED, "the function returned %d without giving a result",
                returned);
    else
        ff_fail(&error, FF_TASK_FAILED, "the function ended with %d and returned %d", host->ended,
                returned);
    ff_hint(&error, "return what ff_call_succeed, ff_call_fail or ff_call_yield returned");
    fail_with(host, &error);
}

static void send_outcome(struct ff_host *host, int64_t run_ns)
{
    struct ff_encoder encoder;
    struct ff_outcome outcome = {
        .task = host->invocation.task,
        .attempt = host->invocation.attempt,
        .state = host->ended == FF_OUTCOME_SUCCESS ? FF_TASK_SUCCESS : FF_TASK_FAILED_STATE,
        .run_us = (uint64_t)(run_ns / 1000),
        .ended_ns = (uint64_t)ff_wall_ns(),
    };
    if (host->has_value)
        outcome.value = ff_buffer_span(&host->value);
    if (host->ended == FF_OUTCOME_YIELD) {
        outcome.lost = outcome.uncharged = true;
        outcome.code = ff_span_of(ff_error_name(FF_MANAGER_LOST));
        outcome.message = ff_span_of("the function wrote its checkpoint and gave the task back");
    } else if (host->ended != FF_OUTCOME_SUCCESS) {
        outcome.lost = host->ended == FF_OUTCOME_LOST;
        outcome.code = ff_span_of(host->code);
        outcome.message = ff_span_of(host->failure.message);
        outcome.hint = ff_span_of(host->failure.hint);
    }
    ff_encode_begin(&encoder, &host->frame, FF_MSG_OUTCOMES);
    ff_encode_outcome(&encoder, &outcome);
    if (ff_encode_end(&encoder, NULL) == 0)
        ff_runner_link_send(host->link, ff_buffer_span(&host->frame));
}

/* What the function left running. Asked first, by one call, whether there is anything. */
static void end_leftovers(void)
{
    bool killed = false;
    pid_t pid;
    while ((pid = waitpid(-1, NULL, killed ? 0 : WNOHANG)) >= 0 || errno == EINTR) {
        if (pid == 0) {
            ff_tree_kill(getpid());
            killed = true;
        }
    }
}

void ff_host_run(struct ff_host *host, const struct ff_invocation *invocation)
{
    struct ff_error error;
    char *from_file = NULL;
    host->invocation = *invocation;
    host->serial = (uint32_t)invocation->serial;
    host->ended = -1;
    host->has_value = false;
    ff_id_text(&invocation->task, host->task_id);
    int64_t start_ns = ff_monotonic_ns();
    if (prepare(host, &from_file, &error) < 0)
        fail_with(host, &error);
    else
        judge(host, host->setup.function->invoke(&host->call));
    int64_t run_ns = ff_monotonic_ns() - start_ns;
    fflush(NULL);
    free(from_file);
    end_leftovers();
    ff_scratch_leave(host->scratch, host->task_id);
    ff_runner_link_flush_progress(host->link);
    send_outcome(host, run_ns);
}
