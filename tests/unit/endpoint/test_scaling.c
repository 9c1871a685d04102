#include "tests/unit/check.h"

#include "endpoint/scaling.h"

static const int64_t second_ns = 1000000000;

enum { ROWS = 128 };

/* A scene that the cases change: nodes of two slots, two GPUs and eight cores, one a block. */
struct stage {
    struct ff_scaling_demand demand[8];
    struct ff_scaling_block blocks[ROWS];
    struct ff_scaling_node nodes[ROWS];
    struct ff_scaling_memory memory;
    struct ff_scaling_input input;
};

static struct stage *set_stage(void)
{
    static struct stage stage;
    memset(&stage, 0, sizeof stage);
    stage.memory.any_came = true;
    stage.input.now_ns = 1000 * second_ns;
    stage.input.limits.max_blocks = 4;
    stage.input.limits.nodes_per_block = 1;
    stage.input.shape = (struct ff_scaling_shape){2, 2, 8, true};
    stage.input.demand = stage.demand;
    stage.input.blocks = stage.blocks;
    stage.input.nodes = stage.nodes;
    return &stage;
}

static struct ff_scaling_block *add_block(struct stage *stage, bool come, unsigned busy)
{
    struct ff_scaling_input *input = &stage->input;
    struct ff_scaling_block *block = &stage->blocks[input->block_count++];
    block->nodes = input->limits.nodes_per_block;
    block->come = come;
    block->tasks = busy;
    block->idle_since_ns = busy > 0 ? 0 : input->now_ns;
    for (unsigned i = 0; i < block->nodes; i++) {
        struct ff_scaling_node *node = &stage->nodes[input->node_count++];
        node->block = input->block_count - 1;
        node->come = come;
        node->has = input->shape;
        node->free = ff_scaling_all_of(&node->has);
        for (; busy > 0 && node->free.slots > 0; busy--)
            ff_scaling_occupy(&node->free, FF_SCALING_UNIT, 1, 1);
    }
    return block;
}

static void ask(struct stage *stage, struct ff_scaling_demand demand)
{
    stage->demand[stage->input.demands++] = demand;
}

static struct ff_scaling_orders plan(struct stage *stage)
{
    return ff_scaling_plan(&stage->input, &stage->memory);
}

static unsigned ends_of(const struct stage *stage)
{
    unsigned count = 0;
    for (unsigned i = 0; i < stage->input.block_count; i++)
        count += stage->blocks[i].end ? 1 : 0;
    return count;
}

/* ---- starting ---- */

