/*
 * worker/warm.h: runners that stay on their GPUs between two calls. A function that computes on GPUs has made contexts, plans
 * and buffers there, which cost it a second or more; the next call on the same lease finds them. A runner never gets
 * another lease: what it has opened it could not close.
 *
 * Nobody waits longer for that. A lease goes on to a call of the same group whose claim is the next in the registry's
 * queue anyway; it stays with an idle runner only while no claim waits, and for FF_GPU_WARM_MS at most.
 */
#ifndef FF_WORKER_WARM_H
#define FF_WORKER_WARM_H

#include "worker/slot.h"

int ff_warm_open(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_warm_close(struct ff_manager *manager);

/* True: the work went to an idle runner of its group, with its lease. */
bool ff_warm_take(struct ff_manager *manager, struct ff_work *work);

/* The slot's runner has a lease and has answered its last call: it gets another one, idles, or ends. */
void ff_warm_after(struct ff_slot *slot);

/* A claim waits: idle runners give up their leases. */
void ff_warm_end(struct ff_manager *manager);

#endif
