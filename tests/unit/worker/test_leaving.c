#include "tests/unit/check.h"

#include "worker/leaving.h"

#include <signal.h>

static void test_long_blocks_are_left_earlier(void **state)
{
    (void)state;
    assert_int_equal(ff_leaving_lead_ms(10000), 5000);
    assert_int_equal(ff_leaving_lead_ms(120000), 12000);
    assert_int_equal(ff_leaving_lead_ms(86400000), 60000);
}

static void test_a_signal_counts_before_the_loop_has_come_to_it(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2};
    struct ff_manager manager = {.signalled = false};
    sigset_t set;
    int taken;
    sigemptyset(&set);
    for (size_t i = 0; i < 3; i++)
        sigaddset(&set, signals[i]);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    assert_false(ff_manager_is_signalled(&manager));
    for (size_t i = 0; i < 3; i++) {
        raise(signals[i]);
        assert_true(ff_manager_is_signalled(&manager));
        assert_int_equal(sigwait(&set, &taken), 0);
        assert_false(ff_manager_is_signalled(&manager));
    }
    manager.signalled = true;
    assert_true(ff_manager_is_signalled(&manager));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_blocks_are_left_earlier),
        cmocka_unit_test(test_a_signal_counts_before_the_loop_has_come_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