/* One row a case: what waits, what is there, and how many blocks are asked for. */
static void test_blocks_follow_what_waits_and_what_it_needs(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct ff_scaling_demand first, second;
        unsigned max_blocks, idle, busy, coming; /* blocks */
        unsigned start;
    } cases[] = {
        {"nothing waits", {0}, {0}, 4, 0, 0, 0, 0},
        {"one task", {.count = 1}, {0}, 4, 0, 0, 0, 1},
        {"two tasks share a node of two slots", {.count = 2}, {0}, 4, 0, 0, 0, 1},
        {"five tasks need three", {.count = 5}, {0}, 4, 0, 0, 0, 3},
        {"eight tasks of one GPU", {.count = 8, .devices = 1}, {0}, 4, 0, 0, 0, 4},
        {"three tasks of two GPUs", {.count = 3, .devices = 2}, {0}, 4, 0, 0, 0, 3},
        {"two tasks of five cores share no node", {.count = 2, .cores = 5}, {0}, 4, 0, 0, 0, 2},
        {"two tasks of four cores share one", {.count = 2, .cores = 4}, {0}, 4, 0, 0, 0, 1},
        {"never more than max_blocks", {.count = 1000}, {0}, 4, 0, 0, 0, 4},
        {"those that are there count", {.count = 1000}, {0}, 4, 0, 1, 1, 2},
        {"what is coming is a place", {.count = 5}, {0}, 4, 0, 0, 2, 1},
        {"what is coming is enough", {.count = 4}, {0}, 4, 0, 0, 2, 0},
        {"a node that is free is a place", {.count = 2}, {0}, 4, 1, 0, 0, 0},
        {"a busy node is none", {.count = 1}, {0}, 4, 0, 1, 0, 1},
        {"short calls wait for a busy node", {.count = 40, .cost_us = 100000}, {0}, 4, 1, 0, 0, 0},
        {"many short calls do not", {.count = 150, .cost_us = 100000}, {0}, 4, 1, 0, 0, 1},
        {"tiny calls hardly weigh", {.count = 100000, .cost_us = 20}, {0}, 4, 1, 0, 0, 0},
        {"a short call starts a first node", {.count = 1, .cost_us = 20}, {0}, 4, 0, 0, 0, 1},
        {"what no node has is no reason for one", {.count = 9, .devices = 4}, {0}, 4, 0, 0, 0, 0},
        {"the small fill up what the large leave",
         {.count = 2, .devices = 1},
         {.count = 1, .devices = 1, .cores = 7},
         4,
         0,
         0,
         0,
         2},
        {"the class that comes first has the last blocks",
         {.count = 1, .priority = 2, .nodes = 2},
         {.count = 4, .priority = 0},
         2,
         0,
         0,
         0,
         2},
        {"the large come first whatever the order",
         {.count = 2, .devices = 1},
         {.count = 1, .devices = 2},
         4,
         0,
         0,
         0,
         2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stage *stage = set_stage();
        stage->input.limits.max_blocks = cases[i].max_blocks;
        ask(stage, cases[i].first);
        ask(stage, cases[i].second);
        for (unsigned j = 0; j < cases[i].busy; j++)
            add_block(stage, true, 2);
        for (unsigned j = 0; j < cases[i].idle; j++)
            add_block(stage, true, 0);
        for (unsigned j = 0; j < cases[i].coming; j++)
            add_block(stage, false, 0);
        const struct ff_scaling_orders orders = plan(stage);
        if (orders.start != cases[i].start)
            fail_msg("%s: %u blocks are asked for and not %u", cases[i].what, orders.start,
                     cases[i].start);
        assert_int_equal(ends_of(stage), 0);
    }
}

static void test_the_first_blocks_come_before_the_first_task(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.init_blocks = 2;
    assert_int_equal(plan(stage).start, 0);
    stage->memory.any_came = false;
    assert_int_equal(plan(stage).start, 2);
    add_block(stage, false, 0);
    assert_int_equal(plan(stage).start, 1);
    stage->input.limits.max_blocks = 1;
    assert_int_equal(plan(stage).start, 0);
}

static void test_nodes_that_are_not_known_are_tried_with_one(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.shape = (struct ff_scaling_shape){.slots = 2};
    ask(stage, (struct ff_scaling_demand){.count = 8, .devices = 1});
    assert_int_equal(plan(stage).start, 1);
    add_block(stage, false, 0);
    assert_int_equal(plan(stage).start, 0);
}

static void test_blocks_have_as_many_nodes_as_they_are_made_of(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.nodes_per_block = 2;
    ask(stage, (struct ff_scaling_demand){.count = 9, .devices = 1});
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 3);
    assert_int_equal(orders.nodes[2], 2);
    add_block(stage, true, 3);
    assert_int_equal(plan(stage).start, 2);
}

static void test_a_gang_of_nodes_gets_a_block_of_its_size(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    ask(stage, (struct ff_scaling_demand){.count = 1, .nodes = 3});
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 1);
    assert_int_equal(orders.nodes[0], 3);
    /* Three nodes of three blocks are none; three of one are. */
    add_block(stage, true, 0);
    add_block(stage, true, 0);
    add_block(stage, true, 0);
    assert_int_equal(plan(stage).wanted, 1);
    stage = set_stage();
    stage->input.limits.nodes_per_block = 4;
    ask(stage, (struct ff_scaling_demand){.count = 1, .nodes = 3});
    add_block(stage, true, 1);
    assert_int_equal(plan(stage).start, 0);
    stage->nodes[1].free.slots = 0;
    assert_int_equal(plan(stage).start, 1);
}

