#include "protocol/task_state.h"

#include <string.h>

#define BIT(state) (1u << (state))

enum {
    TERMINAL = BIT(FF_TASK_SUCCESS) | BIT(FF_TASK_FAILED_STATE) | BIT(FF_TASK_CANCELLED_STATE),
    WAITING = BIT(FF_TASK_WAITING_FOR_EP) | BIT(FF_TASK_WAITING_FOR_NODES) |
              BIT(FF_TASK_WAITING_FOR_LAUNCH),
};

/* A state report may be lost or overtaken, so a task may skip forward; backward goes only by a lost
 * attempt. */
static const struct {
    const char *name;
    unsigned next;
} states[FF_TASK_STATE_COUNT] = {
    [FF_TASK_RECEIVED] = {"received",
                          BIT(FF_TASK_RECEIVED) | WAITING | BIT(FF_TASK_RUNNING) | TERMINAL},
    [FF_TASK_WAITING_FOR_EP] = {"waiting-for-ep", WAITING | BIT(FF_TASK_RUNNING) | TERMINAL},
    [FF_TASK_WAITING_FOR_NODES] = {"waiting-for-nodes", WAITING | BIT(FF_TASK_RUNNING) | TERMINAL},
    [FF_TASK_WAITING_FOR_LAUNCH] = {"waiting-for-launch",
                                    WAITING | BIT(FF_TASK_RUNNING) | TERMINAL},
    [FF_TASK_RUNNING] = {"running", WAITING | BIT(FF_TASK_RUNNING) | TERMINAL},
    [FF_TASK_SUCCESS] = {"success", 0},
    [FF_TASK_FAILED_STATE] = {"failed", 0},
    [FF_TASK_CANCELLED_STATE] = {"cancelled", 0},
};

const char *ff_task_state_name(enum ff_task_state state)
{
    return (unsigned)state < FF_TASK_STATE_COUNT ? states[state].name : "unknown";
}

int ff_task_state_from_name(const char *name, size_t size, enum ff_task_state *state)
{
    for (unsigned i = 0; i < FF_TASK_STATE_COUNT; i++) {
        if (strlen(states[i].name) == size && memcmp(states[i].name, name, size) == 0) {
            *state = (enum ff_task_state)i;
            return 0;
        }
    }
    return -1;
}

bool ff_task_state_is_terminal(enum ff_task_state state)
{
    return (unsigned)state < FF_TASK_STATE_COUNT && (BIT(state) & TERMINAL) != 0;
}

bool ff_task_state_may_move(enum ff_task_state from, enum ff_task_state to)
{
    return (unsigned)from < FF_TASK_STATE_COUNT && (unsigned)to < FF_TASK_STATE_COUNT &&
           (states[from].next & BIT(to)) != 0;
}
