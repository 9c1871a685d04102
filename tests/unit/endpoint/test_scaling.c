#include "tests/unit/check.h"

#include "endpoint/scaling.h"

static const int64_t second_ns = 1000000000;

static struct ff_scaling_input base(void)
{
    struct ff_scaling_input input = {
        .now_ns = 1000 * second_ns, .max_blocks = 4, .slots_a_block = 2, .idle_since_ns = 0};
    return input;
}

static void test_first_block_comes_before_the_first_task(void **state)
{
    (void)state;
    struct ff_scaling_input input = base();
    input.init_blocks = 1;
    assert_int_equal(ff_scaling_plan(&input).start, 0);
    input.first = true;
    assert_int_equal(ff_scaling_plan(&input).start, 1);
    input.blocks_running = 1; /* adopted */
    input.blocks_idle = 1;
    assert_int_equal(ff_scaling_plan(&input).start, 0);
    input.draining = true;
    input.blocks_running = 0;
    assert_int_equal(ff_scaling_plan(&input).start, 0);
}

static void test_blocks_follow_the_tasks_within_limits(void **state)
{
    (void)state;
    struct ff_scaling_input input = base();
    input.waiting = 1;
    assert_int_equal(ff_scaling_plan(&input).start, 1);
    input.waiting = 5;
    assert_int_equal(ff_scaling_plan(&input).start, 3);
    input.blocks_pending = 2;
    assert_int_equal(ff_scaling_plan(&input).start, 1);
    input.waiting = 1000;
    assert_int_equal(ff_scaling_plan(&input).start, 2);
    input.max_blocks = 1;
    assert_int_equal(ff_scaling_plan(&input).start, 0);
    struct ff_scaling_input least = base();
    least.min_blocks = 2;
    assert_int_equal(ff_scaling_plan(&least).start, 2);
}

static void test_failures_pause_longer_and_longer(void **state)
{
    (void)state;
    struct ff_scaling_input input = base();
    input.waiting = 1;
    input.failures = 1;
    input.failed_ns = input.now_ns;
    struct ff_scaling_orders orders = ff_scaling_plan(&input);
    assert_int_equal(orders.start, 0);
    assert_true(orders.look_again_ns == input.now_ns + ff_scaling_pause_ns(1));
    input.now_ns = orders.look_again_ns;
    assert_int_equal(ff_scaling_plan(&input).start, 1);
    assert_true(ff_scaling_pause_ns(0) == 0);
    assert_true(ff_scaling_pause_ns(3) == 4 * ff_scaling_pause_ns(1));
    assert_true(ff_scaling_pause_ns(1000) == 60 * second_ns);
}

static void test_idle_blocks_end_when_told_to(void **state)
{
    (void)state;
    struct ff_scaling_input input = base();
    input.blocks_running = 3;
    input.blocks_idle = 2;
    assert_int_equal(ff_scaling_plan(&input).stop, 0); /* they stay by default */
    input.idle_limit_ns = 60 * second_ns;
    input.idle_since_ns = input.now_ns - 59 * second_ns;
    struct ff_scaling_orders orders = ff_scaling_plan(&input);
    assert_int_equal(orders.stop, 0);
    assert_true(orders.look_again_ns == input.now_ns + second_ns);
    input.now_ns = orders.look_again_ns;
    assert_int_equal(ff_scaling_plan(&input).stop, 2);
    input.min_blocks = 2;
    assert_int_equal(ff_scaling_plan(&input).stop, 1);
    input.waiting = 1;
    assert_int_equal(ff_scaling_plan(&input).stop, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_block_comes_before_the_first_task),
        cmocka_unit_test(test_blocks_follow_the_tasks_within_limits),
        cmocka_unit_test(test_failures_pause_longer_and_longer),
        cmocka_unit_test(test_idle_blocks_end_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
