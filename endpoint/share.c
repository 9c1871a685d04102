#include "endpoint/share.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REBASE_HALF_LIVES = 32 };

#define HALF_LIFE_NS (FF_SHARE_HALF_LIFE_S * 1e9)

void ff_share_dispose(struct ff_share *share)
{
    while (share->first != NULL) {
        struct ff_sharer *next = share->first->next;
        free(share->first);
        share->first = next;
    }
}

struct ff_sharer *ff_share_of(struct ff_share *share, struct ff_span name)
{
    struct ff_sharer **link = &share->first;
    while (*link != NULL && !ff_span_equal(name, ff_span_of((*link)->name)))
        link = &(*link)->next;
    struct ff_sharer *found = *link;
    if (found == NULL) {
        found = calloc(1, sizeof *found);
        if (found == NULL)
            return NULL;
        snprintf(found->name, sizeof found->name, "%.*s", (int)name.size,
                 name.size > 0 ? (const char *)name.data : "");
    } else {
        *link = found->next; /* whoever submits much is found at once the next time */
    }
    found->next = share->first;
    share->first = found;
    return found;
}

/* Weights grow for ever: from time to time all are made small again. */
static void rebase(struct ff_share *share, int64_t now_ns)
{
    double factor = exp2(-(double)(now_ns - share->base_ns) / HALF_LIFE_NS);
    for (struct ff_sharer *at = share->first; at != NULL; at = at->next)
        at->use *= factor;
    share->base_ns = now_ns;
}

void ff_share_charge(struct ff_share *share, struct ff_sharer *sharer, double core_seconds,
                     int64_t now_ns)
{
    if (share->base_ns == 0 || (double)(now_ns - share->base_ns) > REBASE_HALF_LIVES * HALF_LIFE_NS)
        rebase(share, now_ns);
    sharer->use += core_seconds * exp2((double)(now_ns - share->base_ns) / HALF_LIFE_NS);
    if (sharer->use < 0)
        sharer->use = 0;
}
