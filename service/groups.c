/*
 * Task groups: which tasks they have and in which order these ended. All of it can be read from
 * the store at any time, so a group stands here only while somebody looks at it, and is forgotten
 * when others are looked at.
 *
 * Reading goes on while commits do: what a reading saw already, and what is told again afterwards,
 * is recognised by the first key of a batch and by `seq`, which only grows.
 */
#include "service/ledger.h"

#include "protocol/core/clock.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, GROUPS_KEPT = 1024 };

struct ff_groups {
    struct ff_waiters *waiters;
    struct ff_group *buckets[BUCKETS];
    size_t count;
};

struct ff_groups *ff_groups_create(struct ff_waiters *waiters)
{
    struct ff_groups *groups = calloc(1, sizeof *groups);
    if (groups != NULL)
        groups->waiters = waiters;
    return groups;
}

static void destroy_group(struct ff_group *group)
{
    free(group->user);
    free(group->runs);
    free(group->ends);
    free(group);
}

void ff_groups_destroy(struct ff_groups *groups)
{
    if (groups == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (groups->buckets[i] != NULL) {
            struct ff_group *group = groups->buckets[i];
            groups->buckets[i] = group->next;
            destroy_group(group);
        }
    }
    free(groups);
}

static struct ff_group **bucket_of(struct ff_groups *groups, const struct ff_id *id)
{
    size_t hash = 0;
    for (int i = 0; i < FF_ID_SIZE; i++)
        hash = hash * 31 + id->bytes[i];
    return &groups->buckets[hash % BUCKETS];
}

static struct ff_group *find(struct ff_groups *groups, const struct ff_id *id)
{
    struct ff_group *group = *bucket_of(groups, id);
    while (group != NULL && !ff_id_equal(&group->id, id))
        group = group->next;
    return group;
}

static void forget(struct ff_groups *groups, struct ff_group *group)
{
    struct ff_group **at = bucket_of(groups, &group->id);
    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    groups->count--;
    destroy_group(group);
}

/* Forgets the half that was not looked at for longest; a group that somebody waits for stays. */
static void make_room(struct ff_groups *groups)
{
    int64_t sum = 0;
    int64_t now = ff_monotonic_ns();
    if (groups->count < GROUPS_KEPT)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct ff_group *at = groups->buckets[i]; at != NULL; at = at->next)
            sum += (now - at->used_ns) / GROUPS_KEPT;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct ff_group *next = NULL;
        for (struct ff_group *at = groups->buckets[i]; at != NULL; at = next) {
            next = at->next;
            if (at->waiters.first == NULL && now - at->used_ns >= sum)
                forget(groups, at);
        }
    }
}

static struct ff_group *make(struct ff_groups *groups, const struct ff_id *id, struct ff_span user)
{
    make_room(groups);
    struct ff_group *group = calloc(1, sizeof *group);
    if (group == NULL || (group->user = ff_span_copy(user)) == NULL) {
        free(group);
        return NULL;
    }
    group->id = *id;
    group->used_ns = ff_monotonic_ns();
    struct ff_group **bucket = bucket_of(groups, id);
    group->next = *bucket;
    *bucket = group;
    groups->count++;
    return group;
}

static bool add_run(struct ff_group *group, int64_t first, uint32_t count)
{
    for (size_t i = group->run_count; i-- > 0;)
        if (group->runs[i].first == first)
            return true;
    if (group->run_count == group->run_capacity) {
        size_t capacity = group->run_capacity == 0 ? 4 : 2 * group->run_capacity;
        struct ff_group_run *runs = realloc(group->runs, capacity * sizeof *runs);
        if (runs == NULL)
            return false;
        group->runs = runs;
        group->run_capacity = capacity;
    }
    group->runs[group->run_count++] = (struct ff_group_run){first, count};
    group->total += count;
    return true;
}

