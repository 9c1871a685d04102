/*
 * service/router/router.h: the service's side of the links to endpoints (protocol/MESSAGES.md):
 * who is let in, what each endpoint is given and told, and what comes back. Runs in the loop of
 * the service.
 *
 *     router.c    hello and lease, messages by type, sending what has gathered
 *     announce.c  what an endpoint holds after a reconnection, and what nobody holds any more
 *     dispatch.c  orders
 *     outcomes.c  how attempts end: results, losses, retries, cancellations; the only place that
 * ends a task
 *     reports.c   states, progress, previews, log lines
 *     transfer.c  objects
 */
#ifndef FF_SERVICE_ROUTER_ROUTER_H
#define FF_SERVICE_ROUTER_ROUTER_H

#include "service/service.h"

/* Binds the port; 0 in service->router_port becomes the one chosen. */
struct ff_router *ff_router_create(struct ff_service *service, struct ff_error *error) FF_MUST_USE;
/* Says farewell. NULL is fine. */
void ff_router_destroy(struct ff_router *router);

/* Tells an endpoint with the next turn of the loop. Under the lock. */
void ff_router_note_control(struct ff_endpoint *endpoint, const struct ff_task *task,
                            enum ff_control_action action);
void ff_router_note_receipt(struct ff_endpoint *endpoint, const struct ff_id *task,
                            struct ff_attempt attempt, bool ended);

/* Writes the registration and lease of an endpoint as they are when the commit comes. `done` may
 * be NULL. */
typedef void ff_saved(void *user, const struct ff_error *error);
void ff_endpoint_save(struct ff_service *service, struct ff_endpoint *endpoint, ff_saved *done,
                      void *user);

/* Ends a live task without its endpoint (cancelled before it was given, or its endpoint is away);
 * the task must not be `ending`. Under the lock. `done` is called when it is durable; it may be
 * NULL. */
void ff_task_cancel_here(struct ff_service *service, struct ff_task *task, ff_saved *done,
                         void *user);

/* Remembers durably what a user asked of a task (task->asked is set already). Under the lock. */
void ff_task_save_asked(struct ff_service *service, struct ff_task *task, ff_saved *done,
                        void *user);

/* Tells the store which batches have ended altogether, so that a restart does not look at them:
 * when there are many, or `all`. Until then, and where it fails, a restart only looks at some in
 * vain. Under the lock. */
void ff_batches_close(struct ff_service *service, bool all);

#endif
