/*
 * endpoint/scaling.h: how many blocks there should be. Pure: the queue, the blocks, the limits and the time come in,
 * orders come out.
 */
#ifndef FF_ENDPOINT_SCALING_H
#define FF_ENDPOINT_SCALING_H

#include <stdbool.h>
#include <stdint.h>

struct ff_scaling_input {
    int64_t now_ns; /* monotonic, as all times here */
    unsigned min_blocks;
    unsigned max_blocks;
    unsigned init_blocks;
    bool first;              /* nothing was started yet since the agent began */
    bool draining;           /* nothing new */
    unsigned slots_a_block;  /* as far as known, at least 1 */
    unsigned waiting;        /* tasks */
    unsigned blocks_pending; /* submitted, no manager yet */
    unsigned blocks_running;
    unsigned blocks_idle;  /* of the running: hold no task */
    int64_t idle_since_ns; /* when the endpoint had its last task */
    int64_t idle_limit_ns; /* 0: idle blocks stay */
    unsigned failures;     /* blocks that ended before any manager came, in a row */
    int64_t failed_ns;     /* the last of them */
};

struct ff_scaling_orders {
    unsigned start;
    unsigned stop;         /* idle blocks */
    int64_t look_again_ns; /* when the orders may change by time alone; 0: only by events */
};

struct ff_scaling_orders ff_scaling_plan(const struct ff_scaling_input *input);

/* How long to wait after so many failures in a row. */
int64_t ff_scaling_pause_ns(unsigned failures);

#endif
