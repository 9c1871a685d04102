/*
 * endpoint/aside.h: batch tasks that step aside for live ones: they are asked for a checkpoint, come back uncharged, and go
 * on from it later.
 *
 * Only where that makes room for the live task, only as many as it takes, and none that is about to end or has stepped
 * aside so often that the service would soon give it up.
 */
#ifndef FF_ENDPOINT_ASIDE_H
#define FF_ENDPOINT_ASIDE_H

#include "endpoint/agent.h"

enum {
    FF_ABOUT_TO_END_MS = 10000, /* what ends within that is waited for */
    FF_ASIDE_LIMIT_MS = 60000,  /* whoever has not stepped aside by then is not counted on */
};

/* A call that might step aside. */
struct ff_aside {
    struct ff_held *held;
    uint32_t devices;
    uint32_t cores;
    bool chosen;
};

/* What will be free soon without asking anybody, beside what is free now. */
struct ff_coming {
    unsigned slots;
    unsigned devices;
    unsigned cores;
};

/* Chooses the fewest that make room for the task on this node: how many; 0 when it needs none, -1 when all together would
 * not do. Pure. Sorts. */
int ff_aside_choose(const struct ff_room *room, const struct ff_needs *needs,
                    const struct ff_coming *coming, struct ff_aside *candidates, size_t count);

/* A live shape that fits nowhere: asks whoever has to step aside for its tasks. */
void ff_aside_make_room(struct ff_agent *agent, const struct ff_shape *shape,
                        const struct ff_needs *needs, int64_t now_ns);

#endif
