#include "endpoint/scaling.h"

enum { PAUSE_FIRST_MS = 500, PAUSE_LONGEST_MS = 60000 };

int64_t ff_scaling_pause_ns(unsigned failures)
{
    int64_t pause_ms = failures == 0 ? 0 : PAUSE_FIRST_MS;
    for (unsigned i = 1; i < failures && pause_ms < PAUSE_LONGEST_MS; i++)
        pause_ms *= 2;
    return (pause_ms < PAUSE_LONGEST_MS ? pause_ms : PAUSE_LONGEST_MS) * 1000000;
}

/* How many blocks the tasks at hand call for. */
static unsigned wanted_blocks(const struct ff_scaling_input *input)
{
    unsigned slots = input->slots_a_block > 0 ? input->slots_a_block : 1;
    unsigned busy = input->blocks_running - input->blocks_idle;
    unsigned wanted = busy + (input->waiting + slots - 1) / slots;
    if (input->waiting > 0 && wanted == 0)
        wanted = 1;
    if (input->first && wanted < input->init_blocks)
        wanted = input->init_blocks;
    if (wanted < input->min_blocks)
        wanted = input->min_blocks;
    return wanted < input->max_blocks ? wanted : input->max_blocks;
}

/* Idle blocks beyond min_blocks end when nothing has come for a while. */
static void plan_stop(const struct ff_scaling_input *input, struct ff_scaling_orders *orders)
{
    unsigned have = input->blocks_pending + input->blocks_running;
    if (input->idle_limit_ns == 0 || input->waiting > 0 || have <= input->min_blocks ||
        input->blocks_idle == 0)
        return;
    int64_t at_ns = input->idle_since_ns + input->idle_limit_ns;
    if (input->now_ns < at_ns) {
        orders->look_again_ns = at_ns;
        return;
    }
    unsigned beyond = have - input->min_blocks;
    orders->stop = beyond < input->blocks_idle ? beyond : input->blocks_idle;
}

struct ff_scaling_orders ff_scaling_plan(const struct ff_scaling_input *input)
{
    struct ff_scaling_orders orders = {0, 0, 0};
    unsigned have = input->blocks_pending + input->blocks_running;
    if (input->draining)
        return orders;
    unsigned wanted = wanted_blocks(input);
    if (wanted > have) {
        int64_t at_ns = input->failed_ns + ff_scaling_pause_ns(input->failures);
        if (input->failures > 0 && input->now_ns < at_ns)
            orders.look_again_ns = at_ns;
        else
            orders.start = wanted - have;
        return orders;
    }
    plan_stop(input, &orders);
    return orders;
}
