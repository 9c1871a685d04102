#include "endpoint/queue.h"

#include "protocol/core/clock.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256 };

struct ff_queue {
    struct ff_held **buckets;
    size_t bucket_count; /* a power of two */
    unsigned counts[3];
    uint64_t next_sequence;
    struct ff_shape *shapes;
    struct ff_held_list ended;
    struct ff_share share;
};

struct ff_queue *ff_queue_create(struct ff_error *error)
{
    struct ff_queue *queue = calloc(1, sizeof *queue);
    if (queue != NULL)
        queue->buckets = calloc(FIRST_BUCKETS, sizeof(struct ff_held *));
    if (queue == NULL || queue->buckets == NULL) {
        free(queue);
        ff_fail(error, FF_NO_MEMORY, "no memory for the queue");
        return NULL;
    }
    queue->bucket_count = FIRST_BUCKETS;
    return queue;
}

/* ---- lists ---- */

static void list_add(struct ff_held_list *list, struct ff_held *held, bool in_front)
{
    held->list = list;
    held->next = in_front ? list->first : NULL;
    held->previous = in_front ? NULL : list->last;
    *(held->previous != NULL ? &held->previous->next : &list->first) = held;
    *(held->next != NULL ? &held->next->previous : &list->last) = held;
    list->count++;
}

/* By its age; those that come back are older than most. */
static void list_insert(struct ff_held_list *list, struct ff_held *held)
{
    struct ff_held *next = list->first;
    while (next != NULL && next->sequence < held->sequence)
        next = next->next;
    if (next == NULL || next == list->first) {
        list_add(list, held, next != NULL);
        return;
    }
    held->list = list;
    held->next = next;
    held->previous = next->previous;
    held->previous->next = held;
    next->previous = held;
    list->count++;
}

static void list_remove(struct ff_held *held)
{
    struct ff_held_list *list = held->list;
    *(held->previous != NULL ? &held->previous->next : &list->first) = held->next;
    *(held->next != NULL ? &held->next->previous : &list->last) = held->previous;
    list->count--;
    held->list = NULL;
    held->next = NULL;
    held->previous = NULL;
}

/* ---- the table ---- */

/* Half of a task id is a keyed hash already, the other half counts. */
static size_t hash_of(const struct ff_id *task)
{
    uint64_t halves[2];
    memcpy(halves, task->bytes, sizeof halves);
    uint64_t mixed = (halves[0] ^ halves[1]) * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 17);
}

static struct ff_held **bucket_of(const struct ff_queue *queue, const struct ff_id *task)
{
    return &queue->buckets[hash_of(task) & (queue->bucket_count - 1)];
}

/* When it fails for want of memory the chains just grow longer. */
static void grow(struct ff_queue *queue)
{
    size_t count = 2 * queue->bucket_count;
    struct ff_held **buckets = calloc(count, sizeof(struct ff_held *));
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < queue->bucket_count; i++) {
        struct ff_held *next = NULL;
        for (struct ff_held *at = queue->buckets[i]; at != NULL; at = next) {
            next = at->next_in_bucket;
            size_t to = hash_of(&at->task) & (count - 1);
            at->next_in_bucket = buckets[to];
            buckets[to] = at;
        }
    }
    free(queue->buckets);
    queue->buckets = buckets;
    queue->bucket_count = count;
}

static void enter_table(struct ff_queue *queue, struct ff_held *held)
{
    unsigned total = queue->counts[0] + queue->counts[1] + queue->counts[2];
    if (total >= queue->bucket_count)
        grow(queue);
    struct ff_held **bucket = bucket_of(queue, &held->task);
    held->next_in_bucket = *bucket;
    *bucket = held;
    held->sequence = queue->next_sequence++;
    held->since_ns = ff_monotonic_ns();
    queue->counts[held->place]++;
}

struct ff_held *ff_queue_find(const struct ff_queue *queue, const struct ff_id *task,
                              struct ff_attempt attempt)
{
    for (struct ff_held *at = *bucket_of(queue, task); at != NULL; at = at->next_in_bucket)
        if (ff_id_equal(&at->task, task) && ff_attempt_equal(at->attempt, attempt))
            return at;
    return NULL;
}

bool ff_queue_holds(const struct ff_queue *queue, const struct ff_id *task)
{
    for (const struct ff_held *at = *bucket_of(queue, task); at != NULL; at = at->next_in_bucket)
        if (ff_id_equal(&at->task, task))
            return true;
    return false;
}

