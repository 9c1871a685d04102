#include "service/ledger.h"

#include "protocol/core/clock.h"
#include "service/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREVIEW_NAMES_LIMIT = 8192,
    OLD_TRACES = 64, /* of ended tasks, for those who are still reading */
    OLD_TRACES_BYTES = 8 << 20,
    TEXT_IN_MEMORY =
        64 << 20, /* arguments of waiting tasks; more are read from the store when they are sent */
};

struct old_trace {
    int64_t key;
    struct ff_trace *trace;
};

/* The key stays when the batch has gone, so that the list remains searchable. */
struct slot {
    int64_t first;
    struct ff_batch *batch; /* NULL: gone */
};

struct ff_ledger {
    uint8_t secret[FF_ID_SECRET_SIZE];
    struct ff_waiters *waiters;
    struct ff_groups *groups;
    struct slot *slots; /* by first key */
    size_t count, capacity, gone;
    size_t text_bytes;
    struct ff_ended_batches ended;
    uint64_t states[FF_TASK_STATE_COUNT];
    struct old_trace old[OLD_TRACES]; /* newest first */
    size_t old_count, old_bytes;
};

struct ff_ledger *ff_ledger_create(const uint8_t secret[FF_ID_SECRET_SIZE],
                                   struct ff_waiters *waiters, struct ff_error *error)
{
    struct ff_ledger *ledger = calloc(1, sizeof *ledger);
    struct ff_groups *groups = ff_groups_create(waiters);
    if (ledger == NULL || groups == NULL) {
        ff_groups_destroy(groups);
        free(ledger);
        ff_fail(error, FF_NO_MEMORY, "no memory for the ledger");
        return NULL;
    }
    memcpy(ledger->secret, secret, FF_ID_SECRET_SIZE);
    ledger->waiters = waiters;
    ledger->groups = groups;
    return ledger;
}

static void destroy_detail(struct ff_task_detail *detail)
{
    if (detail == NULL)
        return;
    free(detail->why);
    free(detail->devices);
    free(detail->numbers);
    ff_trace_destroy(detail->trace);
    ff_buffer_dispose(&detail->previews);
    free(detail);
}

void ff_ledger_destroy(struct ff_ledger *ledger)
{
    if (ledger == NULL)
        return;
    for (size_t i = 0; i < ledger->count; i++)
        ff_batch_destroy(ledger->slots[i].batch);
    for (size_t i = 0; i < ledger->old_count; i++)
        ff_trace_destroy(ledger->old[i].trace);
    free(ledger->slots);
    free(ledger->ended.firsts);
    ff_groups_destroy(ledger->groups);
    free(ledger);
}

/* ---- batches ---- */

struct ff_batch *ff_batch_create(const uint8_t secret[FF_ID_SECRET_SIZE], int64_t first,
                                 uint32_t count)
{
    struct ff_batch *batch = calloc(1, sizeof *batch + count * sizeof batch->tasks[0]);
    if (batch == NULL)
        return NULL;
    batch->first = first;
    batch->count = count;
    batch->live = count;
    for (uint32_t i = 0; i < count; i++) {
        batch->tasks[i].batch = batch;
        ff_task_id(secret, first + i, &batch->tasks[i].id);
    }
    return batch;
}

void ff_batch_destroy(struct ff_batch *batch)
{
    if (batch == NULL)
        return;
    for (uint32_t i = 0; i < batch->count; i++)
        destroy_detail(batch->tasks[i].detail);
    free(batch->user);
    free(batch->text);
    free(batch);
}

int64_t ff_task_key_of(const struct ff_task *task)
{
    return task->batch->first + (task - task->batch->tasks);
}

static void drop_text(struct ff_ledger *ledger, struct ff_batch *batch)
{
    if (batch->text == NULL)
        return;
    for (uint32_t i = 0; i < batch->count; i++)
        batch->tasks[i].payload = NULL;
    ledger->text_bytes -= batch->text_size;
    free(batch->text);
    batch->text = NULL;
}

void ff_batch_delivered(struct ff_ledger *ledger, struct ff_task *task)
{
    struct ff_batch *batch = task->batch;
    if (task->payload == NULL)
        return;
    task->payload = NULL;
    if (--batch->undelivered == 0)
        drop_text(ledger, batch);
}

