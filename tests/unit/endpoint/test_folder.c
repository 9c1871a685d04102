#include "tests/unit/check.h"

#include "endpoint/folder.h"
#include "protocol/core/file.h"

#include <sys/wait.h>
#include <unistd.h>

struct bench {
    char *home;
    struct ff_folder folder;
    int tell[2]; /* the child says that it holds the lock */
    int hold[2]; /* the child goes when this is closed */
};

static void open_bench(struct bench *bench)
{
    struct ff_error error;
    bench->home = make_folder();
    setenv("FARFIELD_HOME", bench->home, 1);
    assert_ok(ff_folder_locate(&bench->folder, "beamline", &error), error);
    assert_int_equal(pipe(bench->tell), 0);
    assert_int_equal(pipe(bench->hold), 0);
}

static void close_bench(struct bench *bench)
{
    struct ff_error error;
    assert_ok(ff_folder_remove(bench->home, &error), error);
    free(bench->home);
    close(bench->tell[0]);
    close(bench->tell[1]);
    close(bench->hold[0]);
}

/* Another agent, which ends without a word when it is told to. */
static pid_t start_other(struct bench *bench, const struct ff_id *instance)
{
    char byte;
    pid_t pid = fork();
    if (pid == 0) {
        struct ff_id previous;
        struct ff_error error;
        close(bench->hold[1]);
        bool locked = ff_folder_lock(&bench->folder, instance, &previous, &error) == 0;
        if (write(bench->tell[1], locked ? "y" : "n", 1) != 1)
            _exit(1);
        _exit(read(bench->hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(read(bench->tell[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    return pid;
}

static void test_one_agent_and_its_successor(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_id first;
    struct ff_id second;
    struct ff_id previous;
    struct ff_error error;
    char pid_text[32];
    ff_id_random(&first);
    ff_id_random(&second);
    open_bench(&bench);
    pid_t other = start_other(&bench, &first);
    assert_int_equal(ff_folder_lock(&bench.folder, &second, &previous, &error), -1);
    assert_int_equal(error.code, FF_ENDPOINT_IN_USE);
    snprintf(pid_text, sizeof pid_text, "process %d ", (int)other);
    assert_non_null(strstr(error.message, pid_text));
    close(bench.hold[1]);
    waitpid(other, NULL, 0);
    /* It is dead without having said so: the successor knows it by its instance. */
    assert_ok(ff_folder_lock(&bench.folder, &second, &previous, &error), error);
    assert_true(ff_id_equal(&previous, &first));
    ff_folder_unlock(&bench.folder);
    /* This one has gone in order. */
    assert_ok(ff_folder_lock(&bench.folder, &first, &previous, &error), error);
    assert_true(ff_id_is_zero(&previous));
    ff_folder_unlock(&bench.folder);
    close_bench(&bench);
}

static void test_names_and_missing_folders(void **state)
{
    (void)state;
    struct bench bench;
    struct ff_folder folder;
    struct ff_error error;
    open_bench(&bench);
    assert_int_equal(ff_folder_locate(&folder, "../x", &error), -1);
    assert_int_equal(ff_folder_locate(&folder, "", &error), -1);
    assert_int_equal(ff_folder_check(&bench.folder, &error), -1);
    assert_int_equal(error.code, FF_ENDPOINT_NOT_FOUND);
    assert_non_null(strstr(error.hint, "configure beamline"));
    close(bench.hold[1]);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_agent_and_its_successor),
        cmocka_unit_test(test_names_and_missing_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
