/*
 * endpoint/share.h: who has used how much of the endpoint of late, so that among users of a class whoever used least comes
 * first.
 *
 * Use is counted in core-seconds (a GPU counts as FF_SHARE_GPU_CORES) and halves every FF_SHARE_HALF_LIFE_S. It is kept as a
 * sum of charges that weigh the more the later they are, so that two users are compared by two numbers without looking at
 * the clock. An agent that starts anew knows of no use.
 */
#ifndef FF_ENDPOINT_SHARE_H
#define FF_ENDPOINT_SHARE_H

#include "protocol/core/bytes.h"

#include <stdbool.h>

enum {
    FF_SHARE_HALF_LIFE_S = 3600,
    FF_SHARE_GPU_CORES = 8,
    FF_SHARE_GUESS_S = 60, /* charged ahead for a call of which nothing is known */
};

/* One user. Lives as long as the share that made it. */
struct ff_sharer {
    struct ff_sharer *next;
    double use; /* weighted; comparable within one share */
    char name[129];
};

struct ff_share {
    struct ff_sharer *first;
    int64_t base_ns; /* a charge at this time weighs 1 */
};

void ff_share_dispose(struct ff_share *share);

/* The user of this name, new when need be; NULL: no memory. */
struct ff_sharer *ff_share_of(struct ff_share *share, struct ff_span name) FF_MUST_USE;

/* Adds core-seconds; negative ones take back what was charged too much. */
void ff_share_charge(struct ff_share *share, struct ff_sharer *sharer, double core_seconds,
                     int64_t now_ns);

#endif
