/*
 * endpoint/uplink.h: the link to the service. What must not be lost is kept in the queue; what is sent before everything
 * held has been announced would only confuse the service, so it is dropped here and follows from the queue. What the
 * service says goes to whoever made the link, by a table of events.
 */
#ifndef FF_ENDPOINT_UPLINK_H
#define FF_ENDPOINT_UPLINK_H

#include "endpoint/agent.h"
#include "protocol/codec.h"

struct ff_uplink_events {
    void *user;
    /* The service has welcomed this agent, under this name. */
    void (*open)(void *user, const char *endpoint_name);
    /* Any message that is not of the link itself. -1 with an error ends the link. */
    int (*message)(void *user, struct ff_decoder *decoder, struct ff_error *error);
    /* It is tried again; and: the service will not have this agent. */
    void (*lost)(void *user, const struct ff_error *why);
    void (*refused)(void *user, const struct ff_error *why);
    /* Fills the numbers; its text may stand in `why`. */
    void (*heartbeat)(void *user, struct ff_heartbeat *heartbeat, char *why, size_t size);
};

struct ff_uplink *ff_uplink_create(struct ff_agent *agent, const struct ff_uplink_events *events,
                                   struct ff_error *error) FF_MUST_USE;
void ff_uplink_destroy(struct ff_uplink *uplink, const char *farewell);

bool ff_uplink_is_open(const struct ff_uplink *uplink);

/* Whether HOLDING_END was said on this connection. */
bool ff_uplink_is_announced(const struct ff_uplink *uplink);
int64_t ff_uplink_since_ns(const struct ff_uplink *uplink); /* wall clock of the last change */

void ff_uplink_holding(struct ff_uplink *uplink, const struct ff_holding *holding);
void ff_uplink_end_holding(struct ff_uplink *uplink);

/* Items as they came from a manager or were made here; they go out with the next flush. */
void ff_uplink_report_raw(struct ff_uplink *uplink, struct ff_span raw);
void ff_uplink_report(struct ff_uplink *uplink, const struct ff_report *report);
void ff_uplink_outcome_raw(struct ff_uplink *uplink, struct ff_span raw);

/* Whole messages, at once. What is forwarded is dropped while the link is slow (ff_session_offer). */
void ff_uplink_forward(struct ff_uplink *uplink, enum ff_message_type type, struct ff_span frame);
void ff_uplink_want(struct ff_uplink *uplink, const struct ff_want *want);
void ff_uplink_store(struct ff_uplink *uplink, const struct ff_part *part);
void ff_uplink_drain(struct ff_uplink *uplink, const char *reason);

/* Tells the service now how many nodes there are. */
void ff_uplink_beat(struct ff_uplink *uplink);

bool ff_uplink_flush(struct ff_uplink *uplink);

#endif
