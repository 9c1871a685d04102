/*
 * tests/unit/endpoint/agent_scene.h: the real agent, as a process, between a service and a manager that the test plays.
 *
 * The manager's block is made to look like one that an earlier agent left: its job is a child of the test that only
 * waits, so the agent adopts it, and its end is the test's to decide.
 */
#ifndef FF_TESTS_UNIT_ENDPOINT_AGENT_SCENE_H
#define FF_TESTS_UNIT_ENDPOINT_AGENT_SCENE_H

#include "tests/unit/check.h"

#include "endpoint/config.h"
#include "endpoint/folder.h"
#include "protocol/codec.h"
#include "protocol/core/loop.h"
#include "protocol/curve.h"
#include "protocol/peers.h"
#include "protocol/session.h"

#include <sys/types.h>

/* What one end has heard, by type of message: how many items, and the last one of each. */
struct scene_heard {
    int count[40];
    struct ff_id task[40];
    struct ff_attempt attempt[40];
    uint64_t state;
    bool lost, uncharged, unbegun;
    char code[65];
    char text[600]; /* message of an outcome, why of a report */
    uint64_t offset;
    uint64_t total;
    uint64_t action;
    char node_list[256]; /* of an order */
};

struct scene {
    char *home;
    struct ff_folder folder;
    struct ff_loop *loop;
    struct ff_timer *limit;
    pid_t agent;
    pid_t block; /* the process that the agent takes for the block's */
    void *service_context;
    void *manager_context;
    struct ff_curve_keys service_keys, endpoint_keys, block_keys;
    int port;
    struct ff_peers *service;
    struct ff_peer *endpoint; /* as the service sees it; NULL while away */
    struct ff_session *manager;
    struct ff_id manager_instance;
    struct ff_session *companion; /* of a second node of the same block */
    struct ff_id companion_instance;
    unsigned taken; /* GPUs that others hold on the companion's node */
    unsigned devices;
    bool answers;  /* the manager ends each task at once with success */
    bool receipts; /* the service acknowledges each outcome at once */
    bool refuses;  /* the service wants no endpoint */
    bool holds;    /* the manager announces the last task that it got */
    int connected; /* openings of the link, at each end */
    int gone;
    int manager_open;
    int companion_open;
    int agent_ended;
    struct scene_heard at_service;
    struct scene_heard at_manager;
    struct scene_heard at_companion;
    int handed; /* tasks that came to either, where nothing is answered at once */
    const int *until;
    int value;
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

void scene_start_service(struct scene *scene);
void scene_stop_service(struct scene *scene);
void scene_start_agent(struct scene *scene);
void scene_kill_agent(struct scene *scene);
void scene_start_manager(struct scene *scene);

/* A second manager, on node-2; it is as large as the first. Its farewell, when it is stopped, says that it is lost. */
void scene_start_companion(struct scene *scene);
void scene_stop_companion(struct scene *scene);
void scene_companion_outcome(struct scene *scene, const struct ff_outcome *outcome);

/* Runs the loop until the agent has ended; its exit status. */
int scene_agent_status(struct scene *scene);

/* Runs the loop until the counter has reached the value. */
void scene_wait(struct scene *scene, const int *counter, int value);

/* The service orders `count` new tasks; *order is changed to the last one. */
void scene_order(struct scene *scene, struct ff_order *order, int count);
void scene_control(struct scene *scene, const struct ff_order *order,
                   enum ff_control_action action);

/* The manager says something. */
void scene_outcome(struct scene *scene, const struct ff_outcome *outcome);
void scene_report(struct scene *scene, const struct ff_report *report);
void scene_store(struct scene *scene, const struct ff_part *part);
void scene_want(struct scene *scene, const struct ff_want *want);

/* The service says something. */
void scene_receipt(struct scene *scene, const struct ff_receipt *receipt);
void scene_part(struct scene *scene, enum ff_message_type type, const struct ff_part *part);

#endif
