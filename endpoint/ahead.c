#include "endpoint/ahead.h"

#include "endpoint/booking.h"
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/manager.h"

/* It keeps its slot after all. */
static void count_as_slow(struct ff_agent *agent, struct ff_manager *manager, struct ff_held *held,
                          int64_t now_ns)
{
    ff_room_mark_slow(&manager->room, held);
    ff_pace_learn(&agent->pace, &held->function, (uint64_t)(now_ns - held->given_ns) / 1000);
    held->lasts_ns = 0;
    agent->dispatch_needed = true;
}

static bool has_waited(const struct ff_held *held, int64_t now_ns)
{
    return now_ns - held->given_ns >= FF_AHEAD_LIMIT_MS * INT64_C(1000000);
}

static void look_behind_long_ones(struct ff_agent *agent, struct ff_manager *manager,
                                  int64_t now_ns)
{
    for (struct ff_held *held = manager->given.first; held != NULL; held = held->next) {
        if (held->slow || !has_waited(held, now_ns))
            continue;
        if (held->state == FF_TASK_RUNNING)
            count_as_slow(agent, manager, held, now_ns);
        else if (held->asked == 0)
            ff_dispatch_ask(held, FF_CONTROL_RECALL);
    }
}

/* Whether another node would run it now. */
static bool fits_elsewhere(const struct ff_agent *agent, const struct ff_held *held, int64_t now_ns)
{
    const struct ff_needs needs = ff_booking_needs_of(agent, held);
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        if (at != held->manager && ff_placement_judge(&at->room, &needs, now_ns) == FF_FITS_SLOT)
            return true;
    return false;
}

/* One at a time: the next look finds whether there is still room for another. */
static void look_at_line(const struct ff_agent *agent, const struct ff_manager *manager,
                         int64_t now_ns)
{
    for (struct ff_held *held = manager->given.first; held != NULL; held = held->next) {
        if (held->devices == 0 || held->nodes > 1 || held->state >= FF_TASK_RUNNING ||
            held->asked != 0 || !has_waited(held, now_ns) || !fits_elsewhere(agent, held, now_ns))
            continue;
        ff_dispatch_ask(held, FF_CONTROL_RECALL);
        return;
    }
}

bool ff_ahead_check(struct ff_agent *agent, int64_t now_ns)
{
    bool again = false;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        const struct ff_room *room = &at->room;
        bool line = room->devices_used + room->devices_taken > room->devices;
        bool ahead = room->given > room->slots;
        if (ahead)
            look_behind_long_ones(agent, at, now_ns);
        if (line)
            look_at_line(agent, at, now_ns);
        again = again || ahead || line;
    }
    return again;
}