struct ff_held *ff_queue_next(const struct ff_queue *queue, const struct ff_held *held)
{
    size_t bucket = 0;
    if (held != NULL) {
        if (held->next_in_bucket != NULL)
            return held->next_in_bucket;
        bucket = (hash_of(&held->task) & (queue->bucket_count - 1)) + 1;
    }
    while (bucket < queue->bucket_count && queue->buckets[bucket] == NULL)
        bucket++;
    return bucket < queue->bucket_count ? queue->buckets[bucket] : NULL;
}

static void set_place(struct ff_queue *queue, struct ff_held *held, enum ff_held_place place)
{
    queue->counts[held->place]--;
    queue->counts[place]++;
    held->place = (uint8_t)place;
}

/* ---- shapes ---- */

static struct ff_shape *shape_of(struct ff_queue *queue, const struct ff_held *held)
{
    for (struct ff_shape *at = queue->shapes; at != NULL; at = at->next)
        if (at->priority == held->priority && at->sharer == held->sharer &&
            at->devices == held->devices && at->cores == held->cores && at->nodes == held->nodes &&
            at->limit_ms == held->limit_ms && ff_id_equal(&at->function, &held->function))
            return at;
    struct ff_shape *shape = calloc(1, sizeof *shape);
    if (shape == NULL)
        return NULL;
    shape->priority = held->priority;
    shape->devices = held->devices;
    shape->cores = held->cores;
    shape->nodes = held->nodes;
    shape->limit_ms = held->limit_ms;
    shape->sharer = held->sharer;
    shape->function = held->function;
    shape->next = queue->shapes;
    queue->shapes = shape;
    return shape;
}

static int join_shape(struct ff_queue *queue, struct ff_held *held, bool in_front)
{
    held->shape = shape_of(queue, held);
    if (held->shape == NULL)
        return -1;
    list_add(&held->shape->list, held, in_front);
    return 0;
}

static void leave_list(struct ff_queue *queue, struct ff_held *held)
{
    struct ff_shape *shape = held->shape;
    if (held->list != NULL)
        list_remove(held);
    held->shape = NULL;
    if (shape == NULL || shape->list.count > 0)
        return;
    struct ff_shape **at = &queue->shapes;
    while (*at != shape)
        at = &(*at)->next;
    *at = shape->next;
    free(shape);
}

void ff_queue_begin_pass(struct ff_queue *queue)
{
    for (struct ff_shape *at = queue->shapes; at != NULL; at = at->next)
        at->blocked = false;
}

bool ff_shape_comes_before(const struct ff_shape *a, const struct ff_shape *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->sharer != b->sharer && a->sharer->use != b->sharer->use)
        return a->sharer->use < b->sharer->use;
    return a->list.first->sequence < b->list.first->sequence;
}

struct ff_shape *ff_queue_next_shape(struct ff_queue *queue)
{
    struct ff_shape *best = NULL;
    for (struct ff_shape *at = queue->shapes; at != NULL; at = at->next)
        if (!at->blocked && (best == NULL || ff_shape_comes_before(at, best)))
            best = at;
    return best;
}

struct ff_shape *ff_queue_shapes(struct ff_queue *queue)
{
    return queue->shapes;
}

/* ---- attempts ---- */

static void free_held(struct ff_held *held)
{
    free(held->order);
    free(held->outcome);
    free(held->node_list);
    free(held);
}

static uint8_t *copy_of(struct ff_span raw)
{
    uint8_t *copy = malloc(raw.size > 0 ? raw.size : 1);
    if (copy != NULL && raw.size > 0)
        memcpy(copy, raw.data, raw.size);
    return copy;
}

static uint8_t priority_of(struct ff_span name)
{
    if (ff_span_equal(name, ff_span_of("live")))
        return 0;
    return ff_span_equal(name, ff_span_of("batch")) ? 2 : 1;
}

