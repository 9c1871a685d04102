/* The real manager when it has to go, with an agent that is not one. */
#include "tests/unit/worker/manager_case.h"

#include "protocol/core/clock.h"
#include "protocol/core/process.h"

#include <signal.h>
#include <sys/wait.h>

static void test_drain_gives_back_and_leaves(void **state)
{
    (void)state;
    const struct wish sleep_long = {.function = "fault",
                                    .arguments = "{\"do\": \"sleep\", \"seconds\": 60}"};
    unsigned running = agent_submit(&agent, &sleep_long);
    unsigned other = agent_submit(&agent, &sleep_long);
    unsigned queued = agent_submit(&agent, &sleep_long);
    agent_run(&agent, is_running, running);
    agent_run(&agent, is_running, other);
    kill(agent.manager, SIGINT);
    assert_failure(queued, "MANAGER_LOST");
    assert_true(agent.tasks[queued].outcome.unbegun && agent.tasks[queued].outcome.uncharged);
    assert_true(agent.says_draining);
    agent_control(&agent, running, FF_CONTROL_STOP);
    agent_control(&agent, other, FF_CONTROL_CANCEL);
    assert_success(running, "\"stopped\"");
    agent_run(&agent, manager_has_ended, 0);
    assert_true(WIFEXITED(agent.status) && WEXITSTATUS(agent.status) == 0);
}

/* A function that can writes its checkpoint; one that cannot is cut off and says so; neither is charged. */
static void assert_left_uncharged(unsigned able, unsigned shell)
{
    assert_failure(able, "MANAGER_LOST");
    assert_non_null(strstr(agent.tasks[able].message, "wrote its checkpoint"));
    assert_failure(shell, "MANAGER_LOST");
    assert_non_null(strstr(agent.tasks[shell].message, "writes no checkpoints"));
    const unsigned both[] = {able, shell};
    for (int i = 0; i < 2; i++) {
        const struct ff_outcome *outcome = &agent.tasks[both[i]].outcome;
        assert_true(outcome->lost && outcome->uncharged && !outcome->unbegun);
    }
    agent_run(&agent, manager_has_ended, 0);
    assert_true(WIFEXITED(agent.status) && WEXITSTATUS(agent.status) == 0);
}

static void test_a_signal_of_the_scheduler_is_no_failure(void **state)
{
    (void)state;
    unsigned able = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    unsigned shell = agent_submit(&agent, &(struct wish){.shell = "sleep 60", .arguments = "{}"});
    agent_run(&agent, is_running, able);
    agent_run(&agent, is_running, shell);
    /* It may reach every process of the job. */
    kill(agent.tasks[able].pid, SIGTERM);
    kill(agent.tasks[shell].pid, SIGTERM);
    kill(agent.manager, SIGUSR1);
    assert_left_uncharged(able, shell);
}

static void test_the_end_of_the_block_is_no_failure(void **state)
{
    char ends[32];
    (void)state;
    agent_close(&agent);
    snprintf(ends, sizeof ends, "%lld", (long long)ff_wall_ns() / 1000000000 + 7);
    setenv("FARFIELD_BLOCK_ENDS", ends, 1);
    agent_open(&agent, 2, 0, 600000);
    unsetenv("FARFIELD_BLOCK_ENDS");
    agent_run(&agent, is_connected, 0);
    assert_int_equal(agent.hello.ends_ns / 1000000000, atoll(ends));
    assert_int_equal((agent.hello.ends_ns - agent.hello.leaves_ns) / 1000000, 5000);
    unsigned able = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    unsigned shell = agent_submit(&agent, &(struct wish){.shell = "sleep 60", .arguments = "{}"});
    unsigned queued = fault("{\"do\": \"succeed\"}");
    assert_failure(queued, "MANAGER_LOST");
    assert_true(agent.tasks[queued].outcome.unbegun);
    assert_left_uncharged(able, shell);
    assert_true(ff_wall_ns() < atoll(ends) * 1000000000);
}

static bool says_draining(struct agent *of, unsigned index)
{
    (void)index;
    return of->says_draining;
}

/* A job that is cancelled has less time than its block had left. */
static void test_asked_to_leave_while_the_block_ends(void **state)
{
    char ends[32];
    (void)state;
    agent_close(&agent);
    snprintf(ends, sizeof ends, "%lld", (long long)ff_wall_ns() / 1000000000 + 3600);
    setenv("FARFIELD_BLOCK_ENDS", ends, 1);
    agent_open(&agent, 2, 0, 600000);
    unsetenv("FARFIELD_BLOCK_ENDS");
    unsigned shell = agent_submit(&agent, &(struct wish){.shell = "sleep 600", .arguments = "{}"});
    agent_run(&agent, is_running, shell);
    kill(agent.manager, SIGUSR1);
    agent_run(&agent, says_draining, 0);
    kill(agent.manager, SIGTERM);
    assert_failure(shell, "MANAGER_LOST");
    assert_true(agent.tasks[shell].outcome.lost && agent.tasks[shell].outcome.uncharged);
    agent_run(&agent, manager_has_ended, 0);
}

static void test_runners_die_with_their_manager(void **state)
{
    (void)state;
    unsigned deaf = fault("{\"do\": \"hang\"}");
    agent_run(&agent, is_running, deaf);
    struct ff_process_id id;
    struct ff_error error;
    assert_int_equal(ff_process_identify(agent.tasks[deaf].pid, &id), 0);
    kill(agent.manager, SIGKILL);
    agent_run(&agent, manager_has_ended, 0);
    assert_ok(ff_process_wait_gone(id, 10000, &error), error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_drain_gives_back_and_leaves),
        TEST(test_a_signal_of_the_scheduler_is_no_failure),
        TEST(test_the_end_of_the_block_is_no_failure),
        TEST(test_asked_to_leave_while_the_block_ends),
        TEST(test_runners_die_with_their_manager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
