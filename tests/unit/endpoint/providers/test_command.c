/* Commands that answer, fail, hang, flood, and leave others behind. */
#include "tests/unit/check.h"

#include "endpoint/providers/command.h"
#include "protocol/core/file.h"

#include <signal.h>
#include <unistd.h>

enum { LONG_MS = 60000, LIMIT = 4096 };

struct heard {
    unsigned times;
    int status;
    int signal;
    bool timed_out;
    bool truncated;
    size_t out_size;
    char out[LIMIT + 1];
    char words[256];
};

static void hear(void *user, const struct ff_command_result *result)
{
    struct heard *heard = user;
    heard->times++;
    heard->status = result->status;
    heard->signal = result->signal;
    heard->timed_out = result->timed_out;
    heard->truncated = result->truncated;
    heard->out_size = result->out_size;
    snprintf(heard->out, sizeof heard->out, "%s", result->out);
    ff_command_words(result, "sbatch", heard->words, sizeof heard->words);
}

static struct heard run_shell(const char *script, int limit_ms)
{
    struct heard heard = {0};
    struct ff_error error;
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const struct ff_command_question question = {arguments, limit_ms, LIMIT, hear, &heard};
    assert_ok(ff_command_run(&question, &error), error);
    assert_int_equal(heard.times, 1);
    return heard;
}

static void test_an_answer_comes_whole(void **state)
{
    (void)state;
    struct heard heard = run_shell("printf 'one\\ntwo\\n'; cat", LONG_MS);
    assert_int_equal(heard.status, 0);
    assert_string_equal(heard.out, "one\ntwo\n");
    assert_int_equal(heard.out_size, 8);
    heard = run_shell("printf 'a\\0b'", LONG_MS);
    assert_int_equal(heard.out_size, 3);
}

static void test_failures_have_words(void **state)
{
    (void)state;
    struct heard heard = run_shell("echo 'sbatch: error: Batch job submission failed: Invalid "
                                   "account' >&2; echo 'sbatch: and so on' >&2; exit 3",
                                   LONG_MS);
    assert_int_equal(heard.status, 3);
    assert_string_equal(heard.words,
                        "sbatch: Batch job submission failed: Invalid account; and so on");
    heard = run_shell("exit 7", LONG_MS);
    assert_string_equal(heard.words, "sbatch ended with status 7");
    heard = run_shell("kill -SEGV $$", LONG_MS);
    assert_int_equal(heard.status, -1);
    assert_int_equal(heard.signal, SIGSEGV);
    assert_string_equal(heard.words, "sbatch was killed by signal 11");
    heard = run_shell("printf '\\033[31mred\\377' >&2; exit 1", LONG_MS);
    assert_string_equal(heard.words, "sbatch: ?[31mred?");
}

static void test_one_that_hangs_is_killed_with_its_children(void **state)
{
    (void)state;
    char script[256];
    char *folder = make_folder();
    char *path = ff_path_join(folder, "child");
    struct ff_error error;
    snprintf(script, sizeof script, "sleep 1000 & echo $! >%s; echo soon >&2; wait", path);
    struct heard heard = run_shell(script, 300);
    assert_true(heard.timed_out);
    assert_int_equal(heard.status, -1);
    char *text = NULL;
    size_t size = 0;
    assert_ok(ff_file_read(path, 64, &text, &size, &error), error);
    pid_t child = (pid_t)atoi(text);
    assert_true(child > 1);
    while (kill(child, 0) == 0) /* until init has reaped it; the test's own limit ends this */
        usleep(1000);
    free(text);
    free(path);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(folder);
}

static void test_a_flood_is_cut_and_does_not_block(void **state)
{
    (void)state;
    struct heard heard = run_shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 0", LONG_MS);
    assert_int_equal(heard.status, 0);
    assert_true(heard.truncated);
    assert_int_equal(heard.out_size, LIMIT);
    heard = run_shell("head -c 4096 /dev/zero | tr '\\0' x", LONG_MS);
    assert_false(heard.truncated);
    assert_int_equal(heard.out_size, LIMIT);
}

/* Who keeps the pipe open does not keep the answer. */
static void test_a_child_left_behind_holds_nothing_up(void **state)
{
    (void)state;
    struct heard heard = run_shell("setsid sleep 1000 & echo $!", LONG_MS);
    assert_int_equal(heard.status, 0);
    pid_t left = (pid_t)atoi(heard.out);
    assert_true(left > 1);
    kill(left, SIGKILL);
}

static void test_what_cannot_start_says_so(void **state)
{
    (void)state;
    struct ff_error error;
    struct heard heard = {0};
    const char *const arguments[] = {"no-such-program-of-a-scheduler", NULL};
    const struct ff_command_question question = {arguments, LONG_MS, LIMIT, hear, &heard};
    assert_int_equal(ff_command_run(&question, &error), -1);
    assert_int_equal(error.code, FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "no-such-program-of-a-scheduler"));
    assert_int_equal(heard.times, 0);
}

static void stop_loop(void *user, const struct ff_command_result *result)
{
    (void)result;
    ff_loop_stop(user);
}

/* Cancelled ones are dead and tell nobody; others go on meanwhile. */
static void test_cancel(void **state)
{
    (void)state;
    struct ff_error error;
    struct heard heard = {0};
    const char *const slow[] = {"sleep", "1000", NULL};
    const char *const quick[] = {"sh", "-c", "exit 0", NULL};
    struct ff_loop *loop = ff_loop_create(&error);
    struct ff_commands *commands = ff_commands_create(loop, &error);
    const struct ff_command_question first = {slow, LONG_MS, LIMIT, hear, &heard};
    const struct ff_command_question second = {quick, LONG_MS, LIMIT, stop_loop, loop};
    struct ff_command *command = ff_command_start(commands, &first, &error);
    assert_non_null(command);
    pid_t pid = ff_command_pid(command);
    assert_non_null(ff_command_start(commands, &first, &error));
    assert_non_null(ff_command_start(commands, &second, &error));
    ff_command_cancel(command);
    assert_int_equal(kill(pid, 0), -1);
    assert_ok(ff_loop_run(loop, &error), error);
    ff_commands_destroy(commands); /* with the other sleeper */
    assert_int_equal(heard.times, 0);
    ff_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_comes_whole),
        cmocka_unit_test(test_failures_have_words),
        cmocka_unit_test(test_one_that_hangs_is_killed_with_its_children),
        cmocka_unit_test(test_a_flood_is_cut_and_does_not_block),
        cmocka_unit_test(test_a_child_left_behind_holds_nothing_up),
        cmocka_unit_test(test_what_cannot_start_says_so),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
