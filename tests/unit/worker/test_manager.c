/* The real manager and its runners, with an agent that is not one: what each misbehaviour of a function comes to. */
#include "tests/unit/worker/manager_case.h"

#include "protocol/core/clock.h"
#include "protocol/core/file.h"
#include "protocol/core/process.h"
#include "worker/gpu/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_results_and_errors(void **state)
{
    (void)state;
    assert_int_equal(agent.hello.slots, 2);
    assert_int_equal(agent.hello.devices, 2);
    assert_success(agent_submit(&agent, &(struct wish){.function = "echo", .arguments = "[1, 2]"}),
                   "[1, 2]");
    unsigned failed = fault("{\"do\": \"fail\", \"message\": \"on purpose\"}");
    assert_failure(failed, "TASK_FAILED");
    assert_string_equal(agent.tasks[failed].message, "on purpose");
    assert_false(agent.tasks[failed].outcome.lost);
    assert_failure(fault("{\"do\": \"return-nothing\"}"), "TASK_FAILED");
    assert_failure(fault("{\"do\": \"return-garbage\"}"), "INVALID_JSON");
    assert_failure(fault("{\"do\": \"return-much\"}"), "RESULT_TOO_LARGE");
}

static void test_deaths_are_losses(void **state)
{
    (void)state;
    unsigned crashed = fault("{\"do\": \"signal\", \"signal\": 11}");
    assert_failure(crashed, "RUNNER_LOST");
    assert_true(agent.tasks[crashed].outcome.lost);
    assert_false(agent.tasks[crashed].outcome.uncharged);
    assert_non_null(strstr(agent.tasks[crashed].message, "signal 11 (Segmentation fault)"));
    unsigned left = fault("{\"do\": \"exit\", \"status\": 3}");
    assert_failure(left, "RUNNER_LOST");
    assert_non_null(strstr(agent.tasks[left].message, "exit status 3"));
    unsigned sleeper = fault("{\"do\": \"leak\", \"bytes\": 200000000, \"seconds\": 60}");
    agent_run(&agent, is_running, sleeper);
    kill(agent.tasks[sleeper].pid, SIGKILL);
    assert_failure(sleeper, "RUNNER_LOST");
    assert_int_equal(ended(fault("{\"do\": \"succeed\"}"))->outcome.state, FF_TASK_SUCCESS);
}

static void test_cancel_and_limit_end_the_deaf(void **state)
{
    (void)state;
    unsigned deaf = fault("{\"do\": \"hang\"}");
    agent_run(&agent, is_running, deaf);
    agent_control(&agent, deaf, FF_CONTROL_CANCEL);
    assert_int_equal(ended(deaf)->outcome.state, FF_TASK_CANCELLED_STATE);
    assert_int_equal(kill(agent.tasks[deaf].pid, 0), -1);
    unsigned limited = agent_submit(&agent, &(struct wish){.function = "fault",
                                                           .arguments = "{\"do\": \"hang\"}",
                                                           .time_limit_ms = 50});
    assert_failure(limited, "TIME_LIMIT");
    assert_false(agent.tasks[limited].outcome.lost);
    unsigned polite =
        agent_submit(&agent, &(struct wish){.function = "fault",
                                            .arguments = "{\"do\": \"sleep\", \"seconds\": 60}",
                                            .time_limit_ms = 50});
    assert_failure(polite, "TIME_LIMIT");
    assert_string_equal(agent.tasks[polite].value, "\"stopped\"");
}

static void test_stop_and_checkpoint(void **state)
{
    (void)state;
    static const char sleep_long[] = "{\"do\": \"sleep\", \"seconds\": 60}";
    unsigned stopped = fault(sleep_long);
    agent_run(&agent, has_progress, stopped);
    agent_control(&agent, stopped, FF_CONTROL_STOP);
    assert_success(stopped, "\"stopped\"");
    unsigned yielded = fault(sleep_long);
    agent_run(&agent, is_running, yielded);
    agent_control(&agent, yielded, FF_CONTROL_CHECKPOINT);
    assert_failure(yielded, "MANAGER_LOST");
    assert_true(agent.tasks[yielded].outcome.lost && agent.tasks[yielded].outcome.uncharged);
    assert_false(agent.tasks[yielded].outcome.unbegun);
}

