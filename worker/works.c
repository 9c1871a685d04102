#include "worker/work.h"

#include "worker/call.h"
#include "worker/leases.h"
#include "worker/manager.h"
#include "worker/objects.h"
#include "worker/slot.h"
#include "worker/uplink.h"

#include "functions/function.h"
#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1 << 13,
    REST_MS = 100, /* of the first rest */
    REST_MAX_MS = 10000,
    STORES_MAX = 5, /* refusals of one value before its task counts as lost */
};

static void rest_is_over(void *user);

int ff_works_open(struct ff_manager *manager, struct ff_error *error)
{
    manager->rest_ms = REST_MS;
    manager->rest_timer = ff_timer_create(manager->loop, rest_is_over, manager, error);
    if (manager->rest_timer == NULL)
        return -1;
    manager->buckets = calloc(BUCKETS, sizeof(struct ff_work *));
    return manager->buckets != NULL
               ? 0
               : ff_fail(error, FF_NO_MEMORY, "no memory for the table of tasks");
}

/* ---- the table and the lists ---- */

static size_t bucket_of(const struct ff_id *task)
{
    uint64_t hash;
    memcpy(&hash, task->bytes + 8, sizeof hash);
    uint64_t row;
    memcpy(&row, task->bytes, sizeof row);
    return (size_t)((hash ^ row * 0x9e3779b97f4a7c15ull) >> 20) % BUCKETS;
}

struct ff_work *ff_works_find(const struct ff_manager *manager, const struct ff_id *task,
                              struct ff_attempt attempt)
{
    for (struct ff_work *at = manager->buckets[bucket_of(task)]; at != NULL;
         at = at->next_in_bucket)
        if (ff_id_equal(&at->order.task, task) && ff_attempt_equal(at->order.attempt, attempt))
            return at;
    return NULL;
}

struct ff_work *ff_works_next(const struct ff_manager *manager, const struct ff_work *work)
{
    if (work != NULL && work->next_in_bucket != NULL)
        return work->next_in_bucket;
    size_t from = work != NULL ? bucket_of(&work->order.task) + 1 : 0;
    for (; from < BUCKETS; from++)
        if (manager->buckets[from] != NULL)
            return manager->buckets[from];
    return NULL;
}

static void unlink_work(struct ff_work *work)
{
    struct ff_work_list *list = work->list;
    if (list == NULL)
        return;
    *(work->previous != NULL ? &work->previous->next : &list->first) = work->next;
    *(work->next != NULL ? &work->next->previous : &list->last) = work->previous;
    work->next = work->previous = NULL;
    work->list = NULL;
    list->count--;
}

static void link_work(struct ff_work *work, struct ff_work_list *list, bool first)
{
    work->list = list;
    work->previous = first ? NULL : list->last;
    work->next = first ? list->first : NULL;
    *(work->previous != NULL ? &work->previous->next : &list->first) = work;
    *(work->next != NULL ? &work->next->previous : &list->last) = work;
    list->count++;
}

void ff_work_move(struct ff_work *work, struct ff_work_list *list, enum ff_work_place place)
{
    unlink_work(work);
    link_work(work, list, false);
    work->place = place;
}

void ff_work_ready(struct ff_work *work, bool first)
{
    unlink_work(work);
    link_work(work, &work->group->ready, first);
    work->place = FF_WORK_READY;
    work->manager->dispatch_wanted = true;
}

enum ff_task_state ff_work_state(const struct ff_work *work)
{
    if (work->place == FF_WORK_HANDED && work->slot->state == FF_SLOT_BUSY &&
        work == work->slot->calls.first)
        return FF_TASK_RUNNING;
    return work->place < FF_WORK_STORING ? FF_TASK_WAITING_FOR_LAUNCH : FF_TASK_RUNNING;
}

bool ff_work_can_checkpoint(const struct ff_work *work)
{
    return work->place == FF_WORK_HANDED && work->slot->state == FF_SLOT_BUSY &&
           (work->slot->flags & FF_FUNCTION_CAN_CHECKPOINT) != 0;
}

/* ---- groups ---- */

