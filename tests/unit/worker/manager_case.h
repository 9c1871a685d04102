/*
 * tests/unit/worker/manager_case.h: what the tests of a whole manager share: an agent that is not one, which each test opens
 * anew, and short words for what its tasks come to.
 */
#ifndef FF_TESTS_UNIT_WORKER_MANAGER_CASE_H
#define FF_TESTS_UNIT_WORKER_MANAGER_CASE_H

#include "tests/unit/worker/fake_agent.h"

static struct agent agent;

static unsigned fault(const char *arguments)
{
    return agent_submit(&agent, &(struct wish){.function = "fault", .arguments = arguments});
}

static const struct heard *ended(unsigned index)
{
    agent_run(&agent, has_ended, index);
    return &agent.tasks[index];
}

static void assert_success(unsigned index, const char *value)
{
    const struct heard *heard = ended(index);
    if (heard->outcome.state != FF_TASK_SUCCESS)
        fail_msg("%s: %s", heard->code, heard->message);
    assert_non_null(heard->value);
    assert_string_equal(heard->value, value);
}

static void assert_failure(unsigned index, const char *code)
{
    const struct heard *heard = ended(index);
    assert_int_equal(heard->outcome.state, FF_TASK_FAILED_STATE);
    assert_string_equal(heard->code, code);
}

static int set_up(void **state)
{
    (void)state;
    agent_open(&agent, 2, 2, 600000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    agent_close(&agent);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