/* Waits for the pid that the orphan writes; the file is complete with its newline. */
static pid_t read_pid(const char *path)
{
    for (int i = 0; i < 1000; i++) {
        char text[32] = "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t got = read(fd, text, sizeof text - 1);
            close(fd);
            if (got > 0 && strchr(text, '\n') != NULL)
                return atoi(text);
        }
        usleep(10000);
    }
    fail_msg("the orphan did not write its pid");
    return 0;
}

static void assert_gone(pid_t pid)
{
    struct ff_error error;
    struct ff_process_id id;
    if (ff_process_identify(pid, &id) == 0)
        assert_ok(ff_process_wait_gone(id, 10000, &error), error);
}

static void test_detached_grandchildren_die_with_their_call(void **state)
{
    (void)state;
    char arguments[512];
    char path[300];
    const struct {
        int seconds; /* 0: the call ends by itself and leaves the orphan */
        enum ff_control_action action;
        int signal_number;
    } ends[] = {{0, 0, 0}, {60, FF_CONTROL_CANCEL, 0}, {60, 0, SIGKILL}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s/orphan-%zu", agent.folder, i);
        snprintf(arguments, sizeof arguments,
                 "{\"do\": \"orphan\", \"pid_file\": \"%s\", \"seconds\": %d}", path,
                 ends[i].seconds);
        unsigned task = fault(arguments);
        if (ends[i].seconds > 0) {
            agent_run(&agent, is_running, task);
            pid_t orphan = read_pid(path);
            assert_int_equal(kill(orphan, 0), 0);
            if (ends[i].action != 0)
                agent_control(&agent, task, ends[i].action);
            else
                kill(agent.tasks[task].pid, ends[i].signal_number);
        }
        ended(task);
        if (ends[i].seconds > 0)
            assert_gone(read_pid(path));
    }
}

static void test_large_values_become_objects(void **state)
{
    (void)state;
    unsigned large = fault("{\"do\": \"return-much\", \"bytes\": 5000000}");
    const struct heard *heard = ended(large);
    assert_int_equal(heard->outcome.state, FF_TASK_SUCCESS);
    assert_int_equal(heard->outcome.value_size, 5000002);
    assert_int_equal(agent.stored_size, 5000002);
    struct ff_digest digest;
    struct ff_error error;
    assert_ok(ff_digest_of((struct ff_span){agent.stored, agent.stored_size}, &digest, &error),
              error);
    assert_memory_equal(&digest, &heard->outcome.value_digest, sizeof digest);
}

static void test_equal_values_are_sent_once(void **state)
{
    (void)state;
    agent.keeps_stored = true;
    unsigned one = fault("{\"do\": \"return-much\", \"bytes\": 8000000}");
    agent_run(&agent, has_stores, 0);
    unsigned two = fault("{\"do\": \"return-much\", \"bytes\": 8000000}");
    /* This one needs both slots, so it ends when the call before it has. */
    assert_success(
        agent_submit(&agent, &(struct wish){.function = "echo", .arguments = "1", .cores = 2}),
        "1");
    agent_answer_stored(&agent);
    assert_int_equal(ended(one)->outcome.value_size, 8000002);
    assert_int_equal(ended(two)->outcome.value_size, 8000002);
    assert_int_equal(agent.stores, 1);
}

static void test_a_refused_value_is_sent_again(void **state)
{
    (void)state;
    agent.refusals = 1;
    const struct heard *heard = ended(fault("{\"do\": \"return-much\", \"bytes\": 2000000}"));
    assert_int_equal(heard->outcome.state, FF_TASK_SUCCESS);
    assert_int_equal(heard->outcome.value_size, 2000002);
    assert_int_equal(agent.refusals, 0);
}

