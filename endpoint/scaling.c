#include "endpoint/scaling.h"

#include <stdlib.h>
#include <string.h>

enum { PAUSE_FIRST_MS = 500, PAUSE_LONGEST_MS = 300000 };

static const int64_t minute_ns = INT64_C(60000000000);

/* ---- memory ---- */

int64_t ff_scaling_pause_ns(unsigned failures)
{
    int64_t pause_ms = failures == 0 ? 0 : PAUSE_FIRST_MS;
    for (unsigned i = 1; i < failures && pause_ms < PAUSE_LONGEST_MS; i++)
        pause_ms *= 2;
    return (pause_ms < PAUSE_LONGEST_MS ? pause_ms : PAUSE_LONGEST_MS) * 1000000;
}

void ff_scaling_submitted(struct ff_scaling_memory *memory, int64_t now_ns)
{
    memory->submitted_ns[memory->next_submission] = now_ns;
    memory->next_submission = (memory->next_submission + 1) % FF_SCALING_RATE;
    if (memory->submissions < FF_SCALING_RATE)
        memory->submissions++;
}

void ff_scaling_failed(struct ff_scaling_memory *memory, int64_t submitted_ns, int64_t now_ns)
{
    /* One that was asked for before the last failure was known tells nothing new. */
    if (memory->failures == 0 || submitted_ns >= memory->failed_ns)
        memory->failures++;
    memory->failed_ns = now_ns;
}

void ff_scaling_came(struct ff_scaling_memory *memory)
{
    memory->any_came = true;
    memory->failures = 0;
    memory->failed_ns = 0;
}

/* How many submissions the rate leaves now; when there is none, *again_ns is when there will be one. */
static unsigned left_of_rate(const struct ff_scaling_memory *memory, unsigned rate, int64_t now_ns,
                             int64_t *again_ns)
{
    unsigned used = 0;
    if (rate == 0)
        return FF_SCALING_STARTS;
    /* From the newest back: the rate-th of them decides. */
    for (unsigned i = 1; i <= memory->submissions; i++) {
        unsigned at = (memory->next_submission + FF_SCALING_RATE - i) % FF_SCALING_RATE;
        if (memory->submitted_ns[at] + minute_ns <= now_ns)
            break;
        if (++used >= rate) {
            *again_ns = memory->submitted_ns[at] + minute_ns;
            return 0;
        }
    }
    return rate - used;
}

/* ---- weights ---- */

uint64_t ff_scaling_weight_of(uint32_t cost_us)
{
    uint64_t weight = (uint64_t)cost_us * 1000 * FF_SCALING_UNIT / (uint64_t)FF_SCALING_SOON_NS;
    if (cost_us == 0 || weight > FF_SCALING_UNIT)
        return FF_SCALING_UNIT;
    return weight > 0 ? weight : 1;
}

struct ff_scaling_weight ff_scaling_all_of(const struct ff_scaling_shape *shape)
{
    const struct ff_scaling_weight all = {(uint64_t)shape->slots * FF_SCALING_UNIT,
                                          (uint64_t)shape->devices * FF_SCALING_UNIT,
                                          (uint64_t)shape->cores * FF_SCALING_UNIT};
    return all;
}

static uint64_t less(uint64_t have, uint64_t take)
{
    return take < have ? have - take : 0;
}

void ff_scaling_occupy(struct ff_scaling_weight *free, uint64_t weight, unsigned devices,
                       unsigned cores)
{
    free->slots = less(free->slots, weight);
    free->devices = less(free->devices, weight * devices);
    free->cores = less(free->cores, weight * (cores > 1 ? cores : 1));
}

/* ---- putting demand into nodes ---- */

/* All that one plan works on. */
struct plan {
    const struct ff_scaling_input *input;
    unsigned new_blocks; /* in thought */
    unsigned new_nodes[FF_SCALING_STARTS];
    struct ff_scaling_node opened[FF_SCALING_NODES]; /* the nodes of new blocks */
    unsigned opened_count;
    unsigned too_many; /* of the new blocks, for the limit of blocks */
    int64_t look_again_ns;
};

static void look_again(struct plan *plan, int64_t at_ns)
{
    if (plan->look_again_ns == 0 || at_ns < plan->look_again_ns)
        plan->look_again_ns = at_ns;
}

static bool shape_allows(const struct ff_scaling_shape *has, const struct ff_scaling_demand *demand)
{
    return demand->devices <= has->devices && (has->cores == 0 || demand->cores <= has->cores);
}

