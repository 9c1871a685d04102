/*
 * endpoint/ahead.h: calls that went to a node ahead of need (placement.h), because calls of their function were short so far,
 * and that wait there behind one that is not; and calls that stand in the line for GPUs that others of their node hold, while
 * another node has free ones. They are called back, to go elsewhere, and what was learned is mended.
 */
#ifndef FF_ENDPOINT_AHEAD_H
#define FF_ENDPOINT_AHEAD_H

#include "endpoint/agent.h"

/* A call that was taken for short and runs, or waits, for so long is not; and how long a call stands in a line at least. */
enum { FF_AHEAD_LIMIT_MS = 1000 };

/* Looks at all nodes. Whether there is reason to look again soon: calls went ahead, or may stand in a line. */
bool ff_ahead_check(struct ff_agent *agent, int64_t now_ns);

#endif
