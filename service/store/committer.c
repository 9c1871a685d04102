#include "service/store/committer.h"

#include "protocol/limits.h"

#include <pthread.h>
#include <stdlib.h>

struct ff_committer {
    struct ff_store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t arrived;
    struct ff_job *first;
    struct ff_job **last;
    bool ending;
};

/* Takes what waits, in order, as much as one commit gathers. NULL: the end was asked for and
 * nothing is left. */
static struct ff_job *take_jobs(struct ff_committer *committer)
{
    pthread_mutex_lock(&committer->lock);
    while (committer->first == NULL && !committer->ending)
        pthread_cond_wait(&committer->arrived, &committer->lock);
    struct ff_job *taken = committer->first;
    struct ff_job **end = &committer->first;
    for (uint64_t rows = 0; *end != NULL && (rows == 0 || rows + (*end)->rows <= FF_COMMIT_ROWS);
         end = &(*end)->next)
        rows += (*end)->rows;
    committer->first = *end;
    if (committer->first == NULL)
        committer->last = &committer->first;
    if (taken != NULL)
        *end = NULL;
    pthread_mutex_unlock(&committer->lock);
    return taken;
}

/* One transaction over a list of jobs. */
static int write_jobs(struct ff_store *store, struct ff_job *jobs, struct ff_error *error)
{
    int result = store->ops->begin(store, error);
    if (result < 0)
        return -1;
    for (struct ff_job *job = jobs; result == 0 && job != NULL; job = job->next)
        result = job->write(job, store, error);
    if (result == 0)
        result = store->ops->commit(store, error);
    if (result < 0)
        store->ops->rollback(store);
    return result;
}

static void tell_all(struct ff_job *jobs)
{
    while (jobs != NULL) {
        struct ff_job *next = jobs->next;
        jobs->done(jobs, NULL);
        jobs = next;
    }
}

static void commit_one_by_one(struct ff_store *store, struct ff_job *jobs)
{
    while (jobs != NULL) {
        struct ff_error error;
        struct ff_job *next = jobs->next;
        jobs->next = NULL;
        int written = write_jobs(store, jobs, &error);
        jobs->done(jobs, written < 0 ? &error : NULL);
        jobs = next;
    }
}

static void *commit_for_ever(void *argument)
{
    struct ff_committer *committer = argument;
    struct ff_job *jobs;
    while ((jobs = take_jobs(committer)) != NULL) {
        struct ff_error error;
        if (write_jobs(committer->store, jobs, &error) == 0)
            tell_all(jobs);
        else if (jobs->next == NULL)
            jobs->done(jobs, &error);
        else
            commit_one_by_one(committer->store, jobs);
    }
    return NULL;
}

struct ff_committer *ff_committer_create(struct ff_store *store, struct ff_error *error)
{
    struct ff_committer *committer = calloc(1, sizeof *committer);
    if (committer == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the committer");
        return NULL;
    }
    committer->store = store;
    committer->last = &committer->first;
    pthread_mutex_init(&committer->lock, NULL);
    pthread_cond_init(&committer->arrived, NULL);
    int failure = pthread_create(&committer->thread, NULL, commit_for_ever, committer);
    if (failure != 0) {
        ff_fail_errno(error, FF_INTERNAL, failure, "cannot start the thread of the ledger");
        pthread_cond_destroy(&committer->arrived);
        pthread_mutex_destroy(&committer->lock);
        free(committer);
        return NULL;
    }
    pthread_setname_np(committer->thread, "ff-store");
    return committer;
}

void ff_committer_submit(struct ff_committer *committer, struct ff_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&committer->lock);
    bool was_empty = committer->first == NULL;
    *committer->last = job;
    committer->last = &job->next;
    pthread_mutex_unlock(&committer->lock);
    if (was_empty)
        pthread_cond_signal(&committer->arrived);
}

void ff_committer_destroy(struct ff_committer *committer)
{
    if (committer == NULL)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->ending = true;
    pthread_mutex_unlock(&committer->lock);
    pthread_cond_signal(&committer->arrived);
    pthread_join(committer->thread, NULL);
    committer->store->ops->close(committer->store);
    pthread_cond_destroy(&committer->arrived);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}
