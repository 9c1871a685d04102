/*
 * service/store/committer.h: the one thread that writes the ledger.
 *
 * Jobs come from any thread. The thread takes all that have arrived (up to FF_COMMIT_ROWS rows),
 * writes them in one transaction, commits once, and tells each job how it went: so a thousand
 * tasks share one sync, a single one waits for nobody, and there is no timer. When a transaction
 * fails, its jobs are tried again one by one, so that only those fail that cannot be written.
 */
#ifndef FF_SERVICE_STORE_COMMITTER_H
#define FF_SERVICE_STORE_COMMITTER_H

#include "service/store/store.h"

struct ff_committer;

/* Embedded by whoever has something to write; owned by the committer between submit and done. */
struct ff_job {
    struct ff_job *next;
    uint32_t rows; /* about how much it writes */
    /* In the committer's thread, inside a transaction; may be called again after a failure. */
    int (*write)(struct ff_job *job, struct ff_store *store, struct ff_error *error);
    /* In the committer's thread, after the commit. `error` is NULL when it is durable. Wakes whom
     * that concerns; may free the job. */
    void (*done)(struct ff_job *job, const struct ff_error *error);
};

/* Takes the store over. */
struct ff_committer *ff_committer_create(struct ff_store *store,
                                         struct ff_error *error) FF_MUST_USE;
void ff_committer_submit(struct ff_committer *committer, struct ff_job *job);

/* Writes all that was submitted, then ends the thread and closes the store. NULL is fine. */
void ff_committer_destroy(struct ff_committer *committer);

#endif
