#include "tests/unit/check.h"

#include "protocol/task_state.h"

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FF_TASK_STATE_COUNT; i++) {
        enum ff_task_state back;
        const char *name = ff_task_state_name((enum ff_task_state)i);
        assert_int_equal(ff_task_state_from_name(name, strlen(name), &back), 0);
        assert_int_equal(back, i);
    }
    enum ff_task_state untouched = FF_TASK_RUNNING;
    assert_int_equal(ff_task_state_from_name("done", 4, &untouched), -1);
    assert_int_equal(untouched, FF_TASK_RUNNING);
    assert_string_equal(ff_task_state_name((enum ff_task_state)99), "unknown");
}

static void test_terminal_states_are_left_by_no_move(void **state)
{
    (void)state;
    for (unsigned from = 0; from < FF_TASK_STATE_COUNT; from++) {
        for (unsigned to = 0; to < FF_TASK_STATE_COUNT; to++) {
            bool allowed = ff_task_state_may_move((enum ff_task_state)from, (enum ff_task_state)to);
            if (ff_task_state_is_terminal((enum ff_task_state)from))
                assert_false(allowed);
            else if (ff_task_state_is_terminal((enum ff_task_state)to))
                assert_true(allowed);
        }
    }
    assert_false(ff_task_state_may_move(FF_TASK_RUNNING, FF_TASK_RECEIVED));
    assert_true(ff_task_state_may_move(FF_TASK_RUNNING, FF_TASK_WAITING_FOR_EP));
    assert_false(ff_task_state_may_move((enum ff_task_state)99, FF_TASK_RUNNING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_terminal_states_are_left_by_no_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