/* Of a block of three one node was lost for good: it is no place for three, and stands in the way of one that is. */
static void test_a_block_that_lost_a_node_makes_room_for_a_gang(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.nodes_per_block = 3;
    stage->input.limits.max_blocks = 1;
    ask(stage,
        (struct ff_scaling_demand){.count = 1, .nodes = 3, .waited_ns = FF_SCALING_PATIENCE_NS});
    add_block(stage, true, 0);
    (void)plan(stage);
    assert_int_equal(ends_of(stage), 0);
    stage->input.node_count = 2;
    for (unsigned i = 0; i < 2; i++)
        stage->nodes[i].free = ff_scaling_all_of(&stage->nodes[i].has);
    (void)plan(stage);
    assert_int_equal(ends_of(stage), 1);
}

static void test_what_only_seemed_to_fit_gets_a_node_after_all(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    add_block(stage, true, 0);
    ask(stage, (struct ff_scaling_demand){.count = 1, .waited_ns = 4 * second_ns});
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_true(orders.look_again_ns ==
                stage->input.now_ns + FF_SCALING_PATIENCE_NS - 4 * second_ns);
    stage->input.now_ns = orders.look_again_ns;
    stage->demand[0].waited_ns = FF_SCALING_PATIENCE_NS;
    assert_int_equal(plan(stage).start, 1);
}

static void test_a_node_that_ends_too_soon_is_no_place(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    add_block(stage, true, 0);
    stage->nodes[0].left_ns = 60 * second_ns;
    ask(stage, (struct ff_scaling_demand){.count = 1, .lasts_ns = 59 * second_ns});
    assert_int_equal(plan(stage).start, 0);
    stage->demand[0].lasts_ns = 61 * second_ns;
    stage->nodes[0].free = ff_scaling_all_of(&stage->nodes[0].has);
    assert_int_equal(plan(stage).start, 1);
}

/* ---- limits ---- */

static void test_jobs_that_are_ending_count_against_the_cap(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    ask(stage, (struct ff_scaling_demand){.count = 100});
    add_block(stage, true, 0)->leaving = true;
    add_block(stage, false, 0)->late = true;
    /* Neither is a place, and both are jobs. */
    assert_int_equal(plan(stage).start, 2);
    stage->demand[0].count = 1;
    assert_int_equal(plan(stage).start, 1);
    stage->input.limits.max_blocks = 2;
    assert_int_equal(plan(stage).start, 0);
    /* As many blocks, although of fewer nodes than new ones would have, are as many jobs. */
    stage->input.limits.nodes_per_block = 4;
    assert_int_equal(plan(stage).start, 0);
    stage->input.limits.max_blocks = 3;
    assert_int_equal(plan(stage).start, 1);
}

static void test_no_more_are_asked_for_in_a_minute_than_the_rate(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.max_blocks = 10;
    stage->input.limits.submit_rate = 3;
    ask(stage, (struct ff_scaling_demand){.count = 100});
    ff_scaling_submitted(&stage->memory, stage->input.now_ns - 70 * second_ns);
    ff_scaling_submitted(&stage->memory, stage->input.now_ns - 59 * second_ns);
    assert_int_equal(plan(stage).start, 2);
    ff_scaling_submitted(&stage->memory, stage->input.now_ns - 1 * second_ns);
    ff_scaling_submitted(&stage->memory, stage->input.now_ns);
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_int_equal(orders.wanted, 50);
    assert_int_equal(orders.limit, FF_SCALING_SUBMIT_RATE);
    assert_true(orders.look_again_ns == stage->input.now_ns + 1 * second_ns);
    stage->input.now_ns = orders.look_again_ns;
    assert_int_equal(plan(stage).start, 1);
    /* The ring holds more than it ever needs. */
    for (int i = 0; i < 3 * FF_SCALING_RATE; i++)
        ff_scaling_submitted(&stage->memory, stage->input.now_ns);
    assert_int_equal(plan(stage).start, 0);
    stage->input.limits.submit_rate = 0;
    orders = plan(stage);
    assert_int_equal(orders.start, 10);
    assert_int_equal(orders.limit, FF_SCALING_MAX_BLOCKS);
    stage->demand[0].count = 20;
    assert_int_equal(plan(stage).limit, FF_SCALING_NO_LIMIT);
}