static void test_a_node_in_trouble_gives_back(void **state)
{
    (void)state;
    struct ff_error error;
    char tasks[512];
    snprintf(tasks, sizeof tasks, "%s/tasks", agent.folder);
    assert_ok(ff_folder_remove(tasks, &error), error);
    assert_ok(ff_file_write(tasks, ff_span_of("in the way"), 0600, &error), error);
    unsigned task = agent_submit(
        &agent, &(struct wish){.shell = "true", .arguments = "{}", .user = "somebody else"});
    assert_true(ended(task)->outcome.lost);
    assert_true(agent.tasks[task].outcome.uncharged && agent.tasks[task].outcome.unbegun);
    assert_int_equal(unlink(tasks), 0);
    assert_ok(ff_folder_make(tasks, 0700, &error), error);
    agent_retry(&agent, task, &(struct wish){.shell = "true", .arguments = "{}"});
    assert_int_equal(ended(task)->outcome.state, FF_TASK_SUCCESS);
}

/* The echo function with `padding` zeros behind it, as a file of its own. */
static struct ff_digest write_padded_echo(size_t padding, char *path, size_t path_size,
                                          size_t *size)
{
    struct ff_error error;
    struct ff_digest digest;
    char echo[1024];
    char *bytes = NULL;
    snprintf(echo, sizeof echo, "%s/lib/farfield/functions/echo.so", getenv("FF_STAGE"));
    assert_ok(ff_file_read(echo, 1 << 28, &bytes, size, &error), error);
    char *padded = calloc(1, *size + padding);
    assert_non_null(padded);
    memcpy(padded, bytes, *size);
    *size += padding;
    struct ff_span span = {padded, *size};
    snprintf(path, path_size, "%s/echo-%zu.so", agent.folder, padding);
    assert_ok(ff_file_write(path, span, 0600, &error), error);
    assert_ok(ff_digest_of(span, &digest, &error), error);
    free(padded);
    free(bytes);
    return digest;
}

static void test_large_functions_are_checked(void **state)
{
    (void)state;
    struct ff_error error;
    char function[1024];
    char path[1024];
    char text[FF_DIGEST_TEXT_SIZE];
    size_t size = 0;
    (void)write_padded_echo(2 << 20, function, sizeof function, &size);
    assert_success(agent_submit(&agent, &(struct wish){.function = function, .arguments = "[7]"}),
                   "[7]");
    assert_int_equal(agent.wanted, 0);
    /* One that lies in the cache with the right size and the wrong bytes. */
    struct ff_digest digest = write_padded_echo(3 << 20, function, sizeof function, &size);
    ff_digest_text(&digest, text);
    snprintf(path, sizeof path, "%s/cache/objects/%.2s", agent.folder, text);
    assert_ok(ff_folder_make(path, 0700, &error), error);
    snprintf(path, sizeof path, "%s/cache/objects/%.2s/%s", agent.folder, text, text + 2);
    char *wrong = calloc(1, size);
    assert_ok(ff_file_write(path, (struct ff_span){wrong, size}, 0600, &error), error);
    free(wrong);
    const struct wish wish = {.function = function, .arguments = "[8]", .uncached = true};
    unsigned first = agent.count;
    agent_submit_many(&agent, &wish, 3); /* which wait for the same check */
    for (unsigned i = first; i < agent.count; i++)
        assert_success(i, "[8]");
    assert_int_equal(agent.wanted, (size + FF_OBJECT_PART - 1) / FF_OBJECT_PART);
}

static void test_flood_is_bounded(void **state)
{
    (void)state;
    unsigned flood = fault("{\"do\": \"flood\", \"count\": 20000}");
    assert_success(flood, "\"flooded\"");
    assert_in_range(agent.tasks[flood].lines, 1, 3000);
    assert_in_range(agent.tasks[flood].progress, 1, 400);
    assert_in_range(agent.tasks[flood].previews, 1, 100);
}

static void test_many_short_calls_end_once_each(void **state)
{
    (void)state;
    const struct wish echo = {.function = "echo", .arguments = "{\"x\": 1}"};
    unsigned first = agent.count;
    for (int i = 0; i < 3; i++)
        agent_submit_many(&agent, &echo, 1000);
    agent_run(&agent, all_have_ended, first);
    for (unsigned i = first; i < agent.count; i++) {
        assert_int_equal(agent.tasks[i].outcomes, 1);
        assert_string_equal(agent.tasks[i].value, "{\"x\": 1}");
    }
}

