/*
 * service/recent.h: results for which somebody waits, kept in memory for the moment until they are
 * read, so that the answer needs no look into the store. Few and small ones: whatever is not here
 * stands in the store, and a reader has to look there. Guarded by the lock of the service.
 */
#ifndef FF_SERVICE_RECENT_H
#define FF_SERVICE_RECENT_H

#include "service/ledger.h"
#include "service/tokens.h"

/* A durable result with what its batch says of it. One allocation. */
struct ff_recent_result {
    struct ff_result_row row;
    int64_t first;
    uint32_t count;
    struct ff_id group;
    struct ff_function *function;
    struct ff_endpoint *endpoint;
    int64_t submitted_ns, accepted_ns;
    char user[FF_USER_LIMIT + 1];
    char priority[17];
    char text[]; /* what the spans of the row point into */
};

enum { FF_RECENT_RESULTS = 64 };

struct ff_recent {
    struct ff_recent_result *results[FF_RECENT_RESULTS];
    unsigned next;
};

/* Keeps the result of a task that is about to leave the ledger, when somebody waits for it. */
void ff_recent_keep(struct ff_recent *recent, const struct ff_task *task,
                    const struct ff_result_row *row);

/* Takes the result of this key out, for the caller to free; NULL: it is not here. */
struct ff_recent_result *ff_recent_take(struct ff_recent *recent, int64_t key);

void ff_recent_clear(struct ff_recent *recent);

#endif
