/*
 * Task groups: which tasks they have and in which order these ended. All of it can be read from
 * the store at any time, so a group stands here only while somebody looks at it, and is forgotten
 * when others are looked at.
 *
 * A group is read without the lock of the service, into lists of the reader's own, while an entry
 * stands here already and takes down what is committed meanwhile. What both have seen is
 * recognised by the first key of a batch and by `seq`, which only grows.
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
    uint64_t serial; /* of the last entry */
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
            if (at->waiters.first == NULL && at->readers == 0 && now - at->used_ns >= sum)
                forget(groups, at);
        }
    }
}

static struct ff_group *make(struct ff_groups *groups, const struct ff_id *id)
{
    make_room(groups);
    struct ff_group *group = calloc(1, sizeof *group);
    if (group == NULL)
        return NULL;
    group->id = *id;
    group->serial = ++groups->serial;
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

static bool push_end(struct ff_group *group, int64_t seq, int64_t key)
{
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

/* Ends are told in the order of their seq. */
static bool add_end(struct ff_group *group, int64_t seq, int64_t key)
{
    bool known = group->end_count > 0 && group->ends[group->end_count - 1].seq >= seq;
    return known || push_end(group, seq, key);
}

static bool set_user(struct ff_group *group, struct ff_span user)
{
    if (group->user == NULL)
        group->user = ff_span_copy(user);
    return group->user != NULL;
}

void ff_groups_add(struct ff_groups *groups, const struct ff_batch *batch, bool new_group)
{
    struct ff_group *group = find(groups, &batch->group);
    if (group == NULL && new_group)
        group = make(groups, &batch->group);
    if (group == NULL)
        return;
    bool kept =
        set_user(group, ff_span_of(batch->user)) && add_run(group, batch->first, batch->count);
    if (!kept && group->waiters.first == NULL)
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

/* ---- from the store ---- */

/* A group as one state of the ledger has it, in the reader's own hands. */
struct reading {
    struct ff_group group;
    bool failed;
};

static int read_batch(void *user, const struct ff_batch_row *row)
{
    struct reading *reading = user;
    reading->failed =
        !set_user(&reading->group, row->user) || !add_run(&reading->group, row->first, row->count);
    return reading->failed;
}

static int read_end(void *user, int64_t seq, int64_t key)
{
    struct reading *reading = user;
    /* Runs are read one after the other: order comes afterwards. */
    reading->failed = !push_end(&reading->group, seq, key);
    return reading->failed;
}

static int compare_ends(const void *a, const void *b)
{
    int64_t x = ((const struct ff_group_end *)a)->seq;
    int64_t y = ((const struct ff_group_end *)b)->seq;
    return (x > y) - (x < y);
}

static int read_lists(struct ff_store *store, const struct ff_id *id, struct reading *reading,
                      struct ff_error *error)
{
    struct ff_group *group = &reading->group;
    if (store->ops->each_group_batch(store, id, read_batch, reading, error) < 0)
        return -1;
    for (size_t i = 0; !reading->failed && i < group->run_count; i++) {
        const struct ff_group_run *run = &group->runs[i];
        if (store->ops->each_ended(store, run->first, run->count, read_end, reading, error) < 0)
            return -1;
    }
    if (reading->failed)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the tasks of a group");
    if (group->end_count > 0)
        qsort(group->ends, group->end_count, sizeof *group->ends, compare_ends);
    return 0;
}

static int read_group(struct ff_store *store, const struct ff_id *id, struct reading *reading,
                      struct ff_error *error)
{
    /* One state of the ledger: an end must not be seen before those that came before it. */
    if (store->ops->snapshot(store, error) < 0)
        return -1;
    int result = read_lists(store, id, reading, error);
    store->ops->release(store);
    return result;
}

/* Puts what was read under what the entry has taken down since. */
static bool merge(struct ff_group *group, struct ff_group *read)
{
    bool kept = true;
    for (size_t i = 0; kept && i < group->run_count; i++)
        kept = add_run(read, group->runs[i].first, group->runs[i].count);
    for (size_t i = 0; kept && i < group->end_count; i++)
        kept = add_end(read, group->ends[i].seq, group->ends[i].key);
    kept = kept && (group->user == NULL || set_user(read, ff_span_of(group->user)));
    if (!kept)
        return false;
    struct ff_group old = *group;
    group->user = read->user;
    group->runs = read->runs;
    group->run_count = read->run_count;
    group->run_capacity = read->run_capacity;
    group->ends = read->ends;
    group->end_count = read->end_count;
    group->end_capacity = read->end_capacity;
    group->total = read->total;
    group->incomplete = false;
    read->user = old.user;
    read->runs = old.runs;
    read->ends = old.ends;
    return true;
}

/* The entry, when it holds what was read. It is NULL where it was forgotten meanwhile. */
static struct ff_group *keep(struct ff_group *group, struct reading *reading,
                             struct ff_error *error)
{
    if (group != NULL && (!group->incomplete || merge(group, &reading->group)) &&
        group->run_count > 0)
        return group;
    if (reading->group.run_count == 0)
        ff_fail(error, FF_NOT_FOUND, "there is no task group of this id");
    else
        ff_fail(error, FF_NO_MEMORY, "no memory for the tasks of a group");
    return NULL;
}

/* Reads the rest of an entry, while the lock is given back. Two may do so at once, each with its
 * own store: the first to come back fills it. */
static struct ff_group *complete(struct ff_groups *groups, pthread_mutex_t *lock,
                                 struct ff_group *group, struct ff_store *store,
                                 struct ff_error *error)
{
    struct reading reading = {.failed = false};
    struct ff_id id = group->id;
    uint64_t serial = group->serial;
    group->readers++;
    pthread_mutex_unlock(lock);
    int result = read_group(store, &id, &reading, error);
    pthread_mutex_lock(lock);
    struct ff_group *entry = find(groups, &id);
    if (entry != NULL && entry->serial != serial)
        entry = NULL;
    struct ff_group *found = result == 0 ? keep(entry, &reading, error) : NULL;
    if (entry != NULL && --entry->readers == 0 && found == NULL)
        forget(groups, entry);
    free(reading.group.user);
    free(reading.group.runs);
    free(reading.group.ends);
    return found;
}

struct ff_group *ff_groups_find(struct ff_groups *groups, pthread_mutex_t *lock,
                                struct ff_store *store, const struct ff_id *id,
                                struct ff_error *error)
{
    struct ff_group *group = find(groups, id);
    if (group == NULL) {
        group = make(groups, id);
        if (group == NULL) {
            ff_fail(error, FF_NO_MEMORY, "no memory for a task group");
            return NULL;
        }
        group->incomplete = true;
    }
    group->used_ns = ff_monotonic_ns();
    return group->incomplete ? complete(groups, lock, group, store, error) : group;
}