/* One call that takes long must not hold up those that were handed behind it. */
static void test_calls_behind_a_long_one_go_elsewhere(void **state)
{
    (void)state;
    unsigned warm = agent.count;
    agent_submit_many(
        &agent, &(struct wish){.function = "fault", .arguments = "{\"do\": \"succeed\"}"}, 50);
    agent_run(&agent, all_have_ended, warm);
    unsigned hang = fault("{\"do\": \"hang\"}");
    agent_run(&agent, is_running,
              hang); /* so some come when it runs, and is not known to take long */
    unsigned first = agent.count;
    agent_submit_many(
        &agent, &(struct wish){.function = "fault", .arguments = "{\"do\": \"succeed\"}"}, 200);
    agent_run(&agent, all_have_ended, first);
    assert_int_equal(agent.tasks[hang].outcomes, 0);
    agent_control(&agent, hang, FF_CONTROL_CANCEL);
    assert_int_equal(ended(hang)->outcome.state, FF_TASK_CANCELLED_STATE);
}

static void test_only_what_has_not_begun_is_recalled(void **state)
{
    (void)state;
    static const char sleep_long[] = "{\"do\": \"sleep\", \"seconds\": 60}";
    const unsigned running[] = {fault(sleep_long), fault(sleep_long)};
    agent_run(&agent, is_running, running[0]);
    agent_run(&agent, is_running, running[1]);
    unsigned queued = fault(sleep_long);
    agent_control(&agent, running[0], FF_CONTROL_RECALL);
    agent_control(&agent, queued, FF_CONTROL_RECALL);
    assert_failure(queued, "MANAGER_LOST");
    assert_true(agent.tasks[queued].outcome.unbegun && agent.tasks[queued].outcome.uncharged);
    assert_int_equal(agent.tasks[running[0]].outcomes, 0);
    agent_control(&agent, running[0], FF_CONTROL_STOP);
    assert_success(running[0], "\"stopped\"");
}

static void test_shell(void **state)
{
    (void)state;
    unsigned task = agent_submit(
        &agent, &(struct wish){.shell = "echo $FARFIELD_TASK_ID; pwd; exit 0", .arguments = "{}"});
    const struct heard *heard = ended(task);
    char id[FF_ID_TEXT_SIZE];
    ff_id_text(&heard->task, id);
    assert_int_equal(heard->outcome.state, FF_TASK_SUCCESS);
    assert_non_null(strstr(heard->value, id));
    assert_non_null(strstr(heard->value, "/scratch"));
    unsigned lone = agent_submit(
        &agent, &(struct wish){.shell = "printf ${{FARFIELD_NODELIST-none}}", .arguments = "{}"});
    assert_non_null(strstr(ended(lone)->value, "\"stdout\":\"none\""));
    unsigned failed = agent_submit(&agent, &(struct wish){.shell = "exit 7", .arguments = "{}"});
    assert_failure(failed, "TASK_FAILED");
    assert_non_null(strstr(agent.tasks[failed].value, "\"exit_status\":7"));
    unsigned limited = agent_submit(
        &agent, &(struct wish){.shell = "sleep 60", .arguments = "{}", .time_limit_ms = 50});
    assert_failure(limited, "TIME_LIMIT");
}

static void test_a_call_on_several_nodes_knows_them_and_has_all_cores(void **state)
{
    (void)state;
    unsigned beside = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    agent_run(&agent, is_running, beside);
    unsigned gang = agent_submit(&agent, &(struct wish){.shell = "printf $FARFIELD_NODELIST",
                                                        .arguments = "{}",
                                                        .node_list = "a,b"});
    unsigned small = fault("{\"do\": \"succeed\"}");
    agent_control(&agent, beside, FF_CONTROL_STOP); /* it takes every slot of the node */
    assert_non_null(strstr(ended(gang)->value, "\"stdout\":\"a,b\""));
    assert_int_equal(ended(small)->outcome.state, FF_TASK_SUCCESS);
    unsigned nameless =
        agent_submit(&agent, &(struct wish){.shell = "true", .arguments = "{}", .node_list = ""});
    assert_failure(nameless, "UNSUPPORTED");
    unsigned native = agent_submit(
        &agent, &(struct wish){.function = "echo", .arguments = "1", .node_list = "a,b"});
    assert_failure(native, "UNSUPPORTED");
    assert_non_null(strstr(agent.tasks[native].message, "only shell functions"));
}

