/*
 * endpoint/dispatch.h: what an attempt goes through at this endpoint. Everything about tasks that comes in from either
 * side ends here; the queue keeps, placement chooses, the links carry.
 */
#ifndef FF_ENDPOINT_DISPATCH_H
#define FF_ENDPOINT_DISPATCH_H

#include "endpoint/agent.h"

struct ff_manager;

/* From the service. -1: no memory; the link has to be opened anew, so that the service learns what is held. */
int ff_dispatch_order(struct ff_agent *agent, const struct ff_order *order, struct ff_span raw,
                      struct ff_error *error) FF_MUST_USE;
void ff_dispatch_control(struct ff_agent *agent, const struct ff_control *control);
void ff_dispatch_receipt(struct ff_agent *agent, const struct ff_receipt *receipt);

/* From a manager. */
void ff_dispatch_holding(struct ff_agent *agent, struct ff_manager *manager,
                         const struct ff_holding *holding);
void ff_dispatch_holding_end(struct ff_agent *agent, struct ff_manager *manager);
void ff_dispatch_report(struct ff_agent *agent, struct ff_manager *manager,
                        const struct ff_report *report, struct ff_span raw);
void ff_dispatch_outcome(struct ff_agent *agent, struct ff_manager *manager,
                         const struct ff_outcome *outcome, struct ff_span raw);
void ff_dispatch_manager_lost(struct ff_agent *agent, struct ff_manager *manager, const char *why);

/* Asks the manager of an attempt that was given. */
void ff_dispatch_ask(struct ff_held *held, enum ff_control_action action);

/* Tells the service all that is held, then all outcomes that it has not acknowledged; nothing while known blocks may
 * still announce themselves. */
void ff_dispatch_announce(struct ff_agent *agent);

/* Hands out what fits. */
void ff_dispatch_run(struct ff_agent *agent);

/* Fails all tasks of a shape, which no node here can ever run. The shape is gone then. */
void ff_dispatch_fail_shape(struct ff_agent *agent, struct ff_shape *shape, const char *message,
                            const char *hint);

/* Tells the service why tasks wait that have waited for a while. */
enum { FF_TELL_AFTER_MS = 500 };
void ff_dispatch_report_waiting(struct ff_agent *agent);

/* Whether a task that was told to wait behind so many others is told again, now that it waits behind others many: few times on
 * the whole way, however long it is, and each time when it is near. Pure. */
bool ff_dispatch_moved_on(uint32_t told, uint32_t behind);

/* Gives back what waits (lost, uncharged, unbegun), because the endpoint leaves. */
void ff_dispatch_give_back(struct ff_agent *agent);

/* Ends what still runs as lost, uncharged: the endpoint leaves now. */
void ff_dispatch_cut_off(struct ff_agent *agent);

/* What the oldest waiting task waits for, in words; "" when none waits. */
void ff_dispatch_why(const struct ff_agent *agent, char *text, size_t size);

#endif