static void test_failures_pause_longer_and_longer(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    ask(stage, (struct ff_scaling_demand){.count = 100});
    const int64_t now_ns = stage->input.now_ns;
    /* A rush of three that all failed for one reason is one failure. */
    ff_scaling_failed(&stage->memory, now_ns - 3 * second_ns, now_ns - second_ns);
    ff_scaling_failed(&stage->memory, now_ns - 3 * second_ns, now_ns - second_ns);
    ff_scaling_failed(&stage->memory, now_ns - 3 * second_ns, now_ns);
    assert_int_equal(stage->memory.failures, 1);
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_true(orders.look_again_ns == now_ns + ff_scaling_pause_ns(1));
    assert_int_equal(orders.limit, FF_SCALING_PAUSE);
    stage->input.now_ns = orders.look_again_ns;
    assert_int_equal(plan(stage).start, 1); /* one, to see whether it works again */
    struct ff_scaling_block *tried = add_block(stage, false, 0);
    assert_int_equal(plan(stage).start, 0);
    ff_scaling_failed(&stage->memory, stage->input.now_ns, stage->input.now_ns);
    assert_int_equal(stage->memory.failures, 2);
    ff_scaling_came(&stage->memory);
    tried->come = true;
    assert_int_equal(plan(stage).start, 3);
    assert_true(ff_scaling_pause_ns(0) == 0);
    assert_true(ff_scaling_pause_ns(3) == 4 * ff_scaling_pause_ns(1));
    assert_true(ff_scaling_pause_ns(1000) == 300 * second_ns);
}

static void test_what_is_unknown_changes_nothing(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    for (int i = 0; i < 2; i++)
        add_block(stage, i == 0, 0)->idle_since_ns = stage->input.now_ns - 100 * second_ns;
    stage->blocks[0].unknown = stage->blocks[1].unknown = true;
    assert_int_equal(plan(stage).start, 0);
    assert_int_equal(ends_of(stage), 0);
    ask(stage, (struct ff_scaling_demand){.count = 100});
    assert_int_equal(plan(stage).start, 0);
    assert_int_equal(plan(stage).look_again_ns, 0);
    assert_int_equal(plan(stage).limit, FF_SCALING_UNKNOWN);
    stage->blocks[0].unknown = stage->blocks[1].unknown = false;
    assert_int_equal(plan(stage).start, 2);
}

/* ---- ending ---- */

static void test_blocks_end_when_nothing_needed_them_for_long_enough(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    const int64_t now_ns = stage->input.now_ns;
    add_block(stage, true, 1);
    add_block(stage, true, 0)->idle_since_ns = now_ns - 59 * second_ns;
    add_block(stage, false, 0)->idle_since_ns = now_ns - 61 * second_ns;
    plan(stage);
    assert_int_equal(ends_of(stage), 0); /* they stay by default */
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(ends_of(stage), 1);
    assert_true(stage->blocks[2].end);
    assert_true(orders.look_again_ns == now_ns + second_ns);
    stage->input.now_ns = orders.look_again_ns;
    stage->blocks[2].leaving = true;
    plan(stage);
    assert_true(stage->blocks[1].end && !stage->blocks[0].end);
    stage->input.limits.min_blocks = 2;
    plan(stage);
    assert_int_equal(ends_of(stage), 0);
}

static void test_those_needed_last_go_last_and_the_last_asked_for_first(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    const int64_t now_ns = stage->input.now_ns;
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    stage->input.limits.min_blocks = 2;
    for (int i = 0; i < 4; i++)
        add_block(stage, i < 2, 0)->idle_since_ns = now_ns - 100 * second_ns;
    stage->blocks[0].idle_since_ns += second_ns;
    plan(stage);
    assert_true(stage->blocks[2].end && stage->blocks[3].end);
    assert_int_equal(ends_of(stage), 2);
    stage->input.limits.min_blocks = 3;
    plan(stage);
    assert_true(stage->blocks[3].end);
    assert_int_equal(ends_of(stage), 1);
}