static bool span_is(struct ff_span span, const char *text)
{
    return ff_span_equal(span, ff_span_of(text));
}

static void copy_text(char *to, size_t size, struct ff_span from)
{
    snprintf(to, size, "%.*s", (int)from.size, from.size > 0 ? (const char *)from.data : "");
}

static struct ff_group *find_group(struct ff_manager *manager, const struct ff_order *order)
{
    bool shell = span_is(order->kind, "shell");
    for (struct ff_group *group = manager->groups; group != NULL; group = group->next)
        if (memcmp(&group->digest, &order->digest, sizeof group->digest) == 0 &&
            group->shell == shell && group->devices == order->devices &&
            group->cores == order->cores && span_is(order->user, group->user))
            return group;
    struct ff_group *group = calloc(1, sizeof *group);
    if (group == NULL)
        return NULL;
    copy_text(group->user, sizeof group->user, order->user);
    copy_text(group->name, sizeof group->name, order->name);
    group->digest = order->digest;
    group->shell = group->own_process = shell;
    group->devices = (uint32_t)order->devices;
    group->cores = (uint32_t)order->cores;
    group->run_ns = -1;
    group->next = manager->groups;
    manager->groups = group;
    return group;
}

/* A group without works and without a runner is forgotten when there are many: its function's speed is learned anew then. */
static void drop_idle_groups(struct ff_manager *manager)
{
    enum { KEPT = 64 };
    unsigned count = 0;
    struct ff_group **link = &manager->groups;
    while (*link != NULL) {
        struct ff_group *group = *link;
        bool used = group->works > 0;
        for (size_t i = 0; i < manager->slot_count && !used; i++)
            used = manager->slots[i].group == group;
        if (used || ++count <= KEPT) {
            link = &group->next;
            continue;
        }
        *link = group->next;
        free(group->body);
        free(group);
    }
}

/* ---- orders ---- */

/* One block holds all bytes that the order points to. */
static int copy_order(struct ff_work *work, const struct ff_order *order)
{
    work->order = *order;
    struct ff_span *spans[] = {&work->order.name, &work->order.kind,     &work->order.arguments,
                               &work->order.user, &work->order.priority, &work->order.node_list};
    enum { SPANS = sizeof spans / sizeof spans[0] };
    size_t size = 0;
    for (size_t i = 0; i < SPANS; i++)
        size += spans[i]->size;
    work->copy = malloc(size + 1);
    if (work->copy == NULL)
        return -1;
    size_t used = 0;
    for (size_t i = 0; i < SPANS; i++) {
        if (spans[i]->size > 0)
            memcpy(work->copy + used, spans[i]->data, spans[i]->size);
        spans[i]->data = work->copy + used;
        used += spans[i]->size;
    }
    return 0;
}

static struct ff_work *add_work(struct ff_manager *manager, const struct ff_order *order)
{
    struct ff_work *work = calloc(1, sizeof *work);
    if (work == NULL || copy_order(work, order) < 0) {
        free(work);
        return NULL;
    }
    if (order->nodes > 1) /* it has the whole of each */
        work->order.cores = manager->core_count;
    work->manager = manager;
    work->sequence = manager->next_sequence++;
    work->received_ns = ff_monotonic_ns();
    work->preview_tokens = 16;
    size_t bucket = bucket_of(&order->task);
    work->next_in_bucket = manager->buckets[bucket];
    manager->buckets[bucket] = work;
    manager->work_count++;
    link_work(work, &manager->fetching, false);
    return work;
}

static void destroy_work(struct ff_work *work)
{
    struct ff_manager *manager = work->manager;
    struct ff_work **link = &manager->buckets[bucket_of(&work->order.task)];
    while (*link != work)
        link = &(*link)->next_in_bucket;
    *link = work->next_in_bucket;
    unlink_work(work);
    manager->work_count--;
    if (work->group != NULL && --work->group->works == 0)
        drop_idle_groups(manager);
    ff_gpu_claim_destroy(work->claim);
    ff_gpu_lease_release(work->lease);
    ff_log_tail_destroy(work->tail);
    ff_buffer_dispose(&work->value);
    free(work->pending_text);
    free(work->arguments_path);
    if (work->outcome != work->small_outcome)
        free(work->outcome);
    free(work->copy);
    free(work);
}

