/*
 * tests/numeric/keep.h: a run that is interrupted, and its checkpoint in memory.
 */
#ifndef FF_TESTS_NUMERIC_KEEP_H
#define FF_TESTS_NUMERIC_KEEP_H

#include "functions/reconstruct/run.h"

struct keeper {
    struct ff_buffer kept;
    size_t yield_after, epochs;
    struct ff_checkpoint_sink sink;
};

/* What a run is to be watched with so that it yields after so many epochs. Borrows the keeper. */
struct ff_run_watch keeper_begin(struct keeper *keeper, size_t yield_after);
struct ff_span keeper_span(const struct keeper *keeper);
void keeper_dispose(struct keeper *keeper);

#endif