static void test_devices_are_leased_in_turn(void **state)
{
    (void)state;
    const struct wish see = {.function = "fault",
                             .arguments =
                                 "{\"do\": \"environment\", \"name\": \"CUDA_VISIBLE_DEVICES\"}",
                             .devices = 2};
    const struct wish hold = {
        .function = "fault", .arguments = "{\"do\": \"sleep\", \"seconds\": 60}", .devices = 1};
    unsigned holder = agent_submit(&agent, &hold);
    agent_run(&agent, is_running, holder);
    unsigned gang = agent_submit(&agent, &see);
    agent_run(&agent, has_why, gang);
    assert_non_null(strstr(agent.tasks[gang].why, "waits for 2 GPUs: 1 of 2 are free"));
    unsigned none = fault("{\"do\": \"environment\", \"name\": \"CUDA_VISIBLE_DEVICES\"}");
    assert_success(none, "\"\"");
    agent_control(&agent, holder, FF_CONTROL_CANCEL);
    assert_success(gang, "\"GPU-00000000-0000-4000-8000-000000000000,"
                         "GPU-00000000-0000-4000-8000-000000000001\"");
    unsigned many =
        agent_submit(&agent, &(struct wish){.function = "echo", .arguments = "1", .devices = 3});
    assert_failure(many, "NO_DEVICE");
}

static unsigned on_devices(const char *arguments, unsigned devices)
{
    return agent_submit(
        &agent, &(struct wish){.function = "fault", .arguments = arguments, .devices = devices});
}

/* The process that a call on so many devices ran in. */
static pid_t process_on(unsigned devices)
{
    const struct heard *heard = ended(on_devices("{\"do\": \"process\"}", devices));
    assert_int_equal(heard->outcome.state, FF_TASK_SUCCESS);
    return (pid_t)atoi(heard->value);
}

static void test_runners_stay_on_their_devices(void **state)
{
    (void)state;
    pid_t first = process_on(1);
    assert_int_equal(process_on(1), first);
    assert_success(on_devices("{\"do\": \"environment\", \"name\": \"CUDA_VISIBLE_DEVICES\"}", 1),
                   "\"GPU-00000000-0000-4000-8000-000000000000\"");
    assert_int_equal(process_on(1), first);
    pid_t second = process_on(2); /* which needs the device that the first one keeps */
    assert_int_not_equal(second, first);
    assert_gone(first);
    assert_int_equal(process_on(2), second);
    assert_failure(on_devices("{\"do\": \"fail\"}", 2), "TASK_FAILED");
    assert_int_not_equal(process_on(2), second);
    assert_gone(second);
}

static void test_a_lease_goes_on_to_the_next_of_its_group(void **state)
{
    (void)state;
    unsigned holder = on_devices("{\"do\": \"sleep\", \"seconds\": 60}", 2);
    agent_run(&agent, is_running, holder);
    unsigned next = on_devices("{\"do\": \"process\"}", 2);
    agent_run(&agent, has_why, next);
    unsigned other = on_devices("{\"do\": \"process\"}", 1); /* of another group */
    agent_run(&agent, has_why, other);
    unsigned last = on_devices("{\"do\": \"process\"}", 2);
    agent_run(&agent, has_why, last);
    agent_control(&agent, holder, FF_CONTROL_STOP);
    assert_success(holder, "\"stopped\"");
    pid_t first = agent.tasks[holder].pid;
    assert_int_equal(atoi(ended(next)->value), first);
    assert_int_not_equal(atoi(ended(other)->value), first);
    /* The other one came before it. */
    assert_int_not_equal(atoi(ended(last)->value), first);
}

static void test_devices_that_are_kept_are_given_to_others(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_gpu_lease *lease;
    pid_t runner = process_on(2);
    struct ff_gpus *gpus = ff_gpus_open(agent.registry, &error);
    assert_non_null(gpus);
    struct ff_gpu_claim *claim = ff_gpus_claim(gpus, 1, "another process", &error);
    assert_non_null(claim);
    assert_int_equal(ff_gpu_claim_try(claim, &lease, &error), 0);
    /* Long before the runner would have given them up by itself. */
    assert_ok(ff_gpu_claim_wait(claim, FF_GPU_WARM_MS / 2, &lease, &error), error);
    assert_gone(runner);
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    ff_gpus_close(gpus);
}