void ff_works_close(struct ff_manager *manager)
{
    struct ff_work *work;
    while (manager->buckets != NULL && (work = ff_works_next(manager, NULL)) != NULL)
        destroy_work(work);
    free(manager->buckets);
    ff_timer_destroy(manager->rest_timer);
    while (manager->groups != NULL) {
        struct ff_group *next = manager->groups->next;
        free(manager->groups->body);
        free(manager->groups);
        manager->groups = next;
    }
}

static int check_order(const struct ff_manager *manager, const struct ff_order *order,
                       struct ff_error *error)
{
    if ((order->needs & ~(uint64_t)FF_NEEDS_KNOWN) != 0) {
        ff_fail(error, FF_UNSUPPORTED,
                "the task needs what this version of the worker does not know");
        return ff_hint(error, "update Farfield on the endpoint");
    }
    if (!span_is(order->kind, "native") && !span_is(order->kind, "shell")) {
        ff_fail(error, FF_UNSUPPORTED, "this worker runs native and shell functions, not %.*s",
                (int)order->kind.size, (const char *)order->kind.data);
        return ff_hint(error, "register it with --native or --shell");
    }
    if (order->nodes > 1 && !span_is(order->kind, "shell"))
        return ff_fail(error, FF_UNSUPPORTED,
                       "a task on %llu nodes; only shell functions run on several",
                       (unsigned long long)order->nodes);
    if (order->nodes > 1 && order->node_list.size == 0)
        return ff_fail(error, FF_UNSUPPORTED, "a task on %llu nodes whose names nobody has told",
                       (unsigned long long)order->nodes);
    if (order->cores > manager->core_count) {
        ff_fail(error, FF_INVALID_ARGUMENT, "%llu cores are asked for; this node has %zu",
                (unsigned long long)order->cores, manager->core_count);
        return ff_hint(error, "ask for fewer cores");
    }
    return 0;
}

/* The function's file, and what is read from it, once a group. */
static int take_function(struct ff_work *work, struct ff_error *error)
{
    struct ff_group *group = work->group;
    struct ff_manager *manager = work->manager;
    if (group->function_path[0] != '\0')
        return 1;
    char path[PATH_MAX];
    int got =
        ff_objects_need(manager->objects, &work->order.digest, work->order.size, work, path, error);
    if (got <= 0)
        return got;
    if (!group->shell) {
        snprintf(group->function_path, sizeof group->function_path, "%s", path);
        return 1;
    }
    if (ff_file_read(path, FF_INLINE_LIMIT, &group->body, &group->body_size, error) < 0)
        return -1;
    snprintf(group->function_path, sizeof group->function_path, "%s", manager->shell);
    return 1;
}

static int take_arguments(struct ff_work *work, struct ff_error *error)
{
    char path[PATH_MAX];
    if (work->order.arguments_size == 0 || work->arguments_path != NULL)
        return 1;
    int got = ff_objects_need(work->manager->objects, &work->order.arguments_digest,
                              work->order.arguments_size, work, path, error);
    if (got <= 0)
        return got;
    work->arguments_path = strdup(path);
    return work->arguments_path != NULL ? 1 : ff_fail(error, FF_NO_MEMORY, "no memory for a path");
}

/* Goes on as soon as all objects of the work are here. */
static void advance(struct ff_work *work)
{
    struct ff_error error;
    int function = take_function(work, &error);
    int arguments = function < 0 ? -1 : take_arguments(work, &error);
    if (function < 0 || arguments < 0)
        ff_work_fail(work, &error);
    else if (function > 0 && arguments > 0 && work->order.devices > 0)
        ff_leases_want(work->manager->leases, work);
    else if (function > 0 && arguments > 0)
        ff_work_ready(work, false);
}

void ff_work_fetched(struct ff_work *work, const struct ff_error *error)
{
    if (error != NULL)
        ff_work_fail(work, error);
    else
        advance(work);
}

