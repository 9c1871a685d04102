#include "tests/unit/check.h"

#include "protocol/core/process.h"
#include "worker/tree.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_gone(pid_t pid)
{
    struct ff_error error;
    struct ff_process_id id;
    if (ff_process_identify(pid, &id) == 0)
        assert_ok(ff_process_wait_gone(id, 10000, &error), error);
}

/* A child that is a reaper, with a grandchild that left its session and whose parent is gone. Both write their pids. */
static pid_t start_tree(pid_t *detached)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t root = fork();
    if (root == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        pid_t middle = fork();
        if (middle == 0) {
            setsid();
            if (fork() == 0) {
                pid_t self = getpid();
                ssize_t written = write(pipes[1], &self, sizeof self);
                (void)written;
                for (;;)
                    pause();
            }
            _exit(0);
        }
        waitpid(middle, NULL, 0);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipes[0], detached, sizeof *detached), sizeof *detached);
    close(pipes[0]);
    close(pipes[1]);
    return root;
}

static void test_detached_grandchild_is_killed(void **state)
{
    (void)state;
    pid_t detached;
    int status;
    pid_t root = start_tree(&detached);
    ff_tree_kill(root);
    assert_int_equal(waitpid(root, &status, 0), root);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    wait_gone(detached);
}

static bool is_kept(void *user, pid_t pid)
{
    return pid == *(pid_t *)user;
}

static void test_children_but_one(void **state)
{
    (void)state;
    pid_t detached[2];
    pid_t kept = start_tree(&detached[0]);
    pid_t killed = start_tree(&detached[1]);
    struct ff_process_id id;
    assert_int_equal(ff_process_identify(detached[0], &id), 0);
    ff_tree_kill_children(is_kept, &kept);
    assert_int_equal(waitpid(killed, NULL, 0), killed);
    wait_gone(detached[1]);
    assert_true(ff_process_alive(id));
    ff_tree_kill(kept);
    assert_int_equal(waitpid(kept, NULL, 0), kept);
    wait_gone(detached[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detached_grandchild_is_killed),
        cmocka_unit_test(test_children_but_one),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
