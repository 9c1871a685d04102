/* One task at a time, and the first one of a fresh endpoint. */
#include "client/bench/bench.h"

#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 100, COLD_RUNS = 5, LONGEST_MS = 60000 };

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

double ff_bench_quantile(double *values, size_t count, double fraction)
{
    qsort(values, count, sizeof *values, compare);
    size_t at = (size_t)(fraction * (double)count);
    return values[at < count ? at : count - 1];
}

int ff_bench_submit(struct ff_session *session, const char *function, const json_t *arguments,
                    char task_id[40], struct ff_error *error)
{
    json_t *payloads = json_array();
    json_array_append(payloads, (json_t *)arguments);
    struct ff_submission submission = {
        .endpoint = FF_STAND_ENDPOINT, .function = function, .payloads = payloads};
    json_t *accepted = NULL;
    int result = ff_task_submit(session, &submission, &accepted, error);
    if (result == 0) {
        const char *id =
            json_string_value(json_array_get(json_object_get(accepted, "task_ids"), 0));
        snprintf(task_id, 40, "%s", id != NULL ? id : "");
    }
    json_decref(accepted);
    json_decref(payloads);
    return result;
}

int ff_bench_expect_success(const json_t *task, struct ff_error *error)
{
    const char *state = json_string_value(json_object_get(task, "state"));
    if (state != NULL && strcmp(state, "success") == 0)
        return 0;
    const char *message =
        json_string_value(json_object_get(json_object_get(task, "error"), "message"));
    return ff_fail(error, FF_TASK_FAILED, "a task of the bench is %s: %s",
                   state != NULL ? state : "unknown", message != NULL ? message : "no reason");
}

/* One call from submission to result, in ms. */
static int call(struct ff_session *session, const json_t *payloads, double *ms,
                struct ff_error *error)
{
    int64_t start_ns = ff_monotonic_ns();
    struct ff_submission submission = {
        .endpoint = FF_STAND_ENDPOINT, .function = "echo", .payloads = payloads};
    json_t *task = NULL;
    if (ff_task_run(session, &submission, LONGEST_MS, &task, error) < 0)
        return -1;
    *ms = 1e-6 * (double)(ff_monotonic_ns() - start_ns);
    int result = ff_bench_expect_success(task, error);
    json_decref(task);
    return result;
}

int ff_bench_single(struct ff_stand *stand, const struct ff_bench_options *options, json_t **line,
                    struct ff_error *error)
{
    size_t count = (size_t)options->calls;
    double *times = calloc(count, sizeof *times);
    struct ff_session *session = NULL;
    json_t *payloads = json_pack("[{s:i}]", "n", 1);
    int result = times != NULL && payloads != NULL
                     ? ff_stand_restart_endpoint(stand, error)
                     : ff_fail(error, FF_NO_MEMORY, "no memory for the times");
    if (result == 0 && (session = ff_stand_session(stand, error)) == NULL)
        result = -1;
    double unused;
    double sync_us = 0;
    if (result == 0)
        result = ff_bench_sync_us(&sync_us, error);
    for (int i = 0; i < WARM_UP && result == 0; i++)
        result = call(session, payloads, &unused, error);
    for (size_t i = 0; i < count && result == 0; i++)
        result = call(session, payloads, &times[i], error);
    if (result == 0)
        *line = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f}", "mode", "single", "calls",
                          (json_int_t)count, "p50_ms", ff_bench_quantile(times, count, 0.5),
                          "p90_ms", ff_bench_quantile(times, count, 0.9), "p99_ms",
                          ff_bench_quantile(times, count, 0.99), "sync_us", sync_us);
    ff_session_close(session);
    json_decref(payloads);
    free(times);
    return result;
}

int ff_bench_cold(struct ff_stand *stand, const struct ff_bench_options *options, json_t **line,
                  struct ff_error *error)
{
    (void)options;
    double times[COLD_RUNS];
    json_t *payloads = json_pack("[{s:i}]", "n", 1);
    int result = 0;
    for (int i = 0; i < COLD_RUNS && result == 0; i++) {
        result = ff_stand_restart_endpoint(stand, error);
        struct ff_session *session = result == 0 ? ff_stand_session(stand, error) : NULL;
        json_t *status = NULL;
        if (session == NULL || ff_service_status(session, &status, error) < 0 || /* connects */
            call(session, payloads, &times[i], error) < 0)
            result = -1;
        json_decref(status);
        ff_session_close(session);
    }
    json_decref(payloads);
    if (result == 0)
        *line = json_pack("{s:s, s:i, s:f}", "mode", "cold", "runs", (int)COLD_RUNS,
                          "first_result_ms", ff_bench_quantile(times, COLD_RUNS, 0.5));
    return result;
}
