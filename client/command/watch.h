/*
 * client/command/watch.h: a task followed to its end, for `run` and `task watch`.
 */
#ifndef FF_CLIENT_COMMAND_WATCH_H
#define FF_CLIENT_COMMAND_WATCH_H

#include "client/farfield.h"

/*
 * Follows a task: JSON lines on standard output with `json`; else a progress line and the log on a terminal, and the
 * result on standard output. Returns the exit status of how the task ended. The first Ctrl-C leaves the task alone,
 * says how to find it again, and returns FF_EXIT_INTERRUPTED; the second ends the program. A service that goes away
 * meanwhile is waited for.
 */
int ff_watch_task(struct ff_session *session, const char *task_id, bool json,
                  struct ff_error *error) FF_MUST_USE;

/* Prints a value that a function gave: for a person on a terminal (value_view.h), else as one line of JSON. */
int ff_watch_value(const json_t *value, struct ff_error *error) FF_MUST_USE;

/*
 * Prints how a task ended (its entry, or its result event): the result on standard output, an error on standard error.
 * `shown` tells that its log lines were on the terminal already. Returns the exit status.
 */
int ff_watch_ending(const json_t *entry, bool shown, struct ff_error *error) FF_MUST_USE;

/* The exit status that the state of an ended task means. */
int ff_watch_status(const json_t *entry);

/* Sets up the first Ctrl-C so that waiting calls of the session end with "interrupted". */
void ff_watch_interrupts(struct ff_session *session);
bool ff_watch_interrupted(void);

#endif
