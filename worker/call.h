/*
 * worker/call.h: a call in a slot: handing over, its clock, what is asked of it, its end.
 */
#ifndef FF_WORKER_CALL_H
#define FF_WORKER_CALL_H

#include "worker/slot.h"

/* Sends a work to the runner of a slot (STARTING, IDLE or BUSY). */
void ff_slot_hand(struct ff_slot *slot, struct ff_work *work);

/* The runner is ready, or the first call has ended: the next one is first and may begin. */
void ff_slot_begin_head(struct ff_slot *slot);

/* Does what is due for the call that runs: reports, recalls those behind it, its time limit, the end of its grace. */
void ff_slot_check(struct ff_slot *slot);

/* CONTROL for a work that is handed. */
void ff_handed_cancel(struct ff_work *work);
void ff_handed_ask(struct ff_work *work, int stop);

/* Gives it back when it has not begun; false: it has. */
bool ff_handed_recall(struct ff_work *work);

/* Takes back what the runner has not begun. */
void ff_slot_recall(struct ff_slot *slot);

/* The call ended with this outcome; and: its runner died, with this status of wait. */
void ff_handed_answered(struct ff_work *work, struct ff_outcome *outcome);
void ff_handed_lost(struct ff_work *work, const struct ff_slot *slot, int status);

#endif