/* Closes the gaps of batches that have gone, once they are the greater part. */
static void compact(struct ff_ledger *ledger)
{
    size_t kept = 0;
    if (ledger->gone < 64 || ledger->gone * 2 < ledger->count)
        return;
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->slots[i].batch != NULL)
            ledger->slots[kept++] = ledger->slots[i];
    ledger->count = kept;
    ledger->gone = 0;
}

/* Keeps the list sorted: batches come in about the order of their keys. */
static bool insert(struct ff_ledger *ledger, struct ff_batch *batch)
{
    compact(ledger);
    if (ledger->count == ledger->capacity) {
        size_t capacity = ledger->capacity == 0 ? 64 : 2 * ledger->capacity;
        struct slot *grown = realloc(ledger->slots, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        ledger->slots = grown;
        ledger->capacity = capacity;
    }
    size_t at = ledger->count++;
    for (; at > 0 && ledger->slots[at - 1].first > batch->first; at--)
        ledger->slots[at] = ledger->slots[at - 1];
    ledger->slots[at] = (struct slot){batch->first, batch};
    return true;
}

/* The slot with the greatest first key that is not beyond `key`. */
static struct slot *find_slot(const struct ff_ledger *ledger, int64_t key)
{
    size_t low = 0;
    size_t high = ledger->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ledger->slots[middle].first <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &ledger->slots[low - 1] : NULL;
}

void ff_ledger_add(struct ff_ledger *ledger, struct ff_batch *batch, bool new_group)
{
    /* Without memory for the lists the tasks wait on the disk for the next start. */
    batch->lane = ff_lane_of(batch->endpoint, batch);
    if (batch->lane == NULL || !insert(ledger, batch)) {
        ff_batch_destroy(batch);
        return;
    }
    batch->undelivered = 0;
    ledger->text_bytes += batch->text_size;
    batch->endpoint->live += batch->live;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct ff_task *task = &batch->tasks[i];
        if (task->ended)
            continue;
        batch->undelivered += task->payload != NULL;
        task->state = FF_TASK_WAITING_FOR_EP;
        ledger->states[FF_TASK_WAITING_FOR_EP]++;
        ff_lane_push(task);
    }
    if (batch->undelivered == 0 || ledger->text_bytes > TEXT_IN_MEMORY)
        drop_text(ledger, batch);
    ff_groups_add(ledger->groups, batch, new_group);
}

/* ---- tasks ---- */

struct ff_batch *ff_ledger_find_batch(const struct ff_ledger *ledger, int64_t key)
{
    const struct slot *slot = find_slot(ledger, key);
    bool here = slot != NULL && slot->batch != NULL && key < slot->first + slot->batch->count;
    return here ? slot->batch : NULL;
}

struct ff_task *ff_ledger_find_key(const struct ff_ledger *ledger, int64_t key)
{
    struct ff_batch *batch = ff_ledger_find_batch(ledger, key);
    if (batch == NULL || batch->tasks[key - batch->first].ended)
        return NULL;
    return &batch->tasks[key - batch->first];
}

struct ff_task *ff_ledger_find(const struct ff_ledger *ledger, const struct ff_id *id)
{
    struct ff_task *task = ff_ledger_find_key(ledger, ff_task_id_claimed_key(id));
    return task != NULL && ff_id_equal(&task->id, id) ? task : NULL;
}

bool ff_ledger_move(struct ff_ledger *ledger, struct ff_task *task, enum ff_task_state state)
{
    if (!ff_task_state_may_move((enum ff_task_state)task->state, state))
        return false;
    ledger->states[task->state]--;
    ledger->states[state]++;
    task->state = (uint8_t)state;
    return true;
}

static void keep_old_trace(struct ff_ledger *ledger, int64_t key, struct ff_trace *trace)
{
    ledger->old_bytes += ff_trace_bytes(trace);
    while (ledger->old_count > 0 &&
           (ledger->old_count == OLD_TRACES || ledger->old_bytes > OLD_TRACES_BYTES)) {
        struct old_trace *oldest = &ledger->old[--ledger->old_count];
        ledger->old_bytes -= ff_trace_bytes(oldest->trace);
        ff_trace_destroy(oldest->trace);
    }
    memmove(&ledger->old[1], &ledger->old[0], ledger->old_count * sizeof ledger->old[0]);
    ledger->old[0] = (struct old_trace){key, trace};
    ledger->old_count++;
}

const struct ff_trace *ff_ledger_old_trace(const struct ff_ledger *ledger, int64_t key)
{
    for (size_t i = 0; i < ledger->old_count; i++)
        if (ledger->old[i].key == key)
            return ledger->old[i].trace;
    return NULL;
}

