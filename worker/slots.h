/*
 * worker/slots.h: the states of a slot and the moves between them, and which cores each slot has.
 *
 *              START           READY            ANSWERED (the last)
 *     EMPTY ──────────► STARTING ─────► BUSY ──────────────────► IDLE
 *       ▲  ▲               │             │  ▲                     │
 *       │  └───DEAD────────┴─────────────┤  └────────HAND─────────┤
 *       │                    KILL        ▼                        │
 *       └──────DEAD────────────────── ENDING ◄────────KILL────────┘
 *
 *     EMPTY, IDLE ──LEND──► LENT ──RETURN──► EMPTY or IDLE     a call that needs more cores than its slot has
 *
 * Invariants: a slot that is STARTING or BUSY has a runner and at least one call; IDLE has a runner and no call; EMPTY has neither;
 * ENDING has a runner that was killed, and keeps the call that ran until its death.
 */
#ifndef FF_WORKER_SLOTS_H
#define FF_WORKER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

enum ff_slot_state {
    FF_SLOT_EMPTY,
    FF_SLOT_STARTING,
    FF_SLOT_IDLE,
    FF_SLOT_BUSY,
    FF_SLOT_ENDING,
    FF_SLOT_LENT,
    FF_SLOT_STATES
};

enum ff_slot_event {
    FF_SLOT_START,
    FF_SLOT_READY,
    FF_SLOT_HAND,
    FF_SLOT_ANSWERED,
    FF_SLOT_KILL,
    FF_SLOT_DEAD,
    FF_SLOT_LEND,
    FF_SLOT_RETURN_EMPTY,
    FF_SLOT_RETURN_IDLE,
    FF_SLOT_EVENTS
};

/* True and *state moved where the table allows it; false, and nothing changed, otherwise. */
bool ff_slot_move(enum ff_slot_state *state, enum ff_slot_event event);
const char *ff_slot_state_name(enum ff_slot_state state);

/*
 * Cuts the cores into the slots: slot `slot` of `slots` has `count` of `cores`, beginning at the returned index. Each
 * has at least one; where there are more slots than cores, they share.
 */
size_t ff_slot_cores(size_t slot, size_t slots, size_t cores, size_t *count);

/* How many slots a call takes that asks for `wanted` cores (0: one slot). */
size_t ff_slots_for(size_t wanted, size_t slots, size_t cores);

#endif