static void test_a_call_without_devices_takes_the_place_of_an_idle_runner(void **state)
{
    (void)state;
    pid_t runner = process_on(1);
    unsigned sleepers[2];
    for (int i = 0; i < 2; i++)
        sleepers[i] = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    for (int i = 0; i < 2; i++)
        agent_run(&agent, is_running, sleepers[i]);
    assert_gone(runner);
}

static void test_a_wide_call_waits_for_no_kept_devices(void **state)
{
    (void)state;
    pid_t runner = process_on(1);
    int64_t kept_until_ns = ff_monotonic_ns() + FF_GPU_WARM_MS * 1000000ll;
    unsigned wide = agent_submit(
        &agent,
        &(struct wish){.shell = "nproc", .arguments = "{}", .cores = (unsigned)agent.hello.cores});
    assert_int_equal(ended(wide)->outcome.state, FF_TASK_SUCCESS);
    assert_gone(runner);
    assert_true(ff_monotonic_ns() < kept_until_ns);
}

static void test_a_retry_gets_other_devices(void **state)
{
    (void)state;
    char first[128];
    const struct wish lose = {.function = "fault",
                              .arguments = "{\"do\": \"lose\", \"name\": \"CUDA_VISIBLE_DEVICES\"}",
                              .devices = 1};
    unsigned before =
        on_devices("{\"do\": \"environment\", \"name\": \"CUDA_VISIBLE_DEVICES\"}", 1);
    snprintf(first, sizeof first, "%s", ended(before)->value);
    unsigned lost = agent_submit(&agent, &lose);
    assert_failure(lost, "NO_DEVICE");
    assert_true(agent.tasks[lost].outcome.lost);
    agent_retry(&agent, lost, &lose);
    assert_int_equal(ended(lost)->outcome.state, FF_TASK_SUCCESS);
    assert_string_not_equal(agent.tasks[lost].value, first);
    /* Where there are no others, those come back. */
    unsigned both = on_devices("{\"do\": \"succeed\"}", 2);
    assert_int_equal(ended(both)->outcome.state, FF_TASK_SUCCESS);
}

static void test_functions_come_from_the_agent(void **state)
{
    (void)state;
    unsigned fetched = agent_submit(
        &agent, &(struct wish){.function = "echo", .arguments = "5", .uncached = true});
    assert_success(fetched, "5");
    assert_true(agent.wanted > 0);
    assert_failure(agent_submit(&agent, &(struct wish){.function = "/etc/passwd"}),
                   "FUNCTION_INVALID");
}

static void test_outcomes_survive_the_agent(void **state)
{
    (void)state;
    agent.withholds = true;
    unsigned done = fault("{\"do\": \"fail\"}");
    assert_failure(done, "TASK_FAILED");
    unsigned running = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    agent_run(&agent, is_running, running);
    agent_stop_listening(&agent);
    agent.withholds = false;
    agent.tasks[done].outcomes = 0;
    agent_listen(&agent);
    agent_run(&agent, is_connected, 0);
    assert_int_equal(agent.hellos, 2);
    assert_int_equal(agent.held, 2);
    assert_failure(done, "TASK_FAILED");
    agent_control(&agent, running, FF_CONTROL_STOP);
    assert_success(running, "\"stopped\"");
}

static int set_up_impatient(void **state)
{
    (void)state;
    agent_open(&agent, 2, 2, 200);
    return 0;
}

static void test_manager_ends_without_an_agent(void **state)
{
    (void)state;
    unsigned deaf = agent_submit(&agent, &(struct wish){.shell = "sleep 60", .arguments = "{}"});
    agent_run(&agent, is_running, deaf);
    agent_stop_listening(&agent);
    agent_run(&agent, manager_has_ended, 0);
    assert_true(WIFEXITED(agent.status) && WEXITSTATUS(agent.status) == 1);
    assert_gone(agent.tasks[deaf].pid);
    char path[512];
    snprintf(path, sizeof path, "%s/blocks/b1", agent.folder);
    assert_int_equal(access(path, F_OK), -1); /* with the key in it */
}

