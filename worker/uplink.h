/*
 * worker/uplink.h: the session with the agent; what it says becomes calls of work.h, what is to be said is gathered here.
 */
#ifndef FF_WORKER_UPLINK_H
#define FF_WORKER_UPLINK_H

#include "protocol/messages.h"

struct ff_manager;
struct ff_uplink;

struct ff_uplink *ff_uplink_create(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_uplink_destroy(struct ff_uplink *uplink, const char *farewell);
bool ff_uplink_is_open(const struct ff_uplink *uplink);

/* Each is gathered and sent before the loop sleeps; dropped while the link is away. */
void ff_uplink_report(struct ff_uplink *uplink, const struct ff_report *report);
void ff_uplink_progress(struct ff_uplink *uplink, struct ff_span raw);
void ff_uplink_line(struct ff_uplink *uplink, const struct ff_line *line);
void ff_uplink_outcome(struct ff_uplink *uplink, struct ff_span raw);

/* Sent as it is, after what was gathered; a preview is dropped while the link is slow. */
void ff_uplink_preview(struct ff_uplink *uplink, struct ff_span frame);
void ff_uplink_send(struct ff_uplink *uplink, struct ff_span frame);
bool ff_uplink_flush(struct ff_uplink *uplink);

/* Says now what the next heartbeat would say. */
void ff_uplink_beat(struct ff_uplink *uplink);

/* Tells the agent that nothing new is wanted. */
void ff_uplink_say_draining(struct ff_uplink *uplink, const char *why);

#endif
