/*
 * endpoint/downlink.h: the link to the managers: who they are, and what is on its way to each. What they say goes to whoever
 * made it, by a table of events.
 */
#ifndef FF_ENDPOINT_DOWNLINK_H
#define FF_ENDPOINT_DOWNLINK_H

#include "endpoint/agent.h"
#include "protocol/codec.h"

struct ff_manager;

struct ff_downlink_events {
    void *user;
    /* It has opened its link, for the first time or again; what it holds follows. */
    void (*came)(void *user, struct ff_manager *manager);
    /* Any message that is not of the link itself. -1 with an error ends the link. */
    int (*message)(void *user, struct ff_manager *manager, struct ff_decoder *decoder,
                   struct ff_error *error);
    /* Its connection broke; it may come back. */
    void (*away)(void *user, struct ff_manager *manager);
    /* It does not come back: what it held is lost with it. */
    void (*lost)(void *user, struct ff_manager *manager, const char *why);
    /* It is destroyed, and counts no more for its block. */
    void (*gone)(void *user, struct ff_block *block);
};

/* Listens, and writes run/agent. */
struct ff_downlink *ff_downlink_create(struct ff_agent *agent,
                                       const struct ff_downlink_events *events,
                                       struct ff_error *error) FF_MUST_USE;
void ff_downlink_destroy(struct ff_downlink *downlink, const char *farewell);

struct ff_manager *ff_downlink_first(const struct ff_downlink *downlink);

/* The job of its block is over: its managers that are away are lost now. */
void ff_downlink_block_ended(struct ff_downlink *downlink, struct ff_block *block);

/* Asks all managers to finish what runs and leave. */
void ff_downlink_drain(struct ff_downlink *downlink, const char *reason);

/* Asks the managers of one block; those of it that connect later, or again, get no task either. */
void ff_downlink_drain_block(struct ff_downlink *downlink, struct ff_block *block);

/* Sends what has gathered for the managers. true: there was something. */
bool ff_downlink_flush(struct ff_downlink *downlink);

#endif