/* Whether tasks of this demand could run there if nothing else did. */
static bool could_hold(const struct ff_scaling_node *node, const struct ff_scaling_demand *demand)
{
    return (node->left_ns == 0 || demand->lasts_ns <= node->left_ns) &&
           shape_allows(&node->has, demand);
}

/* Whether they may be thought of there. */
static bool may_hold(const struct plan *plan, const struct ff_scaling_node *node,
                     const struct ff_scaling_demand *demand)
{
    const struct ff_scaling_block *block = &plan->input->blocks[node->block];
    if (block->leaving || (block->late && !node->come))
        return false;
    if (node->come && demand->waited_ns >= FF_SCALING_PATIENCE_NS)
        return false;
    return could_hold(node, demand);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Puts up to `count` tasks of a demand into a node, and says how many. */
static unsigned put(struct ff_scaling_node *node, const struct ff_scaling_demand *demand,
                    unsigned count)
{
    const uint64_t weight = ff_scaling_weight_of(demand->cost_us);
    uint64_t fit = smaller(count, node->free.slots / weight);
    if (demand->devices > 0)
        fit = smaller(fit, node->free.devices / (weight * demand->devices));
    if (demand->cores > 1 && node->has.cores > 0)
        fit = smaller(fit, node->free.cores / (weight * demand->cores));
    ff_scaling_occupy(&node->free, fit * weight, demand->devices, demand->cores);
    return (unsigned)fit;
}

static bool is_empty(const struct ff_scaling_node *node)
{
    const struct ff_scaling_weight all = ff_scaling_all_of(&node->has);
    return memcmp(&all, &node->free, sizeof all) == 0;
}

static void take_whole(struct ff_scaling_node *node)
{
    memset(&node->free, 0, sizeof node->free);
}

/* Those that are there first, then those on their way, those that were asked for first before others. */
static unsigned put_into_known(struct plan *plan, const struct ff_scaling_demand *demand)
{
    const struct ff_scaling_input *input = plan->input;
    unsigned left = demand->count;
    for (int come = 1; come >= 0; come--)
        for (unsigned i = 0; i < input->node_count && left > 0; i++) {
            struct ff_scaling_node *node = &input->nodes[i];
            if (node->come != (come == 1) || !may_hold(plan, node, demand))
                continue;
            unsigned fit = put(node, demand, left);
            if (fit > 0)
                plan->input->blocks[node->block].needed = true;
            left -= fit;
        }
    return left;
}

/* A new block, in thought; false when there is no room for the thought. */
static bool open_block(struct plan *plan, unsigned nodes)
{
    if (plan->new_blocks >= FF_SCALING_STARTS || nodes > FF_SCALING_NODES - plan->opened_count)
        return false;
    for (unsigned i = 0; i < nodes; i++) {
        struct ff_scaling_node *node = &plan->opened[plan->opened_count++];
        node->block = plan->new_blocks;
        node->come = false;
        node->has = plan->input->shape;
        node->free = ff_scaling_all_of(&plan->input->shape);
        node->left_ns = 0;
    }
    plan->new_nodes[plan->new_blocks++] = nodes;
    return true;
}

static unsigned block_size(const struct ff_scaling_input *input)
{
    return input->limits.nodes_per_block > 0 ? input->limits.nodes_per_block : 1;
}

static void put_into_new(struct plan *plan, const struct ff_scaling_demand *demand, unsigned left)
{
    const struct ff_scaling_shape *shape = &plan->input->shape;
    unsigned at = 0;
    if (!shape_allows(shape, demand)) {
        /* What a node will have is not known before the first has come: one is asked for, to see. */
        bool any = plan->new_blocks > 0;
        for (unsigned i = 0; i < plan->input->block_count && !any; i++)
            any = !plan->input->blocks[i].leaving && !plan->input->blocks[i].late;
        if (!shape->seen && !any)
            (void)open_block(plan, block_size(plan->input));
        return;
    }
    while (left > 0) {
        for (; at < plan->opened_count && left > 0; at++)
            left -= put(&plan->opened[at], demand, left);
        if (left > 0 && !open_block(plan, block_size(plan->input)))
            return;
    }
}

/* The first `wanted` empty nodes of one block among `count` rows, if it has so many. */
static bool take_gang(const struct plan *plan, struct ff_scaling_node *nodes, unsigned count,
                      bool known, const struct ff_scaling_demand *demand, unsigned *block)
{
    for (unsigned first = 0; first < count; first++) {
        unsigned found = 0;
        for (unsigned i = first; i < count; i++)
            found += nodes[i].block == nodes[first].block && is_empty(&nodes[i]) &&
                             (!known || may_hold(plan, &nodes[i], demand))
                         ? 1
                         : 0;
        if (found < demand->nodes)
            continue;
        *block = nodes[first].block;
        unsigned taken = 0;
        for (unsigned i = first; i < count && taken < demand->nodes; i++)
            if (nodes[i].block == *block && is_empty(&nodes[i])) {
                take_whole(&nodes[i]);
                taken++;
            }
        return true;
    }
    return false;
}

/* Gangs of nodes: each takes whole nodes of one block. */
static void put_gangs(struct plan *plan, const struct ff_scaling_demand *demand)
{
    const struct ff_scaling_input *input = plan->input;
    unsigned size = block_size(input) > demand->nodes ? block_size(input) : demand->nodes;
    unsigned block;
    for (unsigned i = 0; i < demand->count; i++) {
        if (take_gang(plan, input->nodes, input->node_count, true, demand, &block)) {
            input->blocks[block].needed = true;
            continue;
        }
        if (take_gang(plan, plan->opened, plan->opened_count, false, demand, &block))
            continue;
        if (!open_block(plan, size))
            return;
        (void)take_gang(plan, plan->opened, plan->opened_count, false, demand, &block);
    }
}

/* Class by class, and the largest first: what is left beside them is filled with the small. */
static int compare_demand(const void *a, const void *b)
{
    const struct ff_scaling_demand *x = a;
    const struct ff_scaling_demand *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->nodes != y->nodes)
        return x->nodes > y->nodes ? -1 : 1;
    if (x->devices != y->devices)
        return x->devices > y->devices ? -1 : 1;
    if (x->cores != y->cores)
        return x->cores > y->cores ? -1 : 1;
    return 0;
}

