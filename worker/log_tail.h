/*
 * worker/log_tail.h: what a call said: its newest lines for the outcome, and how many of them may travel while it runs.
 */
#ifndef FF_WORKER_LOG_TAIL_H
#define FF_WORKER_LOG_TAIL_H

#include "protocol/core/bytes.h"

struct ff_log_tail;

/* NULL when memory is out: then nothing is kept. */
struct ff_log_tail *ff_log_tail_create(void);

/* NULL is fine. */
void ff_log_tail_destroy(struct ff_log_tail *tail);

/* Keeps a line. True when it may travel now: some hundred at once, then a hundred a second. *left_out is how many were
 * held back since the last one that travelled. */
bool ff_log_tail_add(struct ff_log_tail *tail, struct ff_span line, int64_t now_ns,
                     unsigned *left_out);

/* The newest whole lines, at most half of FF_LOG_TAIL; valid until the next call. Empty for NULL. */
struct ff_span ff_log_tail_text(struct ff_log_tail *tail);

#endif
