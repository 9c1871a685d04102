/*
 * tests/unit/worker/fake_agent.h: an agent that is not one: the server end of a manager's link, for tests that drive the real manager
 * and the real runners.
 */
#ifndef FF_TESTS_UNIT_WORKER_FAKE_AGENT_H
#define FF_TESTS_UNIT_WORKER_FAKE_AGENT_H

#include "tests/unit/check.h"

#include "protocol/peers.h"

enum { MOST_TASKS = 4096, TEXT = 1024 };

/* What was heard of one task. */
struct heard {
    struct ff_id task;
    struct ff_attempt attempt;
    unsigned outcomes;
    struct ff_outcome outcome; /* its texts below */
    char code[64];
    char message[TEXT];
    char *value; /* terminated; NULL: none */
    char *tail;
    unsigned progress;
    unsigned lines;
    unsigned previews;
    char last_line[TEXT];
    char why[TEXT];
    pid_t pid; /* of the runner, once it was reported as running */
};

struct agent {
    char folder[256];
    char registry[300];
    struct ff_loop *loop;
    void *context;
    struct ff_peers *peers;
    struct ff_peer *peer;
    struct ff_curve_keys keys;
    struct ff_curve_keys block_keys;
    struct ff_hello hello;
    pid_t manager;
    int status; /* of the manager, once it has ended */
    unsigned hellos;
    unsigned held;              /* announced since the last hello */
    bool announced;             /* HOLDING_END came */
    bool says_draining;         /* DRAIN came */
    bool withholds;             /* sends no receipts */
    unsigned refusals;          /* of values, that are still to be said */
    unsigned stores;            /* values that began to come */
    bool keeps_stored;          /* does not answer the parts of values */
    struct ff_part kept_stored; /* the newest answer that was kept */
    unsigned gone;
    unsigned wanted; /* OBJECT_WANTs */
    struct heard tasks[MOST_TASKS];
    unsigned count;
    uint8_t *stored; /* the object that was stored last */
    size_t stored_size;
    struct ff_timer *guard;
    bool (*until)(struct agent *agent, unsigned index);
    unsigned index;
};

struct wish {
    const char *function; /* name of a shipped function, or of a file with its path */
    const char *arguments;
    const char *shell; /* the template of a shell function instead */
    unsigned devices;
    unsigned cores;
    unsigned time_limit_ms;
    const char *node_list; /* of several nodes */
    bool uncached;         /* the agent hands it out by OBJECT_WANT */
    const char *user;
};

/* A folder of an endpoint with one block, and a registry with `devices` pretend GPUs. */
void agent_open(struct agent *agent, unsigned slots, unsigned devices, unsigned lost_limit_ms);
void agent_start_manager(struct agent *agent);
void agent_listen(struct agent *agent);
void agent_stop_listening(struct agent *agent);

/* Kills what still runs and removes the folder. */
void agent_close(struct agent *agent);

/* Sends a task; returns its index. */
unsigned agent_submit(struct agent *agent, const struct wish *wish);

/* Sends the next attempt of a task, as if it had been lost. */
void agent_retry(struct agent *agent, unsigned index, const struct wish *wish);
void agent_submit_many(struct agent *agent, const struct wish *wish, unsigned count);
void agent_control(struct agent *agent, unsigned index, enum ff_control_action action);

/* Answers what was kept, and the rest at once. */
void agent_answer_stored(struct agent *agent);

/* Runs the loop until it is true; fails the test after 30 s. */
void agent_run(struct agent *agent, bool (*until)(struct agent *agent, unsigned index),
               unsigned index);
bool has_ended(struct agent *agent, unsigned index);
bool all_have_ended(struct agent *agent, unsigned index);
bool is_running(struct agent *agent, unsigned index);
bool is_connected(struct agent *agent, unsigned index);
bool manager_has_ended(struct agent *agent, unsigned index);
bool has_lines(struct agent *agent, unsigned index);
bool has_progress(struct agent *agent, unsigned index);
bool has_stores(struct agent *agent, unsigned index);
bool has_why(struct agent *agent, unsigned index);

#endif
