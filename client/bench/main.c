/* farfield bench dispatch */
#include "client/bench/bench.h"
#include "client/command/help.h"
#include "client/command/output.h"
#include "client/command/parse.h"
#include "protocol/core/text.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 20000, CALLS = 2000, IDLE_SECONDS = 60, TEXT_SIZE = 512 };

static void text_cold(const json_t *line, char *text, size_t size)
{
    snprintf(text, size, "first result of a fresh endpoint after %.1f ms",
             json_number_value(json_object_get(line, "first_result_ms")));
}

static void text_single(const json_t *line, char *text, size_t size)
{
    snprintf(text, size,
             "p50 %.3f ms, p90 %.3f ms, p99 %.3f ms over %lld calls (a sync of the disk: %.3f ms)",
             json_number_value(json_object_get(line, "p50_ms")),
             json_number_value(json_object_get(line, "p90_ms")),
             json_number_value(json_object_get(line, "p99_ms")),
             (long long)json_integer_value(json_object_get(line, "calls")),
             1e-3 * json_number_value(json_object_get(line, "sync_us")));
}

static void text_batch(const json_t *line, char *text, size_t size)
{
    snprintf(text, size, "%.0f tasks/s over %lld tasks",
             json_number_value(json_object_get(line, "tasks_per_second")),
             (long long)json_integer_value(json_object_get(line, "tasks")));
}

static void text_kill(const json_t *line, char *text, size_t size)
{
    snprintf(text, size, "running again %.1f ms after kill -9 of its runner",
             json_number_value(json_object_get(line, "running_again_ms")));
}

static void text_idle(const json_t *line, char *text, size_t size)
{
    char service[32];
    char endpoint[32];
    char all[32];
    const json_t *bytes = json_object_get(line, "service_bytes");
    ff_text_bytes((uint64_t)json_integer_value(bytes), service, sizeof service);
    bytes = json_object_get(line, "endpoint_bytes");
    ff_text_bytes((uint64_t)json_integer_value(bytes), endpoint, sizeof endpoint);
    bytes = json_object_get(line, "total_pss_bytes");
    ff_text_bytes((uint64_t)json_integer_value(bytes), all, sizeof all);
    size_t used = (size_t)snprintf(text, size,
                                   "service %s, endpoint %s resident; all together %s (PSS); "
                                   "wake-ups a minute:",
                                   service, endpoint, all);
    const char *name;
    json_t *count;
    json_object_foreach(json_object_get(line, "wakeups_per_minute"), name, count)
    {
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, " %s %.0f", name,
                                     json_number_value(count));
    }
}

static const struct {
    const char *name;
    ff_bench_mode *run;
    void (*text)(const json_t *line, char *text, size_t size);
} modes[] = {
    {"cold", ff_bench_cold, text_cold},    {"single", ff_bench_single, text_single},
    {"batch", ff_bench_batch, text_batch}, {"kill-runner", ff_bench_kill_runner, text_kill},
    {"idle", ff_bench_idle, text_idle},
};

enum { MODES = sizeof modes / sizeof modes[0] };

/* "batch,single": which of the modes. */
static int choose(const char *list, bool chosen[MODES], struct ff_error *error)
{
    while (list != NULL && *list != '\0') {
        char word[32];
        size_t length = strcspn(list, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), list);
        const char *names[MODES];
        bool found = false;
        for (size_t i = 0; i < MODES; i++) {
            names[i] = modes[i].name;
            if (strcmp(word, modes[i].name) == 0)
                chosen[i] = found = true;
        }
        if (!found) {
            const char *nearest = ff_text_nearest(word, names, MODES);
            ff_fail(error, FF_INVALID_ARGUMENT, "there is no mode '%s'", word);
            return ff_hint(error, "%s%s; all: cold, single, batch, kill-runner, idle",
                           nearest != NULL ? "did you mean " : "leave --modes out for all",
                           nearest != NULL ? nearest : "");
        }
        list += length + (list[length] == ',');
    }
    return 0;
}

static int print(const struct ff_invocation *invocation, size_t mode, const json_t *line,
                 struct ff_error *error)
{
    ff_progress_clear();
    if (invocation->json)
        return ff_output_json_line(line, error);
    char text[TEXT_SIZE];
    modes[mode].text(line, text, sizeof text);
    ff_output_field(stdout, modes[mode].name, text);
    return ff_output_flush(error);
}

