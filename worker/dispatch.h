/*
 * worker/dispatch.h: which work goes to which slot, and when.
 */
#ifndef FF_WORKER_DISPATCH_H
#define FF_WORKER_DISPATCH_H

#include "protocol/core/error.h"

struct ff_manager;

/* Hands ready works to slots, as many as fit. Run before the loop sleeps, when dispatch_wanted. */
void ff_dispatch(struct ff_manager *manager);

/* Keeps one started runner ready. */
void ff_dispatch_refill(struct ff_manager *manager);

#endif
