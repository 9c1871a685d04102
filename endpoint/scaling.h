/*
 * endpoint/scaling.h: which blocks there should be. Pure: what waits, the blocks and their nodes, the limits and the time come
 * in, orders come out; what has to be known the next time stands in the rows and in a memory that the caller keeps.
 *
 * Demand is not the number of tasks. Every task is put into a node, in thought: first into those that are there, then into
 * those that are on their way (they were asked for already), and what is left over calls for new blocks, as many as it fills.
 * A task weighs what it keeps from others within FF_SCALING_SOON_NS: one whose calls take a hundredth of that is no reason
 * for a node that is there only after it has run; one of unknown duration weighs all that it asks for.
 *
 * What keeps it calm:
 *  - no more blocks exist than max_blocks, those that are ending included, and no more are asked for in any minute than
 *    submit_rate; after blocks that did not come up it waits longer each time, and then tries with one;
 *  - a block goes when nothing has needed it for idle_limit_ns, on its way or up, and only when it holds no task; sooner when
 *    what waits can never run there and there may be no more blocks;
 *  - where there may be no more nodes and no block has as many as one call asks for, blocks are closed one after the other
 *    and end when their tasks have ended, until there is room for one that has;
 *  - while the scheduler does not tell how a block is, nothing is asked for and nothing ended.
 */
#ifndef FF_ENDPOINT_SCALING_H
#define FF_ENDPOINT_SCALING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FF_SCALING_UNIT = 1000000, /* a slot, a core or a device, wholly */
    FF_SCALING_STARTS = 64,    /* blocks that one plan asks for at most; the next one goes on */
    FF_SCALING_NODES = 1024,   /* and nodes */
    FF_SCALING_RATE = 600,     /* highest limit of submissions a minute */
};

/* Work that is done within this time is no reason for another node. */
#define FF_SCALING_SOON_NS INT64_C(5000000000)
/* What has waited so long although it seemed to fit is not said to fit any more: placement has its reasons. */
#define FF_SCALING_PATIENCE_NS INT64_C(10000000000)

/* Tasks of one kind that wait. */
struct ff_scaling_demand {
    unsigned count;
    unsigned priority; /* its class: 0 before 1 before 2 */
    unsigned devices;  /* on one node */
    unsigned cores;    /* up to 1: it only needs a slot */
    unsigned nodes;    /* above 1: so many whole nodes of one block */
    uint32_t cost_us;  /* how long a call takes; 0: not known */
    int64_t lasts_ns;  /* it is not begun on a node that has less time left; 0: anywhere */
    int64_t waited_ns; /* of the oldest */
};

/* What a node has, or will have. */
struct ff_scaling_shape {
    unsigned slots;
    unsigned devices;
    unsigned cores; /* 0: not known; then cores keep no task away */
    bool seen;      /* or told by the settings; else only `slots` is known */
};

/* A node of a block. The plan books what it puts there into `free`. */
struct ff_scaling_node {
    unsigned block; /* index */
    bool come;      /* its manager is there */
    struct ff_scaling_shape has;
    struct ff_scaling_weight {
        uint64_t slots, devices, cores; /* in FF_SCALING_UNIT */
    } free;
    int64_t left_ns; /* until its block ends; 0: for ever */
};

struct ff_scaling_block {
    unsigned nodes; /* asked for */
    unsigned tasks; /* that its nodes hold */
    bool come;      /* a manager is or was there */
    bool unknown;   /* the scheduler does not tell how it is */
    bool leaving;   /* told to end: counts as a job and not as a place */
    bool late;      /* runs, and should have called back long since: as above, but may still come */
    /* Since when nothing has needed it; 0: it is needed. The caller keeps it from plan to plan, and moves it up to when
     * the last task of the block ended. */
    int64_t idle_since_ns;
    bool needed; /* answer: what waits goes there */
    bool end;    /* answer: it is empty; close it to tasks, then end it */
    bool close;  /* answer: close it to tasks; it is ended when those that it holds have ended */
};

struct ff_scaling_limits {
    unsigned min_blocks;
    unsigned init_blocks; /* asked for at first, before any task */
    unsigned warm_blocks; /* kept until warm_until_ns, as by min_blocks */
    unsigned max_blocks;
    unsigned nodes_per_block;
    unsigned submit_rate;  /* a minute, at most FF_SCALING_RATE; 0: no limit */
    int64_t warm_until_ns; /* monotonic; 0: no such reserve */
    int64_t idle_limit_ns; /* 0: what is there stays */
};

/* What lies between two plans. Zero at the beginning. */
struct ff_scaling_memory {
    bool any_came;        /* a block has come up since the agent began */
    unsigned failures;    /* blocks that did not come up, in a row; those of one rush count once */
    int64_t failed_ns;    /* the last of them; 0: none */
    unsigned submissions; /* that the ring holds */
    unsigned next_submission; /* in the ring */
    int64_t submitted_ns[FF_SCALING_RATE];
};

struct ff_scaling_input {
    int64_t now_ns; /* monotonic, as all times here */
    struct ff_scaling_limits limits;
    struct ff_scaling_shape shape;    /* of the nodes that a new block will have */
    struct ff_scaling_demand *demand; /* the plan sorts it */
    unsigned demands;
    struct ff_scaling_block *blocks; /* in the order in which they were asked for */
    unsigned block_count;
    struct ff_scaling_node *nodes;
    unsigned node_count;
};

/* What stands against blocks that are wanted. */
enum ff_scaling_limit {
    FF_SCALING_NO_LIMIT,
    FF_SCALING_MAX_BLOCKS,
    FF_SCALING_SUBMIT_RATE,
    FF_SCALING_PAUSE, /* after blocks that did not come up */
    FF_SCALING_UNKNOWN,
};

struct ff_scaling_orders {
    unsigned start;                    /* blocks */
    unsigned nodes[FF_SCALING_STARTS]; /* of each */
    unsigned wanted;             /* blocks that would be started if no limit stood against it */
    enum ff_scaling_limit limit; /* that stands against some of them */
    int64_t look_again_ns;       /* when time alone may change the orders; 0: only events do */
};

/* Sets `idle_since_ns`, `needed`, `end` and `close` of the blocks, too. */
struct ff_scaling_orders ff_scaling_plan(const struct ff_scaling_input *input,
                                         const struct ff_scaling_memory *memory);

/* What the caller tells: it asked for a block; one that was asked for then did not come up; one did. */
void ff_scaling_submitted(struct ff_scaling_memory *memory, int64_t now_ns);
void ff_scaling_failed(struct ff_scaling_memory *memory, int64_t submitted_ns, int64_t now_ns);
void ff_scaling_came(struct ff_scaling_memory *memory);

/* How long to wait after so many failures in a row. */
int64_t ff_scaling_pause_ns(unsigned failures);

/* The part of a slot, core or device that a call of this duration keeps, in FF_SCALING_UNIT. */
uint64_t ff_scaling_weight_of(uint32_t cost_us);

/* An empty node of this shape, and the same with a task on it that was weighed before. */
struct ff_scaling_weight ff_scaling_all_of(const struct ff_scaling_shape *shape);
void ff_scaling_occupy(struct ff_scaling_weight *free, uint64_t weight, unsigned devices,
                       unsigned cores);

#endif
