/*
 * endpoint/placement.h: which manager gets a task. Pure: what the managers have and hold comes in, a choice comes out.
 *
 * A task that needs no GPU goes to the manager with the most free slots; one that does goes where the fewest GPUs stay
 * free, so that those of other nodes stay together for larger ones. When no slot is free, a task of a function
 * whose calls are known to be tiny may go ahead of need, so that a stream of them never waits for a message; how many
 * is bounded by time (FF_AHEAD_US of work a slot), because what is handed over cannot be called back when another node
 * becomes idle. Nothing of unknown or long duration ever goes ahead.
 *
 * So that the large do not starve and the small are not blocked, the first task in order that fits nowhere is promised
 * one node: the one that frees soonest for it. Younger ones run anywhere else; on that node only when they end before,
 * or on what the promise leaves over (backfill as in Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995).
 *
 * Times are monotonic nanoseconds.
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

/* A time that nobody knows. */
#define FF_UNKNOWN_NS (INT64_MAX / 2)

/* A node that a task is going to get, and what of it is left over then. */
struct ff_promise {
    bool made;
    int64_t at_ns;
    unsigned slots;
    unsigned devices;
    unsigned cores;
};

/* What a manager has and what it holds now. */
struct ff_room {
    unsigned slots;
    unsigned cores; /* 0: not known */
    unsigned devices;
    unsigned devices_taken;    /* of them, by others on the node */
    unsigned window;           /* tasks without receipt that it takes */
    bool open;                 /* takes tasks now */
    bool whole;                /* one call on several nodes has all of it */
    int64_t ends_ns;           /* what runs is told to leave then; 0: never */
    struct ff_promise promise; /* in the present pass, to an older task */
    unsigned given;
    unsigned slow; /* of them not tiny, or unknown */
    unsigned devices_used;
    unsigned cores_used;
    uint64_t backlog_us; /* of the tiny ones */
};

struct ff_needs {
    uint32_t devices;
    uint32_t cores;
    uint32_t nodes;   /* 0 and 1: a place on one */
    uint32_t cost_us; /* how long a call takes; 0: not known */
    int64_t lasts_ns; /* its time limit, else how long calls take; 0: not known */
};

/* In the order of what says most about why a task waits. */
enum ff_verdict {
    FF_FITS_SLOT,
    FF_FITS_LINE, /* its GPUs are held by others of the node: it would stand in their line */
    FF_FITS_AHEAD,
    FF_BUSY_SLOTS,
    FF_BUSY_DEVICES,
    FF_BUSY_CORES,
    FF_PROMISED,      /* an older task is to have it */
    FF_ENDS_TOO_SOON, /* the block ends before the task would */
    FF_NOT_OPEN,
    FF_NEVER_CORES,
    FF_NEVER_DEVICES,
};

enum ff_verdict ff_placement_judge(const struct ff_room *room, const struct ff_needs *needs,
                                   int64_t now_ns);

/* Of several where it fits, the one with the highest score. */
uint64_t ff_placement_score(const struct ff_room *room, const struct ff_needs *needs,
                            enum ff_verdict verdict);

/* What a node gets back when something ends there. */
struct ff_release {
    int64_t at_ns; /* FF_UNKNOWN_NS: at some time */
    unsigned slots;
    unsigned devices;
    unsigned cores;
};

/* When the node could run the task if nothing new came; how many ends that takes stands in `ends`. Sorts the releases. The
 * promise is not made when it never could. */
struct ff_promise ff_placement_soonest(const struct ff_room *room, const struct ff_needs *needs,
                                       struct ff_release *releases, size_t count, int64_t now_ns,
                                       size_t *ends);

/* When a task will have ended that began at `since_ns` and is expected to take `lasts_ns`. One that is overdue is taken to
 * need as long again. */
int64_t ff_placement_end(int64_t since_ns, int64_t lasts_ns, int64_t now_ns);

/* Whether a task so judged can ever fit there. */
bool ff_verdict_is_never(enum ff_verdict verdict);

/* Books a task in a room and out again. In the pass in which a promise stands, what was left over by it is used up. */
void ff_room_take(struct ff_room *room, const struct ff_needs *needs, struct ff_held *held,
                  int64_t now_ns);
void ff_room_give_back(struct ff_room *room, const struct ff_held *held);

/* A task that was taken for tiny keeps its slot. */
void ff_room_mark_slow(struct ff_room *room, struct ff_held *held);

/* How long calls of a function take: a running mean of what came back, for the functions seen lately. */
enum { FF_PACES = 256 };
struct ff_pace {
    struct {
        struct ff_id function;
        uint64_t mean_us;
    } rows[FF_PACES];
};

/* Microseconds; 0: not known. */
uint64_t ff_pace_of(const struct ff_pace *pace, const struct ff_id *function);
void ff_pace_learn(struct ff_pace *pace, const struct ff_id *function, uint64_t run_us);

#endif