static void test_manager_ends_without_its_block(void **state)
{
    (void)state;
    struct ff_error error;
    char path[512];
    snprintf(path, sizeof path, "%s/blocks", agent.folder);
    assert_ok(ff_folder_remove(path, &error), error);
    agent_stop_listening(&agent);
    agent_run(&agent, manager_has_ended, 0);
    assert_true(WIFEXITED(agent.status) && WEXITSTATUS(agent.status) == 1);
}

static void test_cores_of_several_slots(void **state)
{
    (void)state;
    char expected[64];
    unsigned sleeper = fault("{\"do\": \"sleep\", \"seconds\": 60}");
    agent_run(&agent, is_running, sleeper);
    unsigned wide = agent_submit(
        &agent,
        &(struct wish){.shell = "nproc", .arguments = "{}", .cores = (unsigned)agent.hello.cores});
    unsigned behind = fault("{\"do\": \"succeed\"}");
    agent_control(&agent, sleeper, FF_CONTROL_STOP);
    const struct heard *heard = ended(wide);
    snprintf(expected, sizeof expected, "\"stdout\":\"%u\\n\"", (unsigned)agent.hello.cores);
    assert_int_equal(heard->outcome.state, FF_TASK_SUCCESS);
    assert_non_null(strstr(heard->value, expected));
    assert_int_equal(ended(behind)->outcome.state, FF_TASK_SUCCESS);
    unsigned again = agent.count;
    agent_submit_many(
        &agent,
        &(struct wish){.function = "fault", .arguments = "{\"do\": \"sleep\", \"seconds\": 60}"},
        2);
    agent_run(&agent, is_running, again); /* both slots are whole again */
    agent_run(&agent, is_running, again + 1);
}

/* Between the death of a runner and the next attempt, nobody else gets its devices. */
static void test_a_lost_call_keeps_its_devices(void **state)
{
    (void)state;
    const struct wish hold = {
        .function = "fault", .arguments = "{\"do\": \"sleep\", \"seconds\": 60}", .devices = 2};
    unsigned first = agent_submit(&agent, &hold);
    agent_run(&agent, is_running, first);
    unsigned other = agent_submit(&agent, &hold);
    agent_run(&agent, has_why, other);
    kill(agent.tasks[first].pid, SIGKILL);
    assert_failure(first, "RUNNER_LOST");
    agent_retry(&agent, first, &hold);
    agent_run(&agent, is_running, first);
    assert_int_equal(agent.tasks[other].pid, 0);
    agent_control(&agent, first, FF_CONTROL_STOP);
    agent_run(&agent, is_running, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_results_and_errors),
        TEST(test_deaths_are_losses),
        TEST(test_cancel_and_limit_end_the_deaf),
        TEST(test_stop_and_checkpoint),
        TEST(test_detached_grandchildren_die_with_their_call),
        TEST(test_large_values_become_objects),
        TEST(test_equal_values_are_sent_once),
        TEST(test_a_refused_value_is_sent_again),
        TEST(test_a_node_in_trouble_gives_back),
        TEST(test_large_functions_are_checked),
        TEST(test_flood_is_bounded),
        TEST(test_many_short_calls_end_once_each),
        TEST(test_calls_behind_a_long_one_go_elsewhere),
        TEST(test_only_what_has_not_begun_is_recalled),
        TEST(test_shell),
        TEST(test_a_call_on_several_nodes_knows_them_and_has_all_cores),
        TEST(test_devices_are_leased_in_turn),
        TEST(test_runners_stay_on_their_devices),
        TEST(test_a_lease_goes_on_to_the_next_of_its_group),
        TEST(test_devices_that_are_kept_are_given_to_others),
        TEST(test_a_call_without_devices_takes_the_place_of_an_idle_runner),
        TEST(test_a_wide_call_waits_for_no_kept_devices),
        TEST(test_a_retry_gets_other_devices),
        TEST(test_functions_come_from_the_agent),
        TEST(test_outcomes_survive_the_agent),
        cmocka_unit_test_setup_teardown(test_manager_ends_without_an_agent, set_up_impatient,
                                        tear_down),
        TEST(test_manager_ends_without_its_block),
        TEST(test_cores_of_several_slots),
        TEST(test_a_lost_call_keeps_its_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
