/*
 * endpoint/never.h: tasks that an endpoint can never run: no node that is here could, and none that may come. They fail at
 * once and say what they ask for and what the nodes have.
 */
#ifndef FF_ENDPOINT_NEVER_H
#define FF_ENDPOINT_NEVER_H

#include "endpoint/agent.h"

/* What a node, or block, that is still to come may have. */
struct ff_fresh {
    bool comes;
    bool is_counted;  /* its GPUs are known */
    unsigned devices; /* of a node */
    unsigned cores;   /* of a node; 0: not known */
    unsigned nodes;   /* of a block */
};

/* Pure. */
bool ff_fresh_would_do(const struct ff_fresh *fresh, const struct ff_needs *needs);

/* Whether the task can never run here. */
bool ff_never_runs(const struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns);

/* Why not: what it asks for and what there is. */
void ff_never_why(const struct ff_agent *agent, const struct ff_needs *needs, char *text,
                  size_t size);

#endif