void ff_works_order(struct ff_manager *manager, const struct ff_order *order)
{
    struct ff_error error;
    if (ff_works_find(manager, &order->task, order->attempt) != NULL)
        return;
    struct ff_work *work = add_work(manager, order);
    if (work == NULL) {
        ff_log(FF_LOG_ERROR,
               "a task is not taken: out of memory"); /* the agent misses it at the next hello */
        return;
    }
    if (check_order(manager, order, &error) < 0) {
        ff_work_fail(work, &error);
        return;
    }
    if (manager->draining) {
        ff_work_give_back(work, false, "the worker takes nothing new");
        return;
    }
    work->group = find_group(manager, order);
    if (work->group == NULL) {
        ff_fail(&error, FF_NO_MEMORY, "no memory for a function");
        ff_work_fail(work, &error);
        return;
    }
    work->group->works++;
    advance(work);
}

/* ---- ends ---- */

static void leave_place(struct ff_work *work)
{
    if (work->place == FF_WORK_FETCHING || work->place == FF_WORK_STORING)
        ff_objects_forget(work->manager->objects, work);
    if (work->place == FF_WORK_LEASING)
        ff_leases_forget(work->manager->leases, work);
    if (work->lease != NULL)
        ff_leases_release(work->manager->leases, work->lease);
    work->lease = NULL;
}

/* The item's bytes stand at the end of the message that was gathered, so they are copied from there. */
static int keep_outcome(struct ff_work *work, const struct ff_outcome *outcome)
{
    struct ff_encoder encoder;
    struct ff_buffer *frame = &work->manager->frame;
    ff_encode_begin(&encoder, frame, FF_MSG_OUTCOMES);
    size_t begin = frame->size;
    if (!ff_encode_outcome(&encoder, outcome) || ff_encode_end(&encoder, NULL) < 0)
        return -1;
    size_t size = frame->size - begin;
    work->outcome = size <= sizeof work->small_outcome ? work->small_outcome : malloc(size);
    if (work->outcome == NULL)
        return -1;
    work->outcome_size = size;
    memcpy(work->outcome, frame->data + begin, size);
    return 0;
}

/* There is no memory for what it came to. It is kept all the same, for an attempt that the manager took on and then does
 * not announce counts as one that never began. */
static void keep_loss(struct ff_work *work)
{
    const struct ff_outcome loss = {
        .task = work->order.task,
        .attempt = work->order.attempt,
        .state = FF_TASK_FAILED_STATE,
        .lost = true,
        .code = ff_span_of(ff_error_name(FF_NO_MEMORY)),
    };
    ff_log(FF_LOG_ERROR, "an outcome is lost: out of memory");
    if (keep_outcome(work, &loss) < 0) /* not even for the message: it stays without */
        work->outcome_size = 0;
}

void ff_work_end(struct ff_work *work, struct ff_outcome *outcome)
{
    struct ff_manager *manager = work->manager;
    leave_place(work);
    outcome->task = work->order.task;
    outcome->attempt = work->order.attempt;
    outcome->node = ff_span_of(manager->settings.node);
    if (outcome->ended_ns == 0)
        outcome->ended_ns = (uint64_t)ff_wall_ns();
    outcome->log_tail = ff_log_tail_text(work->tail);
    int64_t now_ns = ff_monotonic_ns();
    int64_t handed_ns = work->handed_ns > 0 ? work->handed_ns : now_ns;
    outcome->queued_us = (uint64_t)(handed_ns - work->received_ns) / 1000;
    uint64_t held_us = (uint64_t)(now_ns - handed_ns) / 1000;
    outcome->launch_us = held_us > outcome->run_us ? held_us - outcome->run_us : 0;
    if (keep_outcome(work, outcome) < 0)
        keep_loss(work);
    ff_log_tail_destroy(work->tail);
    work->tail = NULL;
    ff_buffer_dispose(&work->value);
    ff_work_move(work, &manager->ended, FF_WORK_ENDED);
    ff_uplink_outcome(manager->uplink, (struct ff_span){work->outcome, work->outcome_size});
}

