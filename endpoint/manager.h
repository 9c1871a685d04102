/*
 * endpoint/manager.h: one manager, as the rooms of the agent see it. The downlink makes it, finds it again when it comes back,
 * and ends it; dispatch gives it tasks.
 *
 * A manager outlives its connection: when that breaks it is away, keeps its tasks, and is lost only when its process is
 * known to be dead, when it said farewell, or after FF_PEER_LOST_MS.
 */
#ifndef FF_ENDPOINT_MANAGER_H
#define FF_ENDPOINT_MANAGER_H

#include "endpoint/agent.h"
#include "endpoint/aside.h"
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
    struct ff_held *gang; /* the call on several nodes that has all of this one; NULL: none */
    struct ff_coming
        awaited; /* in the present pass: what will be free here for live tasks that wait */
    struct ff_held_list given;
    struct ff_gather tasks;
    struct ff_gather receipts;
    struct ff_gather controls;
};

/* One message of one part, at once. */
void ff_manager_send_part(struct ff_manager *manager, enum ff_message_type type,
                          const struct ff_part *part);

#endif
