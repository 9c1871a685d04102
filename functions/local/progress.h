/*
 * functions/local/progress.h: how a local run shows itself: JSON lines on standard output, or one
 * line on a terminal that is drawn over again, or nothing in a pipe.
 */
#ifndef FF_FUNCTIONS_LOCAL_PROGRESS_H
#define FF_FUNCTIONS_LOCAL_PROGRESS_H

#include "functions/local/host.h"

struct ff_progress;

struct ff_progress *ff_progress_create(bool json, struct ff_error *error) FF_MUST_USE;
void ff_progress_destroy(struct ff_progress *progress);

/* Valid as long as `progress`. */
struct ff_local_watch ff_progress_watch(struct ff_progress *progress);

/* Clears the line. */
void ff_progress_end(struct ff_progress *progress);

#endif