static int run_modes(const struct ff_invocation *invocation, struct ff_stand *stand,
                     const struct ff_bench_options *options, const bool chosen[MODES],
                     struct ff_error *error)
{
    for (size_t i = 0; i < MODES; i++) {
        if (!chosen[i])
            continue;
        char text[64];
        snprintf(text, sizeof text, "measuring: %s", modes[i].name);
        ff_progress_show(text);
        json_t *line = NULL;
        if (modes[i].run(stand, options, &line, error) < 0)
            return ff_stand_interrupted() ? FF_EXIT_INTERRUPTED
                                          : ff_fail_prefix(error, "%s: ", modes[i].name);
        int result = print(invocation, i, line, error);
        json_decref(line);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int run_bench(const struct ff_invocation *invocation, struct ff_error *error)
{
    struct ff_bench_options options;
    int64_t slots;
    bool chosen[MODES] = {false};
    const char *list = ff_given_text(invocation, "modes");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (ff_given_integer(invocation, "tasks", 1, 10000000, TASKS, &options.tasks, error) < 0 ||
        ff_given_integer(invocation, "calls", 1, 1000000, CALLS, &options.calls, error) < 0 ||
        ff_given_integer(invocation, "idle-seconds", 1, 86400, IDLE_SECONDS, &options.idle_seconds,
                         error) < 0 ||
        ff_given_integer(invocation, "slots", 1, 1024, cores > 0 && cores < 1024 ? cores : 2,
                         &slots, error) < 0 ||
        choose(list, chosen, error) < 0)
        return -1;
    for (size_t i = 0; i < MODES; i++)
        chosen[i] = chosen[i] || list == NULL;
    ff_progress_show("starting a service and an endpoint");
    struct ff_stand *stand = ff_stand_create((int)slots, error);
    if (stand == NULL)
        return ff_stand_interrupted() ? FF_EXIT_INTERRUPTED : -1;
    int status = run_modes(invocation, stand, &options, chosen, error);
    ff_progress_clear();
    ff_stand_destroy(stand);
    return status;
}

static const struct ff_command_option bench_options[] = {
    {"modes", '\0', "LIST", "which, with commas: cold,single,batch,kill-runner,idle (all)"},
    {"tasks", '\0', "N", "tasks of the batch (20000)"},
    {"calls", '\0', "N", "calls one at a time (2000)"},
    {"slots", '\0', "N", "slots of the endpoint (as many as there are cores)"},
    {"idle-seconds", '\0', "N", "how long to look at an idle system (60)"},
    {NULL, '\0', NULL, NULL},
};

static const struct ff_command bench = {
    .group = "bench",
    .name = "dispatch",
    .operands = "",
    .summary = "measure how tasks go through a service and an endpoint of their own",
    .details =
        "Both run in a temporary state folder and are gone afterwards. Calls go through TLS and a\n"
        "durable ledger, as any other:\n"
        "  cold         a fresh endpoint: from the first submission to its result; median of 5\n"
        "  single       one call after the other, each from its submission to its result:\n"
        "               one request, whose reply is held until the task has ended; two syncs of\n"
        "               the disk lie on its way, so the time of one is measured beside it\n"
        "  batch        submissions of 1,000, 4 in flight, until the last result is here\n"
        "  kill-runner  from kill -9 of the runner to its call running again; median of 5\n"
        "  idle         memory, and wake-ups by voluntary context switches, after one task",
    .options = bench_options,
    .examples = "  farfield bench dispatch\n"
                "  farfield bench dispatch --modes batch --tasks 100000 --json\n",
    .lines = true,
    .run = run_bench,
};

int main(int argc, char *argv[])
{
    signal(SIGPIPE, SIG_IGN);
    struct ff_error error = {.code = FF_OK};
    struct ff_invocation invocation;
    int status = ff_parse(&bench, argc - 1, argv + 1, &invocation, &error);
    if (status == 0 && invocation.help)
        ff_help_command(stdout, &bench);
    else if (status == 0)
        status = run_bench(&invocation, &error);
    if (status < 0) {
        ff_output_error(&error);
        if (invocation.json)
            ff_output_json_error(&error, true);
        status = ff_error_exit_status(error.code);
    }
    ff_invocation_dispose(&invocation);
    return ff_output_flush(&error) < 0 ? ff_error_exit_status(error.code) : status;
}
