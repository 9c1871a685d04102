/*
 * What runs says about itself: states, progress, previews, log lines. All of it may be lost or
 * come late; what is about an attempt that is not current changes nothing.
 */
#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/json_scan.h"
#include "protocol/core/log.h"
#include "service/json.h"
#include "service/previews.h"

#include <stdlib.h>
#include <string.h>

enum { PREVIEWS_AT_ONCE = 16 }; /* more are left out: they are up to 4 MiB each */

static void take_report(struct ff_service *service, struct ff_endpoint *endpoint,
                        struct ff_task *task, const struct ff_report *report)
{
    bool moved = task->state != report->state;
    bool begins = moved && report->state == FF_TASK_RUNNING;
    if (!ff_ledger_move(service->ledger, task, (enum ff_task_state)report->state))
        return;
    if (report->node.size > 0)
        task->node = ff_endpoint_node(endpoint, report->node);
    if (report->why.size > 0 || report->devices.size > 0 || task->detail != NULL) {
        struct ff_task_detail *detail = ff_task_detail(task);
        if (detail == NULL)
            return;
        ff_task_set_text(&detail->why, report->why);
        if (report->devices.size > 0 || begins)
            ff_task_set_text(&detail->devices, report->devices);
    }
    struct ff_event event = {.time_ns = ff_wall_ns(),
                             .type = FF_EVENT_STATE,
                             .number = task->state,
                             .attempt = task->number,
                             .node = task->node};
    ff_task_event(service->ledger, task, &event, report->why);
}

int ff_router_states(struct ff_router *router, struct ff_endpoint *endpoint,
                     struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_report *report = &item.report;
        if (report->state > FF_TASK_RUNNING)
            return ff_fail(error, FF_PROTOCOL, "a report of state %llu; results come as outcomes",
                           (unsigned long long)report->state);
        struct ff_task *task = ff_router_current(router, endpoint, &report->task, report->attempt);
        if (task != NULL && !task->ending)
            take_report(router->service, endpoint, task, report);
    }
    return got;
}

int ff_router_progress(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_progress *progress = &item.progress;
        struct ff_span numbers = progress->numbers;
        struct ff_task *task =
            ff_router_current(router, endpoint, &progress->task, progress->attempt);
        if (task == NULL || ff_task_trace(task) == NULL)
            continue;
        /* Numbers are passed on as JSON: what is none is left out. */
        if (numbers.size == 0 || *(const char *)numbers.data != '{' ||
            ff_json_check(numbers, NULL) < 0)
            numbers = ff_span_of("{}");
        task->detail->has_progress = true;
        task->detail->fraction = progress->fraction;
        ff_task_set_text(&task->detail->numbers, numbers);
        struct ff_event event = {.time_ns = ff_wall_ns(),
                                 .type = FF_EVENT_PROGRESS,
                                 .attempt = task->number,
                                 .fraction = progress->fraction};
        ff_task_event(router->service->ledger, task, &event, numbers);
    }
    return got;
}

/* Adds a name to the list of a task's previews, once. */
static bool list_preview(struct ff_task_detail *detail, struct ff_span name)
{
    struct ff_buffer quoted;
    ff_buffer_init(&quoted, 4096);
    ff_json_text(&quoted, name);
    struct ff_span list = ff_buffer_span(&detail->previews);
    bool there = list.size > 0 && memmem(list.data, list.size, quoted.data, quoted.size) != NULL;
    bool fits = detail->previews.size + quoted.size + 1 < detail->previews.limit;
    if (!there && fits)
        ff_json_raw(&detail->previews, ff_buffer_span(&quoted));
    ff_buffer_dispose(&quoted);
    return there || fits;
}

/* A preview on its way to its file. The committer's thread writes it, between two commits: not the
 * loop, and before the outcome that follows it is told. */
struct keeping {
    struct ff_job job;
    struct ff_service *service;
    struct ff_preview preview;
    char *texts; /* what its spans point into */
};

static int write_nothing(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    (void)job;
    (void)store;
    (void)error;
    return 0;
}

/* Whatever became of the commit: previews are no part of the ledger. */
static void keep_preview(struct ff_job *job, const struct ff_error *error)
{
    struct keeping *keeping = (struct keeping *)job;
    struct ff_service *service = keeping->service;
    const struct ff_preview *preview = &keeping->preview;
    struct ff_error failure;
    (void)error;
    int result = ff_preview_write(service->previews, &preview->task, preview, &failure);
    if (result < 0)
        ff_log_error("a preview was not kept", &failure);
    pthread_mutex_lock(&service->lock);
    service->previews_coming--;
    struct ff_task *task = ff_ledger_find(service->ledger, &preview->task);
    struct ff_event event = {
        .time_ns = ff_wall_ns(), .type = FF_EVENT_PREVIEW, .number = (uint32_t)preview->data.size};
    if (result == 0 && task != NULL) {
        event.attempt = task->number;
        ff_task_event(service->ledger, task, &event, preview->name);
    }
    pthread_mutex_unlock(&service->lock);
    free(keeping->texts);
    free(keeping);
}

static struct ff_span append(char **at, struct ff_span text)
{
    struct ff_span copy = {*at, text.size};
    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static void submit_preview(struct ff_service *service, const struct ff_preview *preview)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    char *texts = malloc(preview->name.size + preview->media_type.size + preview->data.size + 1);
    if (keeping == NULL || texts == NULL || service->previews_coming == PREVIEWS_AT_ONCE) {
        free(keeping);
        free(texts);
        return;
    }
    service->previews_coming++;
    keeping->job.rows = 1;
    keeping->job.write = write_nothing;
    keeping->job.done = keep_preview;
    keeping->service = service;
    keeping->preview = *preview;
    keeping->texts = texts;
    keeping->preview.name = append(&texts, preview->name);
    keeping->preview.media_type = append(&texts, preview->media_type);
    keeping->preview.data = append(&texts, preview->data);
    ff_committer_submit(service->committer, &keeping->job);
}

int ff_router_preview(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_preview *preview = &item.preview;
        struct ff_task *task =
            ff_router_current(router, endpoint, &preview->task, preview->attempt);
        /* While a task is ending, the list of its previews is on its way to the disk. */
        if (task != NULL && !task->ending && preview->name.size > 0 &&
            ff_task_trace(task) != NULL && list_preview(task->detail, preview->name))
            submit_preview(router->service, preview);
    }
    return got;
}

int ff_router_log(struct ff_router *router, struct ff_endpoint *endpoint,
                  struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_line *line = &item.line;
        struct ff_task *task = ff_router_current(router, endpoint, &line->task, line->attempt);
        if (task == NULL || ff_task_trace(task) == NULL)
            continue;
        struct ff_event event = {.time_ns = ff_wall_ns(),
                                 .type = FF_EVENT_LOG,
                                 .number = line->level > FF_LOG_ERROR ? FF_LOG_ERROR
                                                                      : (uint32_t)line->level,
                                 .attempt = task->number};
        ff_task_event(router->service->ledger, task, &event, line->text);
    }
    return got;
}
