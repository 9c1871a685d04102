#include "tests/unit/check.h"

#include "protocol/core/file.h"
#include "protocol/core/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* This program starts itself as the daemon, so that both ends of the ready channel are the real
 * ones. */
static int act_as_daemon(const char *role)
{
    if (strcmp(role, "ready") == 0) {
        ff_process_say_ready("https://127.0.0.1:1");
        pause();
    } else if (strcmp(role, "failed") == 0) {
        struct ff_error error;
        ff_fail(&error, FF_BUSY, "port 1 is taken");
        ff_hint(&error, "take another");
        ff_process_say_failed(&error);
        return 1;
    } else if (strcmp(role, "silent") == 0) {
        return 1;
    } else if (strcmp(role, "slow") == 0) {
        pause();
    }
    return 0;
}

static char *self;

static int start(const char *role, int timeout_ms, struct ff_process_id *id, char *said,
                 struct ff_error *error)
{
    const char *const argv[] = {self, "--daemon", role, NULL};
    return ff_process_start_daemon(argv, "/dev/null", timeout_ms, id, said, 64, error);
}

static void test_ready_daemon_is_known_by_identity(void **state)
{
    (void)state;
    struct ff_process_id id;
    struct ff_error error;
    char said[64];
    assert_ok(start("ready", 5000, &id, said, &error), error);
    assert_string_equal(said, "https://127.0.0.1:1");
    assert_true(ff_process_alive(id));
    struct ff_process_id other = {id.pid, id.start_ticks + 1};
    assert_false(ff_process_alive(other));
    assert_ok(ff_process_signal(other, SIGKILL, &error), error);
    assert_true(ff_process_alive(id));
    assert_int_equal(ff_process_wait_gone(id, 10, &error), -1);
    assert_int_equal(error.code, FF_TIMED_OUT);
    assert_ok(ff_process_signal(id, SIGTERM, &error), error);
    assert_ok(ff_process_wait_gone(id, 5000, &error), error);
    assert_false(ff_process_alive(id));
    waitpid(id.pid, NULL, 0);
}

static void test_failed_starts_give_the_reason(void **state)
{
    (void)state;
    struct ff_process_id id;
    struct ff_error error;
    char said[64];
    assert_int_equal(start("failed", 5000, &id, said, &error), -1);
    assert_int_equal(error.code, FF_BUSY);
    assert_string_equal(error.message, "port 1 is taken");
    assert_string_equal(error.hint, "take another");
    assert_int_equal(start("silent", 5000, &id, said, &error), -1);
    assert_non_null(strstr(error.message, "ended before it was ready"));
    assert_int_equal(start("slow", 50, &id, said, &error), -1);
    assert_int_equal(error.code, FF_TIMED_OUT);
    const char *const nobody[] = {"/nonexistent/program", NULL};
    assert_int_equal(ff_process_start_daemon(nobody, "/dev/null", 100, &id, NULL, 0, &error), -1);
    assert_non_null(strstr(error.message, "/nonexistent/program"));
}

static void test_process_file(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_process_id id;
    char host[256];
    char *folder = make_folder();
    char *path = ff_path_join(folder, "pid");
    assert_ok(ff_process_file_write(path, &error), error);
    assert_ok(ff_process_file_read(path, &id, host, sizeof host, &error), error);
    assert_int_equal(id.pid, getpid());
    assert_true(ff_process_alive(id));
    assert_ok(ff_file_write(path, ff_span_of("garbage"), 0600, &error), error);
    assert_int_equal(ff_process_file_read(path, &id, host, sizeof host, &error), -1);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
}

static void test_lock_is_exclusive_and_ends_with_its_descriptor(void **state)
{
    (void)state;
    struct ff_error error;
    char *folder = make_folder();
    char *lock = ff_path_join(folder, "lock");
    char *process = ff_path_join(folder, "process");
    assert_ok(ff_process_file_write(process, &error), error);
    int first = ff_process_lock(lock, process);
    assert_true(first >= 0);
    assert_int_equal(ff_process_lock(lock, process), -1);
    assert_true(errno == EAGAIN || errno == EACCES);
    close(first);
    int second = ff_process_lock(lock, process);
    assert_true(second >= 0);
    close(second);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(lock);
    free(process);
    free(folder);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--daemon") == 0)
        return act_as_daemon(argv[2]);
    self = realpath("/proc/self/exe", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock_is_exclusive_and_ends_with_its_descriptor),
        cmocka_unit_test(test_ready_daemon_is_known_by_identity),
        cmocka_unit_test(test_failed_starts_give_the_reason),
        cmocka_unit_test(test_process_file),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(self);
    return failed;
}