static uint32_t narrow(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Up to an eighth more, so that tasks with limits of their own make few shapes. */
static uint64_t round_limit(uint64_t limit_ms)
{
    uint64_t step = 1;
    while (limit_ms / step >= 16)
        step *= 2;
    return (limit_ms + step - 1) / step * step;
}

struct ff_held *ff_queue_add_order(struct ff_queue *queue, const struct ff_order *order,
                                   struct ff_span raw)
{
    struct ff_held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return NULL;
    held->task = order->task;
    held->attempt = order->attempt;
    held->number = order->number;
    held->function = order->function;
    held->devices = narrow(order->devices);
    held->cores = narrow(order->cores);
    held->nodes = order->nodes > 1 ? narrow(order->nodes) : 1;
    held->limit_ms = round_limit(order->time_limit_ms);
    held->sharer = ff_share_of(&queue->share, order->user);
    held->priority = priority_of(order->priority);
    held->place = FF_HELD_WAITING;
    held->state = FF_TASK_WAITING_FOR_NODES;
    held->order = copy_of(raw);
    held->order_size = raw.size;
    if (held->order == NULL || held->sharer == NULL || join_shape(queue, held, false) < 0) {
        free_held(held);
        return NULL;
    }
    enter_table(queue, held);
    return held;
}

struct ff_held *ff_queue_add_holding(struct ff_queue *queue, const struct ff_holding *holding,
                                     struct ff_held_list *list, void *manager)
{
    struct ff_held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return NULL;
    held->task = holding->task;
    held->attempt = holding->attempt;
    held->number = holding->number;
    held->devices = narrow(holding->devices);
    held->cores = narrow(holding->cores);
    held->nodes = holding->nodes > 1 ? narrow(holding->nodes) : 1;
    held->limit_ms = round_limit(holding->time_limit_ms);
    held->function = holding->function;
    held->priority = priority_of(holding->priority);
    held->sharer = ff_share_of(&queue->share, holding->user);
    held->can_checkpoint = holding->can_checkpoint;
    held->place = FF_HELD_GIVEN;
    held->state = holding->state < FF_TASK_STATE_COUNT ? (uint8_t)holding->state : 0;
    held->manager = manager;
    held->node_list = holding->node_list.size > 0 ? ff_span_copy(holding->node_list) : NULL;
    if (held->sharer == NULL) {
        free_held(held);
        return NULL;
    }
    list_add(list, held, false);
    enter_table(queue, held);
    return held;
}

void ff_queue_give(struct ff_queue *queue, struct ff_held *held, struct ff_held_list *list,
                   void *manager)
{
    leave_list(queue, held);
    set_place(queue, held, FF_HELD_GIVEN);
    held->manager = manager;
    held->state = FF_TASK_WAITING_FOR_LAUNCH;
    list_add(list, held, false);
}

int ff_queue_take_back(struct ff_queue *queue, struct ff_held *held)
{
    struct ff_shape *shape = held->order != NULL ? shape_of(queue, held) : NULL;
    if (shape == NULL)
        return -1;
    leave_list(queue, held);
    held->shape = shape;
    list_insert(&shape->list, held);
    set_place(queue, held, FF_HELD_WAITING);
    held->manager = NULL;
    held->state = FF_TASK_WAITING_FOR_NODES;
    held->reported = FF_WAIT_NONE;
    return 0;
}

int ff_queue_end(struct ff_queue *queue, struct ff_held *held, struct ff_span raw)
{
    uint8_t *outcome = copy_of(raw);
    if (outcome == NULL)
        return -1;
    leave_list(queue, held);
    set_place(queue, held, FF_HELD_ENDED);
    free(held->order);
    free(held->outcome);
    held->order = NULL;
    held->outcome = outcome;
    held->outcome_size = raw.size;
    list_add(&queue->ended, held, false);
    return 0;
}

void ff_queue_remove(struct ff_queue *queue, struct ff_held *held)
{
    struct ff_held **at = bucket_of(queue, &held->task);
    while (*at != held)
        at = &(*at)->next_in_bucket;
    *at = held->next_in_bucket;
    leave_list(queue, held);
    queue->counts[held->place]--;
    free_held(held);
}

struct ff_share *ff_queue_share(struct ff_queue *queue)
{
    return &queue->share;
}

struct ff_held_list *ff_queue_ended(struct ff_queue *queue)
{
    return &queue->ended;
}

unsigned ff_queue_count(const struct ff_queue *queue, enum ff_held_place place)
{
    return queue->counts[place];
}

void ff_queue_destroy(struct ff_queue *queue)
{
    if (queue == NULL)
        return;
    for (size_t i = 0; i < queue->bucket_count; i++) {
        struct ff_held *next = NULL;
        for (struct ff_held *at = queue->buckets[i]; at != NULL; at = next) {
            next = at->next_in_bucket;
            free_held(at);
        }
    }
    while (queue->shapes != NULL) {
        struct ff_shape *next = queue->shapes->next;
        free(queue->shapes);
        queue->shapes = next;
    }
    ff_share_dispose(&queue->share);
    free(queue->buckets);
    free(queue);
}
