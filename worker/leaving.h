/*
 * worker/leaving.h: how a manager leaves: because it is asked to, or because the scheduler ends its block.
 *
 * The end of a block is no error. Shortly before it (a minute, or a tenth of the block's life where that is less; the
 * scheduler's signal comes as well), nothing new is taken, what has not begun is given back, and calls that can are asked for
 * a checkpoint; the others run on, for they may end in time. What still runs a moment before the end is killed and given
 * back uncharged: it is not its fault.
 */
#ifndef FF_WORKER_LEAVING_H
#define FF_WORKER_LEAVING_H

#include "worker/manager.h"

int ff_leaving_open(struct ff_manager *manager, struct ff_error *error) FF_MUST_USE;
void ff_leaving_close(struct ff_manager *manager);

/* Drains: takes nothing new, gives back what has not begun, and leaves when the last outcome has its receipt. `hurried`:
 * what runs is asked for a checkpoint, and killed after a while; and a receipt that cannot come is not waited for. */
void ff_manager_leave(struct ff_manager *manager, bool hurried);

/* The block is about to end. What runs has until shortly before that, where the end is known; less, when the manager is asked
 * to leave meanwhile. */
void ff_manager_block_ends(struct ff_manager *manager);

/* Whether the scheduler has sent a signal, to which the loop may not have come yet. */
bool ff_manager_is_signalled(const struct ff_manager *manager);

/* Nothing runs, and the agent has every outcome, or cannot be told. */
bool ff_manager_has_left(const struct ff_manager *manager);

/* How long before the end of a block that has so much left it is left. Pure. */
int64_t ff_leaving_lead_ms(int64_t left_ms);

#endif
