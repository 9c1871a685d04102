#include "endpoint/booking.h"

#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "protocol/core/clock.h"

static struct ff_needs make_needs(const struct ff_agent *agent, const struct ff_id *function,
                                  uint64_t limit_ms)
{
    uint64_t pace_us = ff_pace_of(&agent->pace, function);
    uint64_t lasts_us = limit_ms > 0 ? limit_ms * 1000 : pace_us;
    const uint64_t most_us = FF_UNKNOWN_NS / 4000;
    const struct ff_needs needs = {
        .cost_us = pace_us < UINT32_MAX ? (uint32_t)pace_us : UINT32_MAX,
        .lasts_ns = (int64_t)(lasts_us < most_us ? lasts_us : most_us) * 1000,
    };
    return needs;
}

struct ff_needs ff_booking_needs_of_shape(const struct ff_agent *agent,
                                          const struct ff_shape *shape)
{
    struct ff_needs needs = make_needs(agent, &shape->function, shape->limit_ms);
    needs.devices = shape->devices;
    needs.cores = shape->cores;
    needs.nodes = shape->nodes;
    return needs;
}

struct ff_needs ff_booking_needs_of(const struct ff_agent *agent, const struct ff_held *held)
{
    struct ff_needs needs = make_needs(agent, &held->function, held->limit_ms);
    needs.devices = held->devices;
    needs.cores = held->cores;
    needs.nodes = held->nodes;
    return needs;
}

/* What of an endpoint an attempt keeps from others, in cores. */
static double weight_of(const struct ff_held *held)
{
    unsigned cores = held->cores > 1 ? held->cores : 1;
    return (double)held->nodes * (cores + (double)FF_SHARE_GPU_CORES * held->devices);
}

static double expected_seconds(const struct ff_needs *needs)
{
    double limit = 1e-9 * (double)needs->lasts_ns;
    if (needs->cost_us > 0)
        return 1e-6 * needs->cost_us;
    return needs->lasts_ns > 0 && limit < FF_SHARE_GUESS_S ? limit : FF_SHARE_GUESS_S;
}

void ff_booking_take(struct ff_agent *agent, struct ff_manager *manager,
                     const struct ff_needs *needs, struct ff_held *held)
{
    int64_t now_ns = ff_monotonic_ns();
    ff_room_take(&manager->room, needs, held, now_ns);
    held->charged = expected_seconds(needs) * weight_of(held);
    ff_share_charge(ff_queue_share(agent->queue), held->sharer, held->charged, now_ns);
}

void ff_booking_give_back(struct ff_agent *agent, struct ff_held *held, int64_t ran_us)
{
    struct ff_manager *manager = held->manager;
    int64_t now_ns = ff_monotonic_ns();
    double seconds = ran_us >= 0 ? 1e-6 * (double)ran_us : 1e-9 * (double)(now_ns - held->given_ns);
    ff_room_give_back(&manager->room, held);
    if (held->nodes > 1)
        ff_gang_give_back(agent, held);
    ff_share_charge(ff_queue_share(agent->queue), held->sharer,
                    seconds * weight_of(held) - held->charged, now_ns);
    held->charged = 0;
}
