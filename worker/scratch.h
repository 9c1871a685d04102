/*
 * worker/scratch.h: the folder that a call runs in, as its runner sees it.
 *
 * A call has tasks/TASK_ID/scratch, which its manager made, and tasks/TASK_ID/checkpoint. Making and removing folders takes longer
 * than a tiny function; so a call may come without a folder: the runner then lends its own, tasks/runner-NODE-PID, which stays the
 * runner's as long as calls leave it untouched, and becomes the task's by a rename after the first that did not.
 */
#ifndef FF_WORKER_SCRATCH_H
#define FF_WORKER_SCRATCH_H

#include "protocol/core/bytes.h"

#include <sys/types.h>

struct ff_scratch;

struct ff_scratch *ff_scratch_create(const char *tasks, const char *node,
                                     struct ff_error *error) FF_MUST_USE;

/* Makes the folder at `path` (of the call; empty: the lent one) the working folder. */
int ff_scratch_enter(struct ff_scratch *scratch, struct ff_span path, struct ff_span checkpoint,
                     struct ff_error *error) FF_MUST_USE;

/* Absolute; valid until the next enter. */
const char *ff_scratch_path(const struct ff_scratch *scratch);
const char *ff_scratch_checkpoint(const struct ff_scratch *scratch);

/* After the call: gives a lent folder that was used to the task. */
void ff_scratch_leave(struct ff_scratch *scratch, const char *task_id);

/* Where the runner of this pid on this node lends from; the node, because nodes share the tasks' folder. */
void ff_scratch_lent_path(const char *tasks, const char *node, pid_t pid, char *path, size_t size);

/* Removes what dead runners of this node have lent and left. */
void ff_scratch_sweep(const char *tasks, const char *node);

#endif
