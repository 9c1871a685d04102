/*
 * What runs says about itself: states, progress, previews, log lines. All of it may be lost or
 * come late; what is about an attempt that is not current changes nothing.
 */
#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/http/json.h"
#include "service/previews.h"

#include <string.h>

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

int ff_router_preview(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error)
{
    union ff_item item;
    struct ff_error failure;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_preview *preview = &item.preview;
        struct ff_task *task =
            ff_router_current(router, endpoint, &preview->task, preview->attempt);
        if (task == NULL || preview->name.size == 0 || ff_task_trace(task) == NULL ||
            !list_preview(task->detail, preview->name))
            continue;
        if (ff_preview_write(router->service->previews, &task->id, preview, &failure) < 0) {
            ff_log_error("a preview was not kept", &failure);
            continue;
        }
        struct ff_event event = {.time_ns = ff_wall_ns(),
                                 .type = FF_EVENT_PREVIEW,
                                 .number = (uint32_t)preview->data.size,
                                 .attempt = task->number};
        ff_task_event(router->service->ledger, task, &event, preview->name);
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
