/* How soon a call runs again after its runner was killed. */
#include "client/bench/bench.h"

#include "protocol/core/clock.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <string.h>

enum { RUNS = 5, WAIT_MS = 20000 };

/* What is waited for among the events of the task. */
struct waiting {
    json_int_t attempt;
    bool running;
};

static int on_event(void *user, const json_t *event)
{
    struct waiting *waiting = user;
    const char *state = json_string_value(json_object_get(event, "state"));
    if (state == NULL || strcmp(state, "running") != 0 ||
        json_integer_value(json_object_get(event, "attempt")) != waiting->attempt)
        return 0;
    waiting->running = true;
    return 1;
}

static int wait_running(struct ff_session *session, const char *task_id, int attempt,
                        struct ff_error *error)
{
    struct waiting waiting = {.attempt = attempt};
    struct ff_follower follower = {.event = on_event, .user = &waiting};
    int ended = ff_task_follow(session, task_id, &follower, error);
    if (ended < 0)
        return -1;
    if (!waiting.running)
        return ff_fail(error, FF_INTERNAL, "the task ended before attempt %d ran", attempt);
    return 0;
}

/* The one whose call it is cannot be told from outside, so all runners of the stand go. */
static int kill_runners(struct ff_stand *stand, struct ff_error *error)
{
    struct ff_stand_process runners[FF_STAND_PROCESSES];
    size_t count = ff_stand_processes(stand, "farfield-runner", runners, FF_STAND_PROCESSES);
    if (count == 0)
        return ff_fail(error, FF_INTERNAL, "a task runs, and there is no farfield-runner");
    for (size_t i = 0; i < count; i++) {
        struct ff_process_id id;
        if (ff_process_identify(runners[i].pid, &id) == 0 &&
            ff_process_signal(id, SIGKILL, error) < 0)
            return -1;
    }
    return 0;
}

static int measure(struct ff_stand *stand, struct ff_session *session, const json_t *arguments,
                   double *ms, struct ff_error *error)
{
    char task_id[40];
    if (ff_bench_submit(session, "fault", arguments, task_id, error) < 0 ||
        wait_running(session, task_id, 1, error) < 0)
        return -1;
    int64_t start_ns = ff_monotonic_ns();
    int result = kill_runners(stand, error);
    if (result == 0)
        result = wait_running(session, task_id, 2, error);
    *ms = 1e-6 * (double)(ff_monotonic_ns() - start_ns);
    json_t *reply = NULL;
    json_t *task = NULL;
    if (result == 0)
        result = ff_task_cancel(session, task_id, &reply, error);
    if (result == 0)
        result = ff_task_wait(session, task_id, WAIT_MS, &task, error);
    json_decref(task);
    json_decref(reply);
    return result;
}

int ff_bench_kill_runner(struct ff_stand *stand, const struct ff_bench_options *options,
                         json_t **line, struct ff_error *error)
{
    (void)options;
    double times[RUNS];
    if (ff_stand_restart_endpoint(stand, error) < 0)
        return -1;
    struct ff_session *session = ff_stand_session(stand, error);
    if (session == NULL)
        return -1;
    json_t *arguments = json_pack("{s:s, s:i}", "do", "sleep", "seconds", 3600);
    int result = 0;
    for (int i = 0; i < RUNS && result == 0; i++)
        result = measure(stand, session, arguments, &times[i], error);
    json_decref(arguments);
    ff_session_close(session);
    if (result == 0)
        *line = json_pack("{s:s, s:i, s:f}", "mode", "kill-runner", "runs", (int)RUNS,
                          "running_again_ms", ff_bench_quantile(times, RUNS, 0.5));
    return result;
}