void ff_work_cancel(struct ff_work *work)
{
    struct ff_outcome outcome = {
        .state = FF_TASK_CANCELLED_STATE,
        .code = ff_span_of(ff_error_name(FF_TASK_CANCELLED)),
        .message = ff_span_of(ff_error_text(FF_TASK_CANCELLED)),
    };
    ff_work_end(work, &outcome);
}

void ff_work_give_back(struct ff_work *work, bool begun, const char *why)
{
    struct ff_outcome outcome = {
        .state = FF_TASK_FAILED_STATE,
        .lost = true,
        .uncharged = true,
        .unbegun = !begun,
        .code = ff_span_of(ff_error_name(FF_MANAGER_LOST)),
        .message = ff_span_of(why),
    };
    ff_work_end(work, &outcome);
}

void ff_works_give_back_all(struct ff_manager *manager, const char *why)
{
    struct ff_work_list *lists[] = {&manager->fetching, &manager->leasing, &manager->resting};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        while (lists[i]->first != NULL)
            ff_work_give_back(lists[i]->first, false, why);
    for (struct ff_group *group = manager->groups; group != NULL; group = group->next)
        while (group->ready.first != NULL)
            ff_work_give_back(group->ready.first, false, why);
}

/* ---- errors of ours ---- */

static int keep_pending(struct ff_work *work, const struct ff_outcome *outcome)
{
    work->pending = *outcome;
    struct ff_span *texts[] = {&work->pending.code, &work->pending.message, &work->pending.hint};
    size_t size = outcome->code.size + outcome->message.size + outcome->hint.size;
    work->pending_text = malloc(size + 1);
    ff_buffer_init(&work->value, FF_RESULT_LIMIT);
    ff_buffer_append(&work->value, outcome->value.data, outcome->value.size);
    if (work->pending_text == NULL || work->value.failed)
        return -1;
    char *to = work->pending_text;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]->size > 0)
            memcpy(to, texts[i]->data, texts[i]->size);
        texts[i]->data = to;
        to += texts[i]->size;
    }
    work->pending.value = (struct ff_span){NULL, 0};
    return 0;
}

/* Whether it is this node that could not, and another or a later attempt may. */
static bool is_of_node(enum ff_error_code code)
{
    switch (code) {
    case FF_INTERNAL:
    case FF_NO_MEMORY:
    case FF_IO:
    case FF_DISK_FULL:
    case FF_BUSY:
    case FF_INPUT_MISSING: /* a file of the cache */
    case FF_OUTPUT_FAILED:
    case FF_PROTOCOL:
    case FF_UNREACHABLE:
    case FF_TIMED_OUT:
        return true;
    default:
        return false;
    }
}

static struct ff_outcome outcome_of(const struct ff_error *error)
{
    const struct ff_outcome outcome = {
        .state = FF_TASK_FAILED_STATE,
        .code = ff_span_of(ff_error_name(error->code)),
        .message = ff_span_of(error->message),
        .hint = ff_span_of(error->hint),
    };
    return outcome;
}

static void begin_rest(struct ff_manager *manager)
{
    if (manager->is_resting)
        return;
    manager->is_resting = true;
    ff_timer_set_after(manager->rest_timer, manager->rest_ms);
    manager->rest_ms = 2 * manager->rest_ms < REST_MAX_MS ? 2 * manager->rest_ms : REST_MAX_MS;
}

void ff_works_well(struct ff_manager *manager)
{
    manager->rest_ms = REST_MS;
}

void ff_work_fail(struct ff_work *work, const struct ff_error *error)
{
    struct ff_outcome outcome = outcome_of(error);
    outcome.lost = outcome.uncharged = outcome.unbegun = is_of_node(error->code);
    if (!outcome.lost || work->manager->draining || keep_pending(work, &outcome) < 0) {
        ff_work_end(work, &outcome);
        return;
    }
    ff_log_error("a task is given back", error);
    leave_place(work);
    ff_work_move(work, &work->manager->resting, FF_WORK_RESTING);
    begin_rest(work->manager);
}

/* ---- large values ---- */