/* Without memory it stays open in the store, where the next start looks at it once more. */
static void note_ended(struct ff_ledger *ledger, const struct ff_batch *batch)
{
    struct ff_ended_batches *ended = &ledger->ended;
    if (ended->count == ended->capacity) {
        size_t capacity = ended->capacity == 0 ? 64 : 2 * ended->capacity;
        int64_t *firsts = realloc(ended->firsts, capacity * sizeof *firsts);
        if (firsts == NULL)
            return;
        ended->firsts = firsts;
        ended->capacity = capacity;
    }
    ended->firsts[ended->count++] = batch->first;
    ended->tasks += batch->count;
}

struct ff_ended_batches *ff_ledger_ended_batches(struct ff_ledger *ledger)
{
    return &ledger->ended;
}

void ff_ledger_end(struct ff_ledger *ledger, struct ff_task *task, enum ff_task_state state,
                   int64_t seq)
{
    struct ff_batch *batch = task->batch;
    struct ff_task_detail *detail = task->detail;
    int64_t key = ff_task_key_of(task);
    if (task->queued)
        ff_lane_remove(task);
    ff_batch_delivered(ledger, task);
    ledger->states[task->state]--;
    ledger->states[state]++;
    task->ended = true;
    task->detail = NULL;
    if (detail != NULL) {
        ff_wait_list_wake(ledger->waiters, &detail->waiters, false);
        if (detail->trace != NULL)
            keep_old_trace(ledger, key, detail->trace);
        detail->trace = NULL;
        destroy_detail(detail);
    }
    ff_groups_end(ledger->groups, batch, seq, key);
    batch->endpoint->live--;
    if (--batch->live > 0)
        return;
    ff_wait_list_wake(ledger->waiters, &batch->waiters, false);
    note_ended(ledger, batch);
    find_slot(ledger, batch->first)->batch = NULL;
    ledger->gone++;
    drop_text(ledger, batch);
    ff_batch_destroy(batch);
}

struct ff_task_detail *ff_task_detail(struct ff_task *task)
{
    if (task->detail == NULL) {
        task->detail = calloc(1, sizeof *task->detail);
        if (task->detail != NULL)
            ff_buffer_init(&task->detail->previews, PREVIEW_NAMES_LIMIT);
    }
    return task->detail;
}

struct ff_trace *ff_task_trace(struct ff_task *task)
{
    struct ff_task_detail *detail = ff_task_detail(task);
    if (detail == NULL || detail->trace != NULL)
        return detail != NULL ? detail->trace : NULL;
    detail->trace = ff_trace_create();
    if (detail->trace == NULL)
        return NULL;
    struct ff_event state = {.time_ns = ff_wall_ns(),
                             .type = FF_EVENT_STATE,
                             .number = task->state,
                             .attempt = task->number,
                             .node = task->node};
    ff_trace_add(detail->trace, &state, ff_span_of(detail->why));
    return detail->trace;
}

void ff_task_event(struct ff_ledger *ledger, struct ff_task *task, const struct ff_event *event,
                   struct ff_span text)
{
    struct ff_task_detail *detail = task->detail;
    if (detail == NULL)
        return;
    if (detail->trace != NULL)
        ff_trace_add(detail->trace, event, text);
    ff_wait_list_wake(ledger->waiters, &detail->waiters, true);
}

void ff_task_set_text(char **field, struct ff_span text)
{
    free(*field);
    *field = text.size > 0 ? ff_span_copy(text) : NULL;
}

void ff_ledger_each_of(struct ff_ledger *ledger, const struct ff_endpoint *endpoint,
                       void (*each)(void *user, struct ff_task *task), void *user)
{
    for (size_t b = 0; b < ledger->count; b++) {
        struct ff_batch *batch = ledger->slots[b].batch;
        if (batch == NULL || batch->endpoint != endpoint)
            continue;
        for (uint32_t i = 0; i < batch->count; i++)
            if (!batch->tasks[i].ended)
                each(user, &batch->tasks[i]);
    }
}

uint64_t ff_ledger_count(const struct ff_ledger *ledger, enum ff_task_state state)
{
    return ledger->states[state];
}

struct ff_group *ff_ledger_group(struct ff_ledger *ledger, pthread_mutex_t *lock,
                                 struct ff_store *store, const struct ff_id *id,
                                 struct ff_error *error)
{
    return ff_groups_find(ledger->groups, lock, store, id, error);
}

