/*
 * service/lanes.h: the tasks that wait for the window of their endpoint: a lane for each class and user.
 *
 * Of all lanes those of the highest class come first (live, normal, batch); among the users of a class whoever has the
 * fewest attempts at the endpoint, so that a user with a hundred thousand tasks does not keep another from the window; in
 * a lane the oldest. The lower classes leave a part of the window free, so that a live task reaches an endpoint that has
 * all the batch tasks it can take. Who of those at the endpoint runs first is decided there.
 *
 * Guarded by the lock of the service. Lanes live as long as their endpoint.
 */
#ifndef FF_SERVICE_LANES_H
#define FF_SERVICE_LANES_H

#include "service/ledger.h"

struct ff_lane {
    struct ff_lane *next;
    unsigned rank; /* 0: live */
    char *user;
    struct ff_queue queue;
    uint64_t held; /* attempts without receipt at the endpoint */
};

/* The lane of a batch, new when need be; NULL: no memory. */
struct ff_lane *ff_lane_of(struct ff_endpoint *endpoint, const struct ff_batch *batch) FF_MUST_USE;
void ff_lanes_destroy(struct ff_lane *lanes);

void ff_lane_push(struct ff_task *task);
void ff_lane_push_front(struct ff_task *task);
void ff_lane_remove(struct ff_task *task);

/* The task that the endpoint gets next; NULL: none waits for which there is room. Attempts whose receipt waits here still
 * count in the window. */
struct ff_task *ff_lanes_next(const struct ff_endpoint *endpoint);

/* Whether any task waits, whatever the window. */
bool ff_lanes_wait(const struct ff_endpoint *endpoint);

#endif
