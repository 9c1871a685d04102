/*
 * endpoint/placement.h: which manager gets a task. Pure: what the managers have and hold comes in, a choice comes out.
 *
 * A task goes where a slot is free, to the manager with the most free slots. When none is free, a task of a function
 * whose calls are known to be tiny may go ahead of need, so that a stream of them never waits for a message; how many
 * is bounded by time (FF_AHEAD_US of work a slot), because what is handed over cannot be called back when another node
 * becomes idle. Nothing of unknown or long duration ever goes ahead. Where an older task waits for a manager, nothing
 * younger goes ahead there or takes its devices, so nobody starves.
 */
#ifndef FF_ENDPOINT_PLACEMENT_H
#define FF_ENDPOINT_PLACEMENT_H

#include "endpoint/queue.h"

enum {
    FF_TINY_US = 10000,                    /* calls up to this may go ahead */
    FF_AHEAD_US = 30000,                   /* work handed over ahead, a slot */
    FF_AHEAD_CALLS = 4 * FF_RUNNER_WINDOW, /* and calls, a slot */
    FF_LEAST_COST_US = 5,
};

/* What a manager has and what it holds now. */
struct ff_room {
    unsigned slots;
    unsigned cores; /* 0: not known */
    unsigned devices;
    unsigned window; /* tasks without receipt that it takes */
    bool open;       /* takes tasks now */
    bool reserved;   /* in the present pass: an older task waits for it */
    unsigned given;
    unsigned slow; /* of them not tiny, or unknown */
    unsigned devices_used;
    unsigned cores_used;
    uint64_t backlog_us; /* of the tiny ones */
};

struct ff_needs {
    uint32_t devices;
    uint32_t cores;
    uint32_t cost_us; /* how long a call takes; 0: not known */
};

enum ff_verdict {
    FF_FITS_SLOT,
    FF_FITS_AHEAD,
    FF_BUSY_SLOTS,
    FF_BUSY_DEVICES,
    FF_BUSY_CORES,
    FF_NOT_OPEN,
    FF_NEVER_CORES,
    FF_NEVER_DEVICES,
};

enum ff_verdict ff_placement_judge(const struct ff_room *room, const struct ff_needs *needs);

/* Whether a task so judged can ever fit there. */
bool ff_verdict_is_never(enum ff_verdict verdict);

/* Books a task in a room and out again. */
void ff_room_take(struct ff_room *room, const struct ff_needs *needs, struct ff_held *held);
void ff_room_give_back(struct ff_room *room, const struct ff_held *held);

/* How long calls of a function take: a running mean of what came back, for the functions seen lately. */
enum { FF_PACES = 256 };
struct ff_pace {
    struct {
        struct ff_id function;
        uint32_t mean_us;
    } rows[FF_PACES];
};

uint32_t ff_pace_of(const struct ff_pace *pace, const struct ff_id *function);
void ff_pace_learn(struct ff_pace *pace, const struct ff_id *function, uint64_t run_us);

#endif