static void test_something_that_waits_keeps_what_it_needs(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    const int64_t long_since_ns = stage->input.now_ns - 100 * second_ns;
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    for (int i = 0; i < 3; i++)
        add_block(stage, false, 0)->idle_since_ns = long_since_ns;
    ask(stage, (struct ff_scaling_demand){.count = 3});
    plan(stage);
    assert_int_equal(ends_of(stage), 1);
    assert_true(stage->blocks[2].end);
    /* One on its way stays although what waits seems to fit elsewhere. */
    stage = set_stage();
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    add_block(stage, true, 0);
    add_block(stage, false, 0)->idle_since_ns = long_since_ns;
    ask(stage, (struct ff_scaling_demand){.count = 1});
    plan(stage);
    assert_int_equal(ends_of(stage), 0);
    stage->input.demands = 0;
    stage->nodes[0].free = ff_scaling_all_of(&stage->nodes[0].has);
    stage->blocks[1].idle_since_ns = long_since_ns;
    plan(stage);
    assert_int_equal(ends_of(stage), 1);
}

static void test_busy_blocks_are_closed_for_a_gang_that_is_wider(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    for (int i = 0; i < 4; i++)
        add_block(stage, true, i == 1 ? 1 : 2);
    ask(stage, (struct ff_scaling_demand){.count = 1, .nodes = 2, .waited_ns = second_ns});
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 0);
    for (int i = 0; i < 4; i++)
        assert_false(stage->blocks[i].close || stage->blocks[i].end);
    /* The one with the fewest tasks, and one more: the new block has two nodes. */
    stage->demand[0].waited_ns = FF_SCALING_PATIENCE_NS;
    plan(stage);
    assert_true(stage->blocks[1].close && stage->blocks[0].close);
    assert_true(!stage->blocks[2].close && !stage->blocks[3].close);
    assert_int_equal(ends_of(stage), 0);
    /* Not while a class before its own waits. */
    ask(stage, (struct ff_scaling_demand){.count = 1, .priority = 0});
    stage->demand[0].priority = 1;
    plan(stage);
    for (int i = 0; i < 4; i++)
        assert_false(stage->blocks[i].close || stage->blocks[i].end);
    stage->input.demands = 1;
    stage->demand[0] =
        (struct ff_scaling_demand){.count = 1, .nodes = 2, .waited_ns = FF_SCALING_PATIENCE_NS};
    /* They are on their way out: no others go, and none is asked for before they have gone. */
    stage->blocks[0].leaving = stage->blocks[1].leaving = true;
    orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_true(!stage->blocks[2].close && !stage->blocks[3].close);
    /* And what becomes free is kept for it. */
    struct stage before = *stage;
    ask(stage, (struct ff_scaling_demand){.count = 10, .waited_ns = 99 * second_ns});
    stage->blocks[0] = stage->blocks[3];
    stage->input.block_count = 3;
    stage->input.node_count = 0;
    orders = plan(stage);
    assert_int_equal(orders.start, 0);
    stage->blocks[1] = stage->blocks[2];
    stage->input.block_count = 2;
    orders = plan(stage);
    assert_int_equal(orders.start, 1);
    assert_int_equal(orders.nodes[0], 2);
    *stage = before;
    /* What can never be makes no room, and nor does a gang for which a block is wide enough. */
    stage->blocks[0].leaving = stage->blocks[1].leaving = false;
    stage->demand[0].nodes = 5;
    plan(stage);
    assert_false(stage->blocks[0].close);
    stage->demand[0].nodes = 2;
    stage->blocks[3].nodes = 2;
    stage->nodes[stage->input.node_count++] = stage->nodes[3];
    plan(stage);
    assert_false(stage->blocks[0].close || stage->blocks[1].close);
}

