/*
 * endpoint/sweeper.h: removes the folders of tasks that are over (a receipt said so), and what has grown old: task folders
 * that no attempt here belongs to and that nothing was written to for FF_RESULT_DAYS, and cached objects that nobody has
 * used for long. Old task folders go only while the service knows what is held here.
 *
 * Removing can take long, so a batch of ids is handed whole to a thread beside the loop (chores.h).
 */
#ifndef FF_ENDPOINT_SWEEPER_H
#define FF_ENDPOINT_SWEEPER_H

#include "endpoint/agent.h"

struct ff_sweeper *ff_sweeper_create(struct ff_agent *agent, struct ff_error *error) FF_MUST_USE;

/* Waits for the thread, and removes what is over by now. */
void ff_sweeper_destroy(struct ff_sweeper *sweeper);

/* Looks for what is old now, and not when it is due. */
void ff_sweeper_look(struct ff_sweeper *sweeper);

/* The task is over: its folder goes soon. */
void ff_sweeper_add(struct ff_sweeper *sweeper, const struct ff_id *task);

#endif
