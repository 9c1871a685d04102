/*
 * functions/reconstruct/pool.h: threads that spin briefly for the next stage and then
 * sleep.
 *
 * A stage lasts well under a millisecond, so waking a sleeping thread each time would cost as much
 * as the work; but a thread that spins on beside another process takes that process's core. So:
 * some microseconds of spinning, then a futex.
 */
#ifndef FF_RECONSTRUCT_POOL_H
#define FF_RECONSTRUCT_POOL_H

#include "protocol/core/error.h"

struct ff_pool;

/* Cores that this process may use, at least 1. */
unsigned ff_pool_cores(void);

/* `thread` is 0 for the caller of ff_pool_run; `piece` counts the pieces of work. */
typedef void ff_pool_work(void *context, unsigned piece, unsigned thread);

/* `threads` counts the calling one, which takes part. `cores` may be NULL; thread i then stays
 * unpinned, else on cores[i % core_count]; the caller's own affinity is left alone. */
struct ff_pool *ff_pool_create(unsigned threads, const int *cores, unsigned core_count,
                               struct ff_error *error) FF_MUST_USE;
unsigned ff_pool_threads(const struct ff_pool *pool);

/* Runs pieces 0 … count-1, each once, on whichever thread is free; returns when all are done. */
void ff_pool_run(struct ff_pool *pool, ff_pool_work *work, void *context, unsigned count);

/* Runs one piece on each thread, piece i on thread i, for work that must stay where it was. */
void ff_pool_each(struct ff_pool *pool, ff_pool_work *work, void *context);

void ff_pool_destroy(struct ff_pool *pool);

#endif