/* It has run: where only its value cannot be kept, that is tried again, and then the task is lost and not failed. */
static void store_failed(struct ff_work *work, const struct ff_error *error)
{
    if (is_of_node(error->code) && ++work->stores < STORES_MAX) {
        ff_log_error("a value is not taken, and is sent again", error);
        work->stores_again = true;
        begin_rest(work->manager);
        return;
    }
    struct ff_outcome outcome = outcome_of(error);
    outcome.lost = is_of_node(error->code);
    ff_work_end(work, &outcome);
}

static void store(struct ff_work *work)
{
    struct ff_error error;
    work->stores_again = false;
    if (ff_objects_store(work->manager->objects, work, &error) < 0)
        store_failed(work, &error);
}

static void rest_is_over(void *user)
{
    struct ff_manager *manager = user;
    struct ff_work *next = NULL;
    manager->is_resting = false;
    while (manager->resting.first != NULL)
        ff_work_end(manager->resting.first, &manager->resting.first->pending);
    for (struct ff_work *at = manager->storing.first; at != NULL; at = next) {
        next = at->next;
        if (at->stores_again)
            store(at);
    }
}

void ff_work_end_large(struct ff_work *work, const struct ff_outcome *outcome)
{
    struct ff_error error;
    leave_place(work);
    ff_work_move(work, &work->manager->storing, FF_WORK_STORING);
    if (keep_pending(work, outcome) == 0) {
        store(work);
        return;
    }
    ff_fail(&error, FF_NO_MEMORY, "no memory for a result of %zu bytes", outcome->value.size);
    work->stores = STORES_MAX; /* there is nothing to send again */
    store_failed(work, &error);
}

void ff_work_stored(struct ff_work *work, const struct ff_digest *digest,
                    const struct ff_error *error)
{
    if (error != NULL) {
        store_failed(work, error);
        return;
    }
    work->pending.value_digest = *digest;
    work->pending.value_size = work->value.size;
    ff_work_end(work, &work->pending);
}

/* ---- what the agent says about works ---- */

void ff_works_receipt(struct ff_manager *manager, const struct ff_receipt *receipt)
{
    struct ff_work *work = ff_works_find(manager, &receipt->task, receipt->attempt);
    if (work != NULL && work->place == FF_WORK_ENDED)
        destroy_work(work);
}

/* An attempt that is not known here ends as cancelled, so that whoever waits for it waits no longer. */
static void cancel_unknown(struct ff_manager *manager, const struct ff_control *control)
{
    struct ff_order order = {.task = control->task, .attempt = control->attempt};
    struct ff_work *work = add_work(manager, &order);
    if (work != NULL)
        ff_work_cancel(work);
}

void ff_works_control(struct ff_manager *manager, const struct ff_control *control)
{
    struct ff_work *work = ff_works_find(manager, &control->task, control->attempt);
    if (work == NULL && control->action == FF_CONTROL_CANCEL)
        cancel_unknown(manager, control);
    if (work == NULL || work->place == FF_WORK_ENDED)
        return;
    if (control->action == FF_CONTROL_CANCEL) {
        if (work->place == FF_WORK_HANDED)
            ff_handed_cancel(work);
        else
            ff_work_cancel(work);
    } else if (control->action == FF_CONTROL_STOP) {
        /* A call that has not begun is told when it begins, and then gives what it has by then. */
        work->stop = FF_STOP_AND_KEEP;
        if (work->place == FF_WORK_HANDED)
            ff_handed_ask(work, FF_STOP_AND_KEEP);
    } else if (control->action == FF_CONTROL_RECALL) {
        if (work->place == FF_WORK_HANDED)
            (void)ff_handed_recall(work);
        else if (work->place != FF_WORK_STORING)
            ff_work_give_back(work, false, "the task was called back before it began");
    } else if (control->action == FF_CONTROL_CHECKPOINT) {
        if (work->place == FF_WORK_HANDED)
            ff_handed_ask(work, FF_CHECKPOINT);
        else if (work->place != FF_WORK_STORING)
            ff_work_give_back(work, false, "the task was called back before it began");
    }
}
