/*
 * worker/slot_output.h: what a runner prints: its standard output and error, line by line, as log of the call that runs.
 */
#ifndef FF_WORKER_SLOT_OUTPUT_H
#define FF_WORKER_SLOT_OUTPUT_H

#include "worker/slot.h"

/* Reads what is there, at most 256 KiB at once. */
void ff_slot_read_output(struct ff_slot *slot);

/* The runner is dead: a line without end is one, too. */
void ff_slot_end_output(struct ff_slot *slot);

/* A line of log of a call, from wherever it came: kept for its outcome, and sent as far as the rate allows. */
void ff_work_log(struct ff_work *work, uint64_t level, struct ff_span text);

#endif