/* ---- rows of tasks ---- */

void ff_queue_push(struct ff_queue *queue, struct ff_task *task)
{
    task->queued = true;
    task->next = NULL;
    task->previous = queue->last;
    if (queue->last != NULL)
        queue->last->next = task;
    else
        queue->first = task;
    queue->last = task;
}

void ff_queue_push_front(struct ff_queue *queue, struct ff_task *task)
{
    task->queued = true;
    task->previous = NULL;
    task->next = queue->first;
    if (queue->first != NULL)
        queue->first->previous = task;
    else
        queue->last = task;
    queue->first = task;
}

void ff_queue_remove(struct ff_queue *queue, struct ff_task *task)
{
    if (task->previous != NULL)
        task->previous->next = task->next;
    else
        queue->first = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    else
        queue->last = task->previous;
    task->next = NULL;
    task->previous = NULL;
    task->queued = false;
}

/* ---- after a restart ---- */

struct loading {
    struct ff_ledger *ledger;
    struct ff_store *store;
    const struct ff_catalog *catalog;
    struct ff_batch *batch;
    struct ff_error *error;
    bool failed;
};

static int load_task(void *user, const struct ff_open_task *row)
{
    struct loading *loading = user;
    struct ff_batch *batch = loading->batch;
    struct ff_task *task = &batch->tasks[row->key - batch->first];
    task->payload_size = row->payload_size;
    task->is_object = row->is_object;
    task->ended = row->ended;
    batch->live -= row->ended;
    if (row->has_trial && !row->ended) {
        task->number = row->trial.number;
        task->charged = (uint8_t)row->trial.charged;
        task->uncharged = (uint8_t)row->trial.uncharged;
        task->asked = (uint8_t)row->trial.asked;
    }
    if (row->has_trial && !row->ended && row->trial.checkpoint_size > 0) {
        struct ff_task_detail *detail = ff_task_detail(task);
        if (detail == NULL)
            return 1;
        detail->checkpoint = row->trial.checkpoint;
        detail->checkpoint_size = row->trial.checkpoint_size;
    }
    return 0;
}

static int load_batch(void *user, const struct ff_batch_row *row)
{
    struct loading *loading = user;
    struct ff_batch *batch = ff_batch_create(loading->ledger->secret, row->first, row->count);
    loading->batch = batch;
    loading->failed = true;
    if (batch == NULL || (batch->user = ff_span_copy(row->user)) == NULL) {
        ff_fail(loading->error, FF_NO_MEMORY, "no memory for the tasks of the ledger");
        ff_batch_destroy(batch);
        return 1;
    }
    batch->group = row->group;
    batch->request = row->request;
    batch->endpoint = ff_catalog_endpoint(loading->catalog, row->endpoint);
    batch->function = ff_catalog_function(loading->catalog, row->function);
    snprintf(batch->priority, sizeof batch->priority, "%.*s", (int)row->priority.size,
             (const char *)row->priority.data);
    batch->submitted_ns = row->submitted_ns;
    batch->accepted_ns = row->accepted_ns;
    batch->devices = row->devices;
    batch->cores = row->cores;
    batch->nodes = row->nodes;
    batch->max_retries = row->max_retries;
    batch->time_limit_ms = row->time_limit_ms;
    loading->failed = batch->endpoint == NULL || batch->function == NULL ||
                      loading->store->ops->each_open_task(loading->store, row->first, row->count,
                                                          load_task, loading, loading->error) < 0;
    if (batch->endpoint == NULL || batch->function == NULL)
        ff_fail(
            loading->error, FF_INPUT_INVALID,
            "the ledger names a function or endpoint that it does not have (tasks from %lld on)",
            (long long)row->first);
    if (!loading->failed && batch->live == 0)
        note_ended(loading->ledger, batch);
    if (loading->failed || batch->live == 0)
        ff_batch_destroy(batch);
    else
        ff_ledger_add(loading->ledger, batch, false);
    return loading->failed;
}

int ff_ledger_load(struct ff_ledger *ledger, struct ff_store *store,
                   const struct ff_catalog *catalog, struct ff_error *error)
{
    struct loading loading = {.ledger = ledger, .store = store, .catalog = catalog, .error = error};
    if (store->ops->each_open_batch(store, load_batch, &loading, error) < 0)
        return -1;
    return loading.failed ? -1 : 0;
}
