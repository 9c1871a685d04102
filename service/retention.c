#include "service/retention.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "service/previews.h"
#include "service/save.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, FIRST_MS = 60000, TASKS_AT_ONCE = 2000 };

struct ff_retention {
    struct ff_job job;
    struct ff_service *service;
    struct ff_timer *timer;
    bool more;            /* left behind by the last job */
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t over;
    bool busy;
    bool ending;
    void (*done)(void *user);
    void *user;
};

static void finish(struct ff_retention *retention)
{
    if (retention->done != NULL)
        retention->done(retention->user);
    pthread_mutex_lock(&retention->lock);
    retention->busy = false;
    pthread_cond_signal(&retention->over);
    pthread_mutex_unlock(&retention->lock);
}

/* ---- files without a row, in a thread of their own ---- */

struct used {
    struct ff_digest *digests;
    size_t count, capacity;
    bool failed;
};

static int add_used(void *user, const struct ff_digest *digest)
{
    struct used *used = user;
    if (used->count == used->capacity) {
        size_t capacity = used->capacity == 0 ? 256 : 2 * used->capacity;
        struct ff_digest *grown = realloc(used->digests, capacity * sizeof *grown);
        used->failed = grown == NULL;
        if (used->failed)
            return 1;
        used->digests = grown;
        used->capacity = capacity;
    }
    used->digests[used->count++] = *digest;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ff_digest));
}

static bool is_used(void *user, const struct ff_digest *digest)
{
    const struct used *used = user;
    return bsearch(digest, used->digests, used->count, sizeof *digest, compare) != NULL;
}

static int ignore_batch(void *user, const struct ff_batch_row *row)
{
    (void)user;
    (void)row;
    return 0;
}

struct known {
    struct ff_service *service;
    struct ff_store *store;
};

/* Errors count as known: rather a file too many than one too few. */
static bool is_known(void *user, const struct ff_id *task)
{
    struct known *known = user;
    int64_t key = ff_task_id_key(known->service->identity.secret, task);
    return key >= 0 &&
           known->store->ops->get_batch(known->store, key, ignore_batch, NULL, NULL) != 0;
}

static void sweep_with(struct ff_service *service, struct ff_store *store)
{
    struct ff_error error;
    struct used used = {NULL, 0, 0, false};
    struct known known = {service, store};
    if (store->ops->each_digest(store, add_used, &used, &error) < 0) {
        ff_log_error("old objects were not looked for", &error);
    } else if (!used.failed) {
        if (used.count > 0)
            qsort(used.digests, used.count, sizeof *used.digests, compare);
        ff_objects_sweep(service->objects, is_used, &used);
        ff_previews_sweep(service->previews, is_known, &known);
    }
    free(used.digests);
}

static void *sweep(void *argument)
{
    struct ff_retention *retention = argument;
    struct ff_service *service = retention->service;
    struct ff_error error;
    struct ff_store *store =
        ff_store_sqlite.open(service->ledger_path, FF_STORE_READER, NULL, &error);
    if (store == NULL) {
        ff_log_error("old objects were not looked for", &error);
    } else {
        sweep_with(service, store);
        store->ops->close(store);
    }
    finish(retention);
    return NULL;
}

/* ---- rows ---- */

static int retire(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct ff_retention *retention = (struct ff_retention *)job;
    int64_t now = ff_wall_ns();
    int64_t before = now - retention->service->config.result_days * 86400 * 1000000000ll;
    int64_t keys_before = now - FF_IDEMPOTENCY_HOURS * 3600ll * 1000000000ll;
    return store->ops->retire(store, before, keys_before, TASKS_AT_ONCE, &retention->more, error);
}

static void retired(struct ff_job *job, const struct ff_error *error)
{
    struct ff_retention *retention = (struct ff_retention *)job;
    pthread_t sweeper;
    pthread_attr_t attributes;
    pthread_mutex_lock(&retention->lock);
    bool ending = retention->ending;
    pthread_mutex_unlock(&retention->lock);
    if (error != NULL)
        ff_log_error("old tasks were not removed", error);
    if (error != NULL || ending) {
        finish(retention);
        return;
    }
    if (retention->more) {
        /* Again behind what has arrived meanwhile, so that nobody waits for long. */
        ff_committer_submit(retention->service->committer, job);
        return;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&sweeper, &attributes, sweep, retention) != 0)
        finish(retention);
    pthread_attr_destroy(&attributes);
}

bool ff_retention_begin(struct ff_retention *retention, void (*done)(void *user), void *user)
{
    pthread_mutex_lock(&retention->lock);
    bool free_now = !retention->busy && !retention->ending;
    if (free_now)
        retention->busy = true;
    pthread_mutex_unlock(&retention->lock);
    if (!free_now)
        return false;
    retention->done = done;
    retention->user = user;
    pthread_mutex_lock(&retention->service->lock);
    ff_batches_close(retention->service, true);
    pthread_mutex_unlock(&retention->service->lock);
    retention->job.rows = TASKS_AT_ONCE;
    ff_committer_submit(retention->service->committer, &retention->job);
    return true;
}

static void due(void *user)
{
    struct ff_retention *retention = user;
    ff_timer_set_after(retention->timer, HOUR_MS);
    /* A round that takes longer than an hour is simply left to go on. */
    ff_retention_begin(retention, NULL, NULL);
}

struct ff_retention *ff_retention_create(struct ff_service *service, struct ff_error *error)
{
    struct ff_retention *retention = calloc(1, sizeof *retention);
    if (retention == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the retention");
        return NULL;
    }
    retention->service = service;
    retention->job.write = retire;
    retention->job.done = retired;
    pthread_mutex_init(&retention->lock, NULL);
    pthread_cond_init(&retention->over, NULL);
    retention->timer = ff_timer_create(service->loop, due, retention, error);
    if (retention->timer == NULL) {
        ff_retention_destroy(retention);
        return NULL;
    }
    ff_timer_set_after(retention->timer, FIRST_MS);
    return retention;
}

void ff_retention_destroy(struct ff_retention *retention)
{
    if (retention == NULL)
        return;
    pthread_mutex_lock(&retention->lock);
    retention->ending = true;
    while (retention->busy)
        pthread_cond_wait(&retention->over, &retention->lock);
    pthread_mutex_unlock(&retention->lock);
    ff_timer_destroy(retention->timer);
    pthread_cond_destroy(&retention->over);
    pthread_mutex_destroy(&retention->lock);
    free(retention);
}
