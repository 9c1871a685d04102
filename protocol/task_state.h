/*
 * protocol/task_state.h: the states of a task and the moves between them. The names are those of Globus Compute.
 *
 *   received ──► waiting-for-ep ──► waiting-for-nodes ──► waiting-for-launch ──► running ──► success
 *                      ▲                    │                     │                 │        failed
 *                      └────────────────────┴─────────────────────┴─────────────────┘        cancelled
 *                        the runner, node or endpoint was lost: a new attempt                   ▲
 *                                                                          from every state ────┘
 *
 * Invariant: a terminal state is left by no move; exactly one terminal state is committed for a task.
 */
#ifndef FF_PROTOCOL_TASK_STATE_H
#define FF_PROTOCOL_TASK_STATE_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The numbers are on the wire and in the ledger: never renumber. */
enum ff_task_state {
    FF_TASK_RECEIVED = 0,           /* committed by the service */
    FF_TASK_WAITING_FOR_EP = 1,     /* its endpoint is not connected, or holds a full window */
    FF_TASK_WAITING_FOR_NODES = 2,  /* at the endpoint; no node has room */
    FF_TASK_WAITING_FOR_LAUNCH = 3, /* given to a manager; waits for runner, function or devices */
    FF_TASK_RUNNING = 4,
    FF_TASK_SUCCESS = 5,
    FF_TASK_FAILED_STATE = 6,
    FF_TASK_CANCELLED_STATE = 7,
    FF_TASK_STATE_COUNT
};

/* "waiting-for-ep"; "unknown" for a number that is no state. */
const char *ff_task_state_name(enum ff_task_state state);

/* -1 when no state has this name. */
int ff_task_state_from_name(const char *name, size_t size, enum ff_task_state *state) FF_MUST_USE;

bool ff_task_state_is_terminal(enum ff_task_state state);

/* Whether the table allows the move. A state may be reported again (from == to), except a terminal one. */
bool ff_task_state_may_move(enum ff_task_state from, enum ff_task_state to);

#endif
