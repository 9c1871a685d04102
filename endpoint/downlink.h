/*
 * endpoint/downlink.h: the managers: who they are, what each has and holds, and what is on its way to each.
 *
 * A manager outlives its connection: when that breaks it is away, keeps its tasks, and is lost only when its process is
 * known to be dead, when it said farewell, or after FF_PEER_LOST_MS.
 */
#ifndef FF_ENDPOINT_DOWNLINK_H
#define FF_ENDPOINT_DOWNLINK_H

#include "endpoint/agent.h"
#include "protocol/gather.h"
#include "protocol/peers.h"

struct ff_manager {
    struct ff_manager *next;
    struct ff_agent *agent;
    struct ff_block *block;
    struct ff_peer *peer; /* NULL while it is away */
    struct ff_timer *lost_timer;
    struct ff_id instance;
    char node[257];
    bool ready;    /* has announced what it holds */
    bool draining; /* takes nothing new */
    struct ff_room room;
    struct ff_held_list given;
    struct ff_gather tasks;
    struct ff_gather receipts;
    struct ff_gather controls;
};

/* Listens, and writes run/agent. */
struct ff_downlink *ff_downlink_create(struct ff_agent *agent, struct ff_error *error) FF_MUST_USE;
void ff_downlink_destroy(struct ff_downlink *downlink, const char *farewell);

struct ff_manager *ff_downlink_first(const struct ff_downlink *downlink);

/* The job of its block is over: its managers that are away are lost now. */
void ff_downlink_block_ended(struct ff_downlink *downlink, struct ff_block *block);

/* Asks all managers to finish what runs and leave. */
void ff_downlink_drain(struct ff_downlink *downlink, const char *reason);

/* Sends what has gathered for the managers. true: there was something. */
bool ff_downlink_flush(struct ff_downlink *downlink);

/* One message of one part, at once. */
void ff_manager_send_part(struct ff_manager *manager, enum ff_message_type type,
                          const struct ff_part *part);

#endif
