/*
 * client/command/events.h: the events of a task as JSON lines and as text for people.
 */
#ifndef FF_CLIENT_COMMAND_EVENTS_H
#define FF_CLIENT_COMMAND_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * An event of the service as a line of `run --json` and `task watch --json`, or NULL when memory is out:
 *   progress with an epoch   {"type":"epoch", "epoch", "epochs", "cost", "r", "seconds", …}
 *   other progress           {"type":"progress", "fraction", … the numbers of the function}
 *   state, log, preview      as they came
 *   result                   {"type":"result", "task_id", "state", "attempt", "result", "error", "timings", and each
 *                             key of a result that is an object, unless the line has it already}
 * Numbers of the service's own bookkeeping ("seq") are left out.
 */
json_t *ff_event_line(const json_t *event, const char *task_id);

/* The progress of a task ({"fraction", numbers…}, or with the numbers under "numbers") as one short line:
 * "━━━━━─────  52 %  epoch 21/40  cost 0.4120  R 0.1310  1.90 s", without the bar unless `drawn`. */
void ff_event_progress_text(const json_t *progress, bool drawn, char *text, size_t size);

/* "running on node7, attempt 2", "waiting-for-nodes: all 2 slots are busy". */
void ff_event_state_text(const json_t *state, char *text, size_t size);

#endif
