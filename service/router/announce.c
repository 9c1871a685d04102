/*
 * Announcements: after every HELLO an endpoint says which attempts it has. What is current stays;
 * after a restart of the service, which knows of no attempts, the highest announced one of a task
 * becomes its current one. What is not current is cancelled. What nobody announces gets a new
 * attempt.
 */
#include "service/router/parts.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"

/* Whether this attempt may become the current one of the task: nobody has had it since the service
 * began, or what it has was announced as well and is older. */
static bool may_adopt(const struct ff_service *service, const struct ff_task *task,
                      struct ff_attempt attempt)
{
    static const struct ff_attempt none;
    if (task->ending)
        return false;
    if (task->queued)
        return ff_attempt_equal(task->attempt, none);
    return task->attempt.epoch < service->epoch && ff_attempt_before(task->attempt, attempt);
}

static void adopt(struct ff_service *service, struct ff_endpoint *endpoint, struct ff_task *task,
                  const struct ff_holding *holding)
{
    if (task->queued)
        ff_lane_remove(task);
    else
        ff_router_note_cancel(endpoint, &task->id, task->attempt);
    task->attempt = holding->attempt;
    task->number = holding->number > UINT32_MAX ? 1 : (uint32_t)holding->number;
    if (task->number == 0)
        task->number = 1;
    task->delivered_ns = ff_wall_ns();
    if (holding->state > FF_TASK_WAITING_FOR_EP && holding->state <= FF_TASK_RUNNING)
        ff_ledger_move(service->ledger, task, (enum ff_task_state)holding->state);
    if (holding->node.size > 0)
        task->node = ff_endpoint_node(endpoint, holding->node);
    if (task->asked != 0)
        ff_router_note_control(endpoint, task, (enum ff_control_action)task->asked);
}

int ff_router_holding(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error)
{
    struct ff_service *service = router->service;
    union ff_item item;
    int got;
    while ((got = ff_decode_next(decoder, &item, error)) > 0) {
        const struct ff_holding *holding = &item.holding;
        struct ff_task *task = ff_ledger_find(service->ledger, &holding->task);
        bool known = task != NULL && task->batch->endpoint == endpoint;
        bool current = known && !task->queued && ff_attempt_equal(task->attempt, holding->attempt);
        if (known && !current && may_adopt(service, task, holding->attempt)) {
            adopt(service, endpoint, task, holding);
            current = true;
        } else if (current && task->asked != 0) {
            ff_router_note_control(endpoint, task, (enum ff_control_action)task->asked);
        }
        if (current) {
            task->announced = endpoint->link.generation;
            ff_router_hold(task);
        } else {
            ff_router_note_cancel(endpoint, &holding->task, holding->attempt);
        }
    }
    return got;
}

struct search {
    struct ff_router *router;
    struct ff_endpoint *endpoint;
    struct ff_queue again; /* not announced, and not begun as far as anybody knows */
    size_t lost;
};

static void look_at(void *user, struct ff_task *task)
{
    struct search *search = user;
    struct ff_service *service = search->router->service;
    if (task->queued || task->ending || task->announced == search->endpoint->link.generation)
        return;
    search->lost++;
    if (task->state >= FF_TASK_WAITING_FOR_LAUNCH || task->asked == FF_CONTROL_CANCEL) {
        ff_router_lose(search->router, task, FF_ENDPOINT_LOST,
                       "the endpoint came back without this task");
        return;
    }
    ff_ledger_move(service->ledger, task, FF_TASK_WAITING_FOR_EP);
    task->number--;
    ff_queue_push(&search->again, task);
}

void ff_router_holding_end(struct ff_router *router, struct ff_endpoint *endpoint)
{
    struct search search = {.router = router, .endpoint = endpoint};
    if (endpoint->link.announced)
        return;
    endpoint->link.announced = true;
    ff_ledger_each_of(router->service->ledger, endpoint, look_at, &search);
    /* They are older than what waits. */
    while (search.again.last != NULL) {
        struct ff_task *task = search.again.last;
        ff_queue_remove(&search.again, task);
        ff_lane_push_front(task);
    }
    if (search.lost > 0)
        ff_log(FF_LOG_INFO, "endpoint=%s announced all but %zu tasks: they get new attempts",
               endpoint->name, search.lost);
}