static void put_all(struct plan *plan)
{
    const struct ff_scaling_input *input = plan->input;
    if (input->demands > 1)
        qsort(input->demand, input->demands, sizeof *input->demand, compare_demand);
    for (unsigned i = 0; i < input->demands; i++) {
        const struct ff_scaling_demand *demand = &input->demand[i];
        if (demand->nodes > 1) {
            put_gangs(plan, demand);
            continue;
        }
        unsigned left = put_into_known(plan, demand);
        if (left > 0)
            put_into_new(plan, demand, left);
        else if (demand->count > 0 && demand->waited_ns < FF_SCALING_PATIENCE_NS)
            look_again(plan, input->now_ns + FF_SCALING_PATIENCE_NS - demand->waited_ns);
    }
}

/* ---- orders ---- */

static bool counts(const struct ff_scaling_block *block)
{
    return !block->leaving && !block->late;
}

/* Blocks that there shall be without any task. */
static unsigned floor_of(struct plan *plan, const struct ff_scaling_memory *memory)
{
    const struct ff_scaling_limits *limits = &plan->input->limits;
    unsigned least = limits->min_blocks;
    /* Only at first: what does not come up without being needed is not tried again. */
    if (!memory->any_came && memory->failures == 0 && limits->init_blocks > least)
        least = limits->init_blocks;
    if (limits->warm_until_ns > plan->input->now_ns) {
        look_again(plan, limits->warm_until_ns);
        least = limits->warm_blocks > least ? limits->warm_blocks : least;
    }
    return least < limits->max_blocks ? least : limits->max_blocks;
}

/* How many may be asked for now, of those that are wanted. */
static unsigned allowed(struct plan *plan, const struct ff_scaling_memory *memory,
                        enum ff_scaling_limit *limit)
{
    const struct ff_scaling_input *input = plan->input;
    bool coming = false;
    int64_t again_ns = 0;
    for (unsigned i = 0; i < input->block_count; i++) {
        if (input->blocks[i].unknown) {
            *limit = FF_SCALING_UNKNOWN;
            return 0;
        }
        coming = coming || (counts(&input->blocks[i]) && !input->blocks[i].come);
    }
    unsigned most = left_of_rate(memory, input->limits.submit_rate, input->now_ns, &again_ns);
    *limit = FF_SCALING_SUBMIT_RATE;
    if (memory->failures > 0) {
        int64_t until_ns = memory->failed_ns + ff_scaling_pause_ns(memory->failures);
        again_ns = until_ns > again_ns && until_ns > input->now_ns ? until_ns : again_ns;
        *limit = FF_SCALING_PAUSE;
        if (input->now_ns < until_ns || coming)
            most = 0;
        else if (most > 1)
            most = 1;
    }
    if (most == 0 && again_ns > input->now_ns)
        look_again(plan, again_ns);
    return most;
}