static bool add_end(struct ff_group *group, int64_t seq, int64_t key)
{
    if (group->end_count > 0 && group->ends[group->end_count - 1].seq >= seq)
        return true;
    if (group->end_count == group->end_capacity) {
        size_t capacity = group->end_capacity == 0 ? 8 : 2 * group->end_capacity;
        struct ff_group_end *ends = realloc(group->ends, capacity * sizeof *ends);
        if (ends == NULL)
            return false;
        group->ends = ends;
        group->end_capacity = capacity;
    }
    group->ends[group->end_count++] = (struct ff_group_end){seq, key};
    return true;
}

void ff_groups_add(struct ff_groups *groups, const struct ff_batch *batch, bool new_group)
{
    struct ff_group *group = find(groups, &batch->group);
    if (group == NULL && new_group)
        group = make(groups, &batch->group, ff_span_of(batch->user));
    if (group == NULL)
        return;
    if (!add_run(group, batch->first, batch->count) && group->waiters.first == NULL)
        forget(groups, group);
}

void ff_groups_end(struct ff_groups *groups, const struct ff_batch *batch, int64_t seq, int64_t key)
{
    struct ff_group *group = find(groups, &batch->group);
    if (group == NULL)
        return;
    bool kept = add_end(group, seq, key);
    ff_wait_list_wake(groups->waiters, &group->waiters, false);
    if (!kept)
        forget(groups, group);
}

struct reading {
    struct ff_groups *groups;
    const struct ff_id *id;
    struct ff_group *group;
    struct ff_store *store;
    bool failed;
};

static int read_batch(void *user, const struct ff_batch_row *row)
{
    struct reading *reading = user;
    if (reading->group == NULL)
        reading->group = make(reading->groups, reading->id, row->user);
    reading->failed = reading->group == NULL || !add_run(reading->group, row->first, row->count);
    return reading->failed;
}

static int read_end(void *user, int64_t seq, int64_t key)
{
    struct reading *reading = user;
    struct ff_group *group = reading->group;
    /* Runs are read one after the other: order comes afterwards. */
    if (group->end_count == group->end_capacity) {
        size_t capacity = group->end_capacity == 0 ? 64 : 2 * group->end_capacity;
        struct ff_group_end *ends = realloc(group->ends, capacity * sizeof *ends);
        reading->failed = ends == NULL;
        if (reading->failed)
            return 1;
        group->ends = ends;
        group->end_capacity = capacity;
    }
    group->ends[group->end_count++] = (struct ff_group_end){seq, key};
    return 0;
}

static int compare_ends(const void *a, const void *b)
{
    int64_t x = ((const struct ff_group_end *)a)->seq;
    int64_t y = ((const struct ff_group_end *)b)->seq;
    return (x > y) - (x < y);
}

static int read_group(struct reading *reading, struct ff_error *error)
{
    struct ff_store *store = reading->store;
    if (store->ops->each_group_batch(store, reading->id, read_batch, reading, error) < 0)
        return -1;
    if (reading->group == NULL && !reading->failed)
        return ff_fail(error, FF_NOT_FOUND, "there is no task group of this id");
    for (size_t i = 0; !reading->failed && i < reading->group->run_count; i++) {
        const struct ff_group_run *run = &reading->group->runs[i];
        if (store->ops->each_ended(store, run->first, run->count, read_end, reading, error) < 0)
            return -1;
    }
    if (reading->failed)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks of a group");
    if (reading->group->end_count > 0)
        qsort(reading->group->ends, reading->group->end_count, sizeof *reading->group->ends,
              compare_ends);
    return 0;
}

struct ff_group *ff_groups_find(struct ff_groups *groups, struct ff_store *store,
                                const struct ff_id *id, struct ff_error *error)
{
    struct ff_group *group = find(groups, id);
    if (group == NULL) {
        struct reading reading = {.groups = groups, .id = id, .store = store};
        /* One state of the ledger: an end must not be seen before those that came before it. */
        if (store->ops->snapshot(store, error) < 0)
            return NULL;
        int result = read_group(&reading, error);
        store->ops->release(store);
        if (result < 0) {
            if (reading.group != NULL)
                forget(groups, reading.group);
            return NULL;
        }
        group = reading.group;
    }
    group->used_ns = ff_monotonic_ns();
    return group;
}
