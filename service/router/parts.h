/*
 * service/router/parts.h: what the files of the router share. Private to service/router.
 */
#ifndef FF_SERVICE_ROUTER_PARTS_H
#define FF_SERVICE_ROUTER_PARTS_H

#include "protocol/codec.h"
#include "protocol/peers.h"
#include "service/lanes.h"
#include "service/router/router.h"

enum { FF_MESSAGE_BUFFER = FF_MESSAGE_LIMIT };

struct ff_transfer;

struct ff_router {
    struct ff_service *service;
    void *context;
    struct ff_peers *peers;
    struct ff_prepare *prepare;
    struct ff_timer *receipt_timer;
    bool receipts_due;      /* they have waited for orders long enough */
    struct ff_store *store; /* a reader: arguments that are not in memory any more */
    struct ff_buffer message, arguments;
    struct ff_transfer *transfers; /* objects that endpoints are sending */
};

/* dispatch.c: gives an endpoint what it has room for; true when something was sent. Under the
 * lock. */
bool ff_router_dispatch(struct ff_router *router, struct ff_endpoint *endpoint);
/* Makes the loop look for receipts in FF_RECEIPT_WAIT_MS, unless it does so already. In the loop,
 * under the lock. */
void ff_router_time_receipts(struct ff_router *router);
/* The window has one attempt more; router.h has the opposite. */
void ff_router_hold(struct ff_task *task);

/* Handlers of messages. -1 ends the link. All but those of transfer.c are called under the lock. */
int ff_router_holding(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error);
void ff_router_holding_end(struct ff_router *router, struct ff_endpoint *endpoint);
int ff_router_states(struct ff_router *router, struct ff_endpoint *endpoint,
                     struct ff_decoder *decoder, struct ff_error *error);
int ff_router_progress(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error);
int ff_router_preview(struct ff_router *router, struct ff_endpoint *endpoint,
                      struct ff_decoder *decoder, struct ff_error *error);
int ff_router_log(struct ff_router *router, struct ff_endpoint *endpoint,
                  struct ff_decoder *decoder, struct ff_error *error);
int ff_router_outcomes(struct ff_router *router, struct ff_endpoint *endpoint,
                       struct ff_decoder *decoder, struct ff_error *error);
int ff_router_want(struct ff_router *router, struct ff_peer *peer, struct ff_decoder *decoder,
                   struct ff_error *error);
int ff_router_store(struct ff_router *router, struct ff_endpoint *endpoint, struct ff_peer *peer,
                    struct ff_decoder *decoder, struct ff_error *error);

/* transfer.c: tells endpoints about objects that have been kept; forgets those of an endpoint that
 * went. */
bool ff_router_transfers_run(struct ff_router *router);
void ff_router_transfers_drop(struct ff_router *router, const struct ff_endpoint *endpoint);
void ff_router_transfers_destroy(struct ff_router *router);

/* Cancels an attempt that is not the current one of any task. */
void ff_router_note_cancel(struct ff_endpoint *endpoint, const struct ff_id *task,
                           struct ff_attempt attempt);

/* The live task that this endpoint may speak of with this attempt, or NULL. */
struct ff_task *ff_router_current(struct ff_router *router, const struct ff_endpoint *endpoint,
                                  const struct ff_id *id, struct ff_attempt attempt);

/* outcomes.c: attempts that nobody announced and that had begun: lost with their endpoint. */
void ff_router_lose(struct ff_router *router, struct ff_task *task, enum ff_error_code code,
                    const char *message);

#endif