/* The nodes of a block that are there or may still come: one that was lost does not come back. */
static unsigned width_of(const struct ff_scaling_input *input, unsigned row)
{
    unsigned width = 0;
    for (unsigned i = 0; i < input->node_count; i++)
        width += input->nodes[i].block == row;
    return width;
}

/* The largest gang of nodes that has waited for long and for which no block is wide enough; NULL: there is none. */
static const struct ff_scaling_demand *find_stuck_gang(const struct ff_scaling_input *input)
{
    const unsigned most = input->limits.max_blocks * block_size(input);
    const struct ff_scaling_demand *first = NULL;
    for (unsigned i = 0; i < input->demands; i++) {
        const struct ff_scaling_demand *demand = &input->demand[i];
        if (first == NULL && demand->count > 0)
            first = demand;
        if (first != NULL && demand->priority > first->priority)
            return NULL; /* blocks on which a class before it waits stay open */
        bool wide = demand->nodes <= 1 || demand->nodes > most || demand->count == 0 ||
                    demand->waited_ns < FF_SCALING_PATIENCE_NS;
        for (unsigned j = 0; j < input->block_count && !wide; j++)
            wide = counts(&input->blocks[j]) && width_of(input, j) >= demand->nodes;
        if (!wide)
            return demand;
    }
    return NULL;
}

static void order_starts(struct plan *plan, unsigned most, struct ff_scaling_orders *orders)
{
    const struct ff_scaling_input *input = plan->input;
    const unsigned max_blocks = input->limits.max_blocks;
    const struct ff_scaling_demand *gang = find_stuck_gang(input);
    unsigned nodes = 0;
    for (unsigned i = 0; i < input->block_count; i++)
        nodes += input->blocks[i].nodes;
    for (unsigned i = 0; i < plan->new_blocks && orders->start < most; i++) {
        if (input->block_count + orders->start >= max_blocks ||
            nodes + plan->new_nodes[i] > max_blocks * block_size(input)) {
            plan->too_many++;
            if (gang != NULL && plan->new_nodes[i] >= gang->nodes)
                return; /* what becomes free is kept for it */
            continue;
        }
        nodes += plan->new_nodes[i];
        orders->nodes[orders->start++] = plan->new_nodes[i];
    }
}

/* Blocks that nothing has needed for long enough, those needed last the last; `spare` of them may go. */
static void order_ends(struct plan *plan, unsigned spare)
{
    const struct ff_scaling_input *input = plan->input;
    const int64_t limit_ns = input->limits.idle_limit_ns;
    while (spare > 0 && limit_ns > 0) {
        struct ff_scaling_block *oldest = NULL;
        for (unsigned i = 0; i < input->block_count; i++) {
            struct ff_scaling_block *block = &input->blocks[i];
            if (block->end || !counts(block) || block->unknown || block->idle_since_ns == 0)
                continue;
            /* Of those on their way the one asked for last is the farthest from its start. */
            if (oldest == NULL || block->idle_since_ns < oldest->idle_since_ns ||
                (block->idle_since_ns == oldest->idle_since_ns && !block->come))
                oldest = block;
        }
        if (oldest == NULL)
            return;
        if (oldest->idle_since_ns + limit_ns > input->now_ns) {
            look_again(plan, oldest->idle_since_ns + limit_ns);
            return;
        }
        oldest->end = true;
        spare--;
    }
}

/* Whether nothing of what waits could ever run in this block. */
static bool is_useless(const struct ff_scaling_input *input, unsigned row)
{
    const unsigned width = width_of(input, row);
    for (unsigned i = 0; i < input->demands; i++)
        for (unsigned j = 0; j < input->node_count; j++)
            if (input->nodes[j].block == row && input->demand[i].nodes <= width &&
                could_hold(&input->nodes[j], &input->demand[i]))
                return false;
    return true;
}

/* Blocks that are empty and of no use for what waits make room for `wanted` that are, where the limit of blocks stands
 * against these. */
