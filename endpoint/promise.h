/*
 * endpoint/promise.h: the node, or nodes, that the oldest task that fits nowhere is going to get (placement.h).
 */
#ifndef FF_ENDPOINT_PROMISE_H
#define FF_ENDPOINT_PROMISE_H

#include "endpoint/agent.h"

/* Promises, in this pass, what frees soonest. Nothing where it never would. */
void ff_promise_soonest(struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns);

/* Forgets the promises of the pass before. */
void ff_promise_forget(struct ff_agent *agent);

#endif
