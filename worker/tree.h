/*
 * worker/tree.h: killing a process with all that it has started.
 *
 * A runner is the reaper of its orphans (PR_SET_CHILD_SUBREAPER), so all that a function starts stays below the
 * runner, also what was detached into a session of its own. What is left when a runner itself dies falls to the manager, which is a reaper,
 * too.
 */
#ifndef FF_WORKER_TREE_H
#define FF_WORKER_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/* Kills all that is below `root`. What forks meanwhile is found in the next round, until a round finds nothing new; `root`, when it is not the
 * caller, is stopped for that time and killed at the end. Does not wait for the deaths and does not reap. */
void ff_tree_kill(pid_t root);

/* Kills the children of the caller, with all that is below them, except those for which `keep` says true. */
void ff_tree_kill_children(bool (*keep)(void *user, pid_t pid), void *user);

#endif
