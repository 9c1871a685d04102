/*
 * service/router/router.h: the service's side of the links to endpoints (protocol/MESSAGES.md):
 * who is let in, what each endpoint is given and told, and what comes back. Runs in the loop of
 * the service.
 *
 *     router.c    hello and lease, messages by type, sending what has gathered
 *     announce.c  what an endpoint holds after a reconnection, and what nobody holds any more
 *     dispatch.c  orders
 *     outcomes.c  what endpoints say of attempts that have ended
 *     reports.c   states, progress, previews, log lines
 *     transfer.c  objects
 */
#ifndef FF_SERVICE_ROUTER_ROUTER_H
#define FF_SERVICE_ROUTER_ROUTER_H

#include "service/service.h"

/* So many receipts go even without orders to ride with. */
enum { FF_RECEIPTS_AT_ONCE = 64 };

/* Binds the port; 0 in service->router_port becomes the one chosen. */
struct ff_router *ff_router_create(struct ff_service *service, struct ff_error *error) FF_MUST_USE;
/* Says farewell. NULL is fine. */
void ff_router_destroy(struct ff_router *router);

/* Tells an endpoint with the next turn of the loop. Under the lock. */
void ff_router_note_control(struct ff_endpoint *endpoint, const struct ff_task *task,
                            enum ff_control_action action);
void ff_router_note_receipt(struct ff_endpoint *endpoint, const struct ff_id *task,
                            struct ff_attempt attempt, bool ended);
/* The window of its endpoint has one attempt less. Under the lock. */
void ff_router_release(struct ff_task *task);

#endif