static void order_exchange(struct plan *plan, unsigned wanted)
{
    const struct ff_scaling_input *input = plan->input;
    for (unsigned i = 0; i < input->block_count && wanted > 0; i++) {
        struct ff_scaling_block *block = &input->blocks[i];
        if (block->end || !block->come || !counts(block) || block->unknown ||
            block->idle_since_ns == 0 || !is_useless(input, i))
            continue;
        if (block->idle_since_ns + FF_SCALING_PATIENCE_NS > input->now_ns) {
            look_again(plan, block->idle_since_ns + FF_SCALING_PATIENCE_NS);
            continue;
        }
        block->end = true;
        wanted--;
    }
}

/* The one whose end costs least: without tasks, else with the fewest; of equal ones the oldest. */
static struct ff_scaling_block *choose_to_close(const struct ff_scaling_input *input)
{
    struct ff_scaling_block *best = NULL;
    for (unsigned i = 0; i < input->block_count; i++) {
        struct ff_scaling_block *block = &input->blocks[i];
        if (!counts(block) || block->end || block->close || block->unknown)
            continue;
        if (best == NULL || block->tasks < best->tasks)
            best = block;
    }
    return best;
}

/* Room for a block that is wide enough for a gang, where the limits leave none. */
static void make_room(const struct ff_scaling_input *input)
{
    const struct ff_scaling_demand *gang = find_stuck_gang(input);
    if (gang == NULL)
        return;
    unsigned jobs = 1;
    unsigned nodes = gang->nodes > block_size(input) ? gang->nodes : block_size(input);
    for (unsigned i = 0; i < input->block_count; i++) {
        const struct ff_scaling_block *block = &input->blocks[i];
        bool goes = block->leaving || block->end;
        jobs += goes ? 0 : 1;
        nodes += goes ? 0 : block->nodes;
    }
    while (jobs > input->limits.max_blocks ||
           nodes > input->limits.max_blocks * block_size(input)) {
        struct ff_scaling_block *block = choose_to_close(input);
        if (block == NULL)
            return;
        block->end = block->tasks == 0;
        block->close = !block->end;
        jobs--;
        nodes -= block->nodes;
    }
}

/* Whether something is still needed is known now. */
static unsigned note_needs(struct plan *plan, bool waiting)
{
    const struct ff_scaling_input *input = plan->input;
    unsigned have = 0;
    struct ff_scaling_block *coming = NULL;
    bool coming_needed = false;
    for (unsigned i = 0; i < input->block_count; i++) {
        struct ff_scaling_block *block = &input->blocks[i];
        bool needed = block->needed || block->tasks > 0;
        if (needed)
            block->idle_since_ns = 0;
        else if (block->idle_since_ns == 0)
            block->idle_since_ns = input->now_ns;
        if (!counts(block))
            continue;
        have++;
        if (block->come)
            continue;
        coming_needed = coming_needed || needed;
        if (coming == NULL)
            coming = block;
    }
    /* While something waits, not all that is on its way is given up. */
    if (waiting && coming != NULL && !coming_needed)
        coming->idle_since_ns = 0;
    return have;
}

struct ff_scaling_orders ff_scaling_plan(const struct ff_scaling_input *input,
                                         const struct ff_scaling_memory *memory)
{
    struct ff_scaling_orders orders = {0};
    struct plan plan;
    plan.input = input;
    plan.new_blocks = 0;
    plan.opened_count = 0;
    plan.too_many = 0;
    plan.look_again_ns = 0;
    for (unsigned i = 0; i < input->block_count; i++)
        input->blocks[i].needed = input->blocks[i].end = input->blocks[i].close = false;
    put_all(&plan);
    unsigned waiting = 0;
    for (unsigned i = 0; i < input->demands; i++)
        waiting += input->demand[i].count;
    unsigned have = note_needs(&plan, waiting > 0);
    unsigned least = floor_of(&plan, memory);
    while (have + plan.new_blocks < least && open_block(&plan, block_size(input)))
        ;
    orders.wanted = plan.new_blocks;
    if (plan.new_blocks > 0) {
        enum ff_scaling_limit limit;
        unsigned most = allowed(&plan, memory, &limit);
        order_starts(&plan, most, &orders);
        if (plan.too_many > 0)
            limit = FF_SCALING_MAX_BLOCKS;
        orders.limit = orders.start < plan.new_blocks ? limit : FF_SCALING_NO_LIMIT;
    }
    if (plan.too_many > 0)
        order_exchange(&plan, plan.too_many);
    make_room(input);
    if (orders.start == FF_SCALING_STARTS)
        look_again(&plan, input->now_ns);
    if (have > least)
        order_ends(&plan, have - least);
    orders.look_again_ns = plan.look_again_ns;
    return orders;
}
