/*
 * Changes that a request hands to the committer, and whose reply waits for the commit.
 */
#include "service/http/request.h"

#include <stdlib.h>

static int write_change(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct ff_commit *commit = (struct ff_commit *)job;
    return commit->kind->write(commit, store, error);
}

static void change_done(struct ff_job *job, const struct ff_error *error)
{
    struct ff_commit *commit = (struct ff_commit *)job;
    struct ff_service *service = commit->request->service;
    struct ff_error failure;
    if (error == NULL) {
        pthread_mutex_lock(&service->lock);
        if (commit->kind->apply(commit, service, &failure) < 0)
            error = &failure;
        pthread_mutex_unlock(&service->lock);
    }
    ff_request_resume(commit->request, error);
}

void *ff_commit_create(struct ff_request *request, const struct ff_commit_kind *kind,
                       struct ff_error *error)
{
    struct ff_commit *commit = calloc(1, kind->size);
    if (commit == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a change");
        return NULL;
    }
    commit->request = request;
    commit->kind = kind;
    commit->job.rows = 1;
    commit->job.write = write_change;
    commit->job.done = change_done;
    request->work = commit;
    request->work_destroy = kind->destroy;
    return commit;
}

int ff_commit_submit(struct ff_commit *commit, struct ff_error *error)
{
    if (ff_request_suspend(commit->request, error) < 0)
        return -1;
    ff_committer_submit(commit->request->service->committer, &commit->job);
    return FF_LATER;
}
