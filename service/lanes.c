#include "service/lanes.h"

#include "service/catalog.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_PARTS = 8 }; /* of which each class leaves one more than the one above it */

static unsigned rank_of(const char *priority)
{
    if (strcmp(priority, "live") == 0)
        return 0;
    return strcmp(priority, "batch") == 0 ? 2 : 1;
}

struct ff_lane *ff_lane_of(struct ff_endpoint *endpoint, const struct ff_batch *batch)
{
    unsigned rank = rank_of(batch->priority);
    const char *user = batch->user != NULL ? batch->user : "";
    for (struct ff_lane *at = endpoint->lanes; at != NULL; at = at->next)
        if (at->rank == rank && strcmp(at->user, user) == 0)
            return at;
    struct ff_lane *lane = calloc(1, sizeof *lane);
    if (lane != NULL)
        lane->user = strdup(user);
    if (lane == NULL || lane->user == NULL) {
        free(lane);
        return NULL;
    }
    lane->rank = rank;
    lane->next = endpoint->lanes;
    endpoint->lanes = lane;
    return lane;
}

void ff_lanes_destroy(struct ff_lane *lanes)
{
    while (lanes != NULL) {
        struct ff_lane *next = lanes->next;
        free(lanes->user);
        free(lanes);
        lanes = next;
    }
}

void ff_lane_push(struct ff_task *task)
{
    ff_queue_push(&task->batch->lane->queue, task);
}

void ff_lane_push_front(struct ff_task *task)
{
    ff_queue_push_front(&task->batch->lane->queue, task);
}

void ff_lane_remove(struct ff_task *task)
{
    ff_queue_remove(&task->batch->lane->queue, task);
}

static bool has_room(const struct ff_endpoint_link *link, unsigned rank)
{
    uint64_t window = link->window - rank * (link->window / WINDOW_PARTS);
    uint64_t bytes = link->window_bytes - rank * (link->window_bytes / WINDOW_PARTS);
    return link->held + link->receipt_count < window &&
           (link->held == 0 || link->held_bytes < bytes);
}

static bool comes_before(const struct ff_lane *a, const struct ff_lane *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->held != b->held)
        return a->held < b->held;
    return a->queue.first->batch->first < b->queue.first->batch->first;
}

struct ff_task *ff_lanes_next(const struct ff_endpoint *endpoint)
{
    const struct ff_lane *best = NULL;
    for (const struct ff_lane *at = endpoint->lanes; at != NULL; at = at->next)
        if (at->queue.first != NULL && has_room(&endpoint->link, at->rank) &&
            (best == NULL || comes_before(at, best)))
            best = at;
    return best != NULL ? best->queue.first : NULL;
}

bool ff_lanes_wait(const struct ff_endpoint *endpoint)
{
    for (const struct ff_lane *at = endpoint->lanes; at != NULL; at = at->next)
        if (at->queue.first != NULL)
            return true;
    return false;
}
