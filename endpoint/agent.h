/*
 * endpoint/agent.h: the agent of one endpoint: the owner of the loop, and how its rooms are wired.
 *
 *     service ◄──uplink──► dispatch ◄──downlink──► managers
 *                        queue, placement            ▲
 *                elastic, scaling ──► blocks ──► provider
 *
 * One thread. Every room gets the agent. The links tell what comes by tables of events, which wiring.c joins with the other
 * rooms; those use the headers of the links. What an attempt goes through is decided in dispatch.c, the life of the agent in
 * agent.c.
 */
#ifndef FF_ENDPOINT_AGENT_H
#define FF_ENDPOINT_AGENT_H

#include "endpoint/blocks.h"
#include "endpoint/config.h"
#include "endpoint/folder.h"
#include "endpoint/placement.h"
#include "endpoint/queue.h"
#include "protocol/core/loop.h"
#include "protocol/curve.h"

struct ff_uplink;
struct ff_downlink;
struct ff_objects;
struct ff_uploads;
struct ff_sweeper;
struct ff_state_file;
struct ff_elastic;

enum ff_agent_phase {
    FF_AGENT_STARTING, /* never connected yet */
    FF_AGENT_WORKING,
    FF_AGENT_DRAINING, /* hands out nothing, waits for what runs */
    FF_AGENT_LEAVING,  /* the blocks are told to end now */
};

struct ff_agent {
    struct ff_folder folder;
    struct ff_config config;
    struct ff_id instance;
    struct ff_id previous;    /* the instance before, certainly dead; or zero */
    struct ff_id endpoint_id; /* of the registration */
    bool take_over;
    bool patient; /* waits for the service for ever */
    enum ff_agent_phase phase;
    struct ff_loop *loop;
    void *context;
    struct ff_queue *queue;
    struct ff_pace pace;
    const struct ff_provider *provider;
    struct ff_blocks *blocks;
    struct ff_elastic *elastic;
    struct ff_downlink *downlink;
    struct ff_uplink *uplink;
    struct ff_objects *objects;
    struct ff_uploads *uploads;
    struct ff_sweeper *sweeper;
    struct ff_state_file *state_file;
    struct ff_timer *announce_timer; /* known blocks may still announce what they hold */
    struct ff_timer *drain_timer;
    struct ff_timer *wait_timer;  /* tells the service why tasks wait */
    struct ff_timer *rest_timer;  /* gives memory back when a rush is over */
    struct ff_timer *start_timer; /* gives up when the service cannot be reached */
    struct ff_prepare *prepare;
    struct ff_release *releases; /* room for planning */
    size_t release_capacity;
    int64_t fresh_block_ns; /* how long the last block that came anew had; INT64_MAX: for ever */
    bool awaiting_blocks;   /* until then HOLDING_END is not said */
    bool dispatch_needed;
    bool rushed;   /* many tasks were held since memory was given back last */
    bool telling;  /* the wait timer is set */
    uint64_t said; /* a sum of what was told last of blocks on their way */
    int64_t said_ns;
    bool scale_needed;
    bool beat_needed; /* the service should hear the numbers of the heartbeat now */
    bool saying_last_words;
    bool failed; /* the agent ends with this error */
    struct ff_error error;
};

/* Runs until it is told to stop. `name` must be configured. */
int ff_agent_run(const char *name, bool take_over, bool patient,
                 struct ff_error *error) FF_MUST_USE;

/* For the rooms: the service has welcomed, or will not have this agent. */
void ff_agent_connected(struct ff_agent *agent, const char *endpoint_name);
void ff_agent_disconnected(struct ff_agent *agent, const struct ff_error *why);
void ff_agent_refused(struct ff_agent *agent, const struct ff_error *why);

/* A manager has announced all it holds, or has gone for good. */
void ff_agent_block_announced(struct ff_agent *agent);
void ff_agent_manager_gone(struct ff_agent *agent, struct ff_block *block);

#endif
