/*
 * service/save.h: small writes about endpoints and tasks.
 */
#ifndef FF_SERVICE_SAVE_H
#define FF_SERVICE_SAVE_H

#include "service/service.h"

/* Called in the committer's thread when it is durable (error NULL), or was not written. */
typedef void ff_saved(void *user, const struct ff_error *error);

/* Writes who holds an endpoint, as it is when the commit comes; a failure is only logged, since
 * the next change of it writes it again. */
void ff_endpoint_save_lease(struct ff_service *service, struct ff_endpoint *endpoint);

/* Remembers durably what a user asked of a task (task->asked is set already). Under the lock.
 * `done` may be NULL. */
void ff_task_save_asked(struct ff_service *service, struct ff_task *task, ff_saved *done,
                        void *user);

/* Tells the store which batches have ended altogether, so that a restart does not look at them:
 * when there are many, or `all`. Until then, and where it fails, a restart only looks at some in
 * vain. Under the lock. */
void ff_batches_close(struct ff_service *service, bool all);

#endif
