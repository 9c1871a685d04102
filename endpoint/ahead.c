#include "endpoint/ahead.h"

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

bool ff_ahead_check(struct ff_agent *agent, int64_t now_ns)
{
    bool again = false;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        if (at->room.given <= at->room.slots)
            continue;
        again = true;
        for (struct ff_held *held = at->given.first; held != NULL; held = held->next) {
            if (held->slow || now_ns - held->given_ns < FF_AHEAD_LIMIT_MS * INT64_C(1000000))
                continue;
            if (held->state == FF_TASK_RUNNING)
                count_as_slow(agent, at, held, now_ns);
            else if (held->asked == 0)
                ff_dispatch_ask(held, FF_CONTROL_RECALL);
        }
    }
    return again;
}
