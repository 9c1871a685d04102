/* Many tasks at once: submissions of a thousand, four in flight, results as they end. */
#include "client/bench/bench.h"
#include "client/bench/scan.h"

#include "protocol/core/clock.h"
#include "protocol/ids.h"

#include <pthread.h>
#include <stdlib.h>

enum { PER_SUBMISSION = 1000, IN_FLIGHT = 4, RESULTS_AT_ONCE = 1000, WAIT_MS = 10000 };

struct batch {
    struct ff_stand *stand;
    char group[FF_ID_TEXT_SIZE];
    int64_t tasks;
    pthread_mutex_t lock;
    pthread_cond_t accepted_some;
    int64_t next; /* the first payload that nobody has taken yet */
    int64_t accepted;
    bool failed;
    struct ff_error error;
};

/* Takes the next piece; 0 when there is none. */
static int64_t take_piece(struct batch *batch, int64_t *first)
{
    pthread_mutex_lock(&batch->lock);
    int64_t left = batch->failed ? 0 : batch->tasks - batch->next;
    int64_t count = left < PER_SUBMISSION ? left : PER_SUBMISSION;
    *first = batch->next;
    batch->next += count;
    pthread_mutex_unlock(&batch->lock);
    return count;
}

static void tell(struct batch *batch, int64_t accepted, const struct ff_error *error)
{
    pthread_mutex_lock(&batch->lock);
    batch->accepted += accepted;
    if (error != NULL && !batch->failed) {
        batch->failed = true;
        batch->error = *error;
    }
    pthread_cond_broadcast(&batch->accepted_some);
    pthread_mutex_unlock(&batch->lock);
}

static int submit_piece(struct batch *batch, struct ff_session *session, int64_t first,
                        int64_t count, struct ff_error *error)
{
    json_t *payloads = json_array();
    for (int64_t i = 0; i < count; i++)
        json_array_append_new(payloads, json_integer(first + i));
    struct ff_submission submission = {.endpoint = FF_STAND_ENDPOINT,
                                       .function = "echo",
                                       .payloads = payloads,
                                       .task_group = batch->group};
    json_t *accepted = NULL;
    int result = ff_task_submit(session, &submission, &accepted, error);
    json_decref(accepted);
    json_decref(payloads);
    return result;
}

static void *submit_all(void *user)
{
    struct batch *batch = user;
    struct ff_error error;
    struct ff_session *session = ff_stand_session(batch->stand, &error);
    int64_t first;
    int64_t count = 0;
    int result = session != NULL ? 0 : -1;
    while (result == 0 && (count = take_piece(batch, &first)) > 0) {
        result = submit_piece(batch, session, first, count, &error);
        if (result == 0)
            tell(batch, count, NULL);
    }
    if (result < 0)
        tell(batch, 0, &error);
    ff_session_close(session);
    return NULL;
}

/* The group exists from its first submission on. */
static bool wait_for_first(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    while (batch->accepted == 0 && !batch->failed)
        pthread_cond_wait(&batch->accepted_some, &batch->lock);
    bool good = !batch->failed;
    pthread_mutex_unlock(&batch->lock);
    return good;
}

static bool has_failed(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    bool failed = batch->failed;
    pthread_mutex_unlock(&batch->lock);
    return failed;
}

static const int64_t SILENCE_NS = 60000000000;

/* Every result is that of its task, and each comes once: their sum tells. */
static int collect(struct batch *batch, struct ff_session *session, struct ff_error *error)
{
    struct ff_scan_page page = {.after = 0};
    int64_t sum = 0;
    int64_t news_ns = ff_monotonic_ns();
    for (int64_t ended = 0; ended < batch->tasks;) {
        char *text = NULL;
        size_t size = 0;
        if (has_failed(batch)) {
            *error = batch->error;
            return -1;
        }
        if (ff_group_results_text(session, batch->group, page.after, RESULTS_AT_ONCE, WAIT_MS,
                                  &text, &size, error) < 0)
            return -1;
        int result = ff_scan_results(text, size, &page, error);
        free(text);
        if (result < 0)
            return -1;
        ended += page.count;
        sum += page.sum;
        if (page.count > 0)
            news_ns = ff_monotonic_ns();
        else if (ff_monotonic_ns() - news_ns > SILENCE_NS)
            return ff_fail(error, FF_TIMED_OUT, "%lld of %lld tasks have no result for a minute",
                           (long long)(batch->tasks - ended), (long long)batch->tasks);
    }
    if (sum != batch->tasks * (batch->tasks - 1) / 2)
        return ff_fail(error, FF_INTERNAL, "the results are not those of the tasks");
    return 0;
}

static int run_batch(struct batch *batch, double *seconds, struct ff_error *error)
{
    struct ff_session *session = ff_stand_session(batch->stand, error);
    if (session == NULL)
        return -1;
    pthread_t threads[IN_FLIGHT];
    int started = 0;
    int64_t start_ns = ff_monotonic_ns();
    while (started < IN_FLIGHT && pthread_create(&threads[started], NULL, submit_all, batch) == 0)
        started++;
    int result = started == IN_FLIGHT ? 0 : ff_fail(error, FF_INTERNAL, "cannot start a thread");
    if (result < 0)
        tell(batch, 0, error);
    else if (!wait_for_first(batch))
        result = -1;
    else
        result = collect(batch, session, error);
    *seconds = (double)(ff_monotonic_ns() - start_ns) / 1e9;
    if (result < 0)
        tell(batch, 0, error); /* ends the submitting, too */
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (result < 0)
        *error = batch->error;
    ff_session_close(session);
    return result;
}

static int measure(struct ff_stand *stand, int64_t tasks, double *seconds, struct ff_error *error)
{
    struct batch batch = {.stand = stand, .tasks = tasks, .failed = false};
    struct ff_id group;
    ff_id_random(&group);
    ff_id_text(&group, batch.group);
    pthread_mutex_init(&batch.lock, NULL);
    pthread_cond_init(&batch.accepted_some, NULL);
    int result = run_batch(&batch, seconds, error);
    pthread_cond_destroy(&batch.accepted_some);
    pthread_mutex_destroy(&batch.lock);
    return result;
}

int ff_bench_batch(struct ff_stand *stand, const struct ff_bench_options *options, json_t **line,
                   struct ff_error *error)
{
    double seconds = 0;
    /* A first, small batch starts the runners. */
    if (ff_stand_restart_endpoint(stand, error) < 0 ||
        measure(stand, PER_SUBMISSION, &seconds, error) < 0 ||
        measure(stand, options->tasks, &seconds, error) < 0)
        return -1;
    *line = json_pack("{s:s, s:I, s:f, s:f}", "mode", "batch", "tasks", (json_int_t)options->tasks,
                      "seconds", seconds, "tasks_per_second", (double)options->tasks / seconds);
    return 0;
}