static void test_what_is_of_no_use_makes_room_for_what_is(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.max_blocks = 2;
    for (int i = 0; i < 2; i++) {
        add_block(stage, true, 0)->idle_since_ns = stage->input.now_ns - 5 * second_ns;
        stage->nodes[i].left_ns = 60 * second_ns;
    }
    ask(stage, (struct ff_scaling_demand){.count = 1, .lasts_ns = 90 * second_ns});
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_int_equal(ends_of(stage), 0);
    assert_true(orders.look_again_ns == stage->input.now_ns + 5 * second_ns);
    stage->input.now_ns = orders.look_again_ns;
    orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_int_equal(ends_of(stage), 1);
    /* Not while something that waits could run there; not where there may be more blocks. */
    ask(stage, (struct ff_scaling_demand){.count = 1, .waited_ns = 60 * second_ns});
    plan(stage);
    assert_int_equal(ends_of(stage), 0);
    stage->input.demands = 1;
    stage->input.limits.max_blocks = 3;
    orders = plan(stage);
    assert_int_equal(orders.start, 1);
    assert_int_equal(ends_of(stage), 0);
    /* A gang of nodes needs them in one block. */
    stage = set_stage();
    stage->input.limits.max_blocks = 3;
    for (int i = 0; i < 3; i++)
        add_block(stage, true, i == 0 ? 1 : 0)->idle_since_ns = i == 0 ? 0 : 1;
    ask(stage, (struct ff_scaling_demand){.count = 1, .nodes = 2});
    orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_true(!stage->blocks[0].end && stage->blocks[1].end);
}

static void test_a_task_starts_the_idle_time_anew(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    struct ff_scaling_block *block = add_block(stage, true, 1);
    block->idle_since_ns = 1;
    plan(stage);
    assert_true(block->idle_since_ns == 0);
    block->tasks = 0;
    struct ff_scaling_orders orders = plan(stage);
    assert_true(block->idle_since_ns == stage->input.now_ns);
    assert_true(orders.look_again_ns == stage->input.now_ns + 60 * second_ns);
}

static void test_a_warm_reserve_lasts_until_its_end(void **state)
{
    (void)state;
    struct stage *stage = set_stage();
    stage->input.limits.idle_limit_ns = 60 * second_ns;
    stage->input.limits.warm_blocks = 3;
    stage->input.limits.warm_until_ns = stage->input.now_ns + 3600 * second_ns;
    struct ff_scaling_orders orders = plan(stage);
    assert_int_equal(orders.start, 3);
    assert_true(orders.look_again_ns == stage->input.limits.warm_until_ns);
    for (int i = 0; i < 3; i++)
        add_block(stage, true, 0)->idle_since_ns = stage->input.now_ns - 100 * second_ns;
    orders = plan(stage);
    assert_int_equal(orders.start, 0);
    assert_int_equal(ends_of(stage), 0);
    stage->input.now_ns = orders.look_again_ns;
    plan(stage);
    assert_int_equal(ends_of(stage), 3);
    stage->input.limits.warm_until_ns = 0;
    stage->input.limits.min_blocks = 1;
    plan(stage);
    assert_int_equal(ends_of(stage), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_follow_what_waits_and_what_it_needs),
        cmocka_unit_test(test_the_first_blocks_come_before_the_first_task),
        cmocka_unit_test(test_nodes_that_are_not_known_are_tried_with_one),
        cmocka_unit_test(test_blocks_have_as_many_nodes_as_they_are_made_of),
        cmocka_unit_test(test_a_gang_of_nodes_gets_a_block_of_its_size),
        cmocka_unit_test(test_a_block_that_lost_a_node_makes_room_for_a_gang),
        cmocka_unit_test(test_what_only_seemed_to_fit_gets_a_node_after_all),
        cmocka_unit_test(test_a_node_that_ends_too_soon_is_no_place),
        cmocka_unit_test(test_jobs_that_are_ending_count_against_the_cap),
        cmocka_unit_test(test_no_more_are_asked_for_in_a_minute_than_the_rate),
        cmocka_unit_test(test_failures_pause_longer_and_longer),
        cmocka_unit_test(test_what_is_unknown_changes_nothing),
        cmocka_unit_test(test_blocks_end_when_nothing_needed_them_for_long_enough),
        cmocka_unit_test(test_those_needed_last_go_last_and_the_last_asked_for_first),
        cmocka_unit_test(test_something_that_waits_keeps_what_it_needs),
        cmocka_unit_test(test_busy_blocks_are_closed_for_a_gang_that_is_wider),
        cmocka_unit_test(test_what_is_of_no_use_makes_room_for_what_is),
        cmocka_unit_test(test_a_task_starts_the_idle_time_anew),
        cmocka_unit_test(test_a_warm_reserve_lasts_until_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
