/*
 * endpoint/gang.h: calls on several nodes. All nodes are of one block, wholly free, and booked together or not at all. The call
 * runs on the first, which is told the names of all; the others get nothing meanwhile. The booking outlives the agent: the
 * first node's manager announces the names, and every node that is among them is booked as it comes.
 */
#ifndef FF_ENDPOINT_GANG_H
#define FF_ENDPOINT_GANG_H

#include "endpoint/agent.h"

struct ff_manager;

/* The manager that would run the call, of the block that has the fewest more free nodes than it takes; NULL with the verdict
 * that says why not. */
struct ff_manager *ff_gang_choose(const struct ff_agent *agent, const struct ff_needs *needs,
                                  int64_t now_ns, enum ff_verdict *verdict);

/* Books the nodes beside `first`, and writes down their names. -1: no memory, nothing is booked. */
int ff_gang_take(struct ff_agent *agent, struct ff_manager *first, const struct ff_needs *needs,
                 struct ff_held *held, int64_t now_ns) FF_MUST_USE;

/* Books again those nodes of a call that are here; after a restart of the agent. */
void ff_gang_resume(struct ff_agent *agent, struct ff_held *held);

/* A manager came: it may belong to a call. */
void ff_gang_came(struct ff_agent *agent, struct ff_manager *manager);

void ff_gang_give_back(struct ff_agent *agent, const struct ff_held *held);

/* How many nodes the largest block has, and how many of it are wholly free. */
unsigned ff_gang_most_nodes(const struct ff_agent *agent, unsigned *free_nodes);

#endif
