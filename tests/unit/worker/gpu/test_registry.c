#include "tests/unit/check.h"

#include "worker/gpu/registry.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[256];

static struct ff_gpus *open_registry(void)
{
    struct ff_error error;
    struct ff_gpus *gpus = ff_gpus_open(path, &error);
    if (gpus == NULL)
        fail_msg("%s", error.message);
    return gpus;
}

static struct ff_gpus *open_with(uint32_t devices)
{
    struct ff_error error;
    unlink(path);
    struct ff_gpus *gpus = open_registry();
    assert_ok(ff_gpus_pretend(gpus, devices, &error), error);
    return gpus;
}

static struct ff_gpu_claim *claim_of(struct ff_gpus *gpus, uint32_t count)
{
    struct ff_error error;
    struct ff_gpu_claim *claim = ff_gpus_claim(gpus, count, "a task", &error);
    if (claim == NULL)
        fail_msg("%s", error.message);
    return claim;
}

static struct ff_gpu_lease *take(struct ff_gpus *gpus, uint32_t count)
{
    struct ff_error error;
    struct ff_gpu_lease *lease = NULL;
    struct ff_gpu_claim *claim = claim_of(gpus, count);
    assert_ok(ff_gpu_claim_wait(claim, 5000, &lease, &error), error);
    ff_gpu_claim_destroy(claim);
    return lease;
}

static int try(struct ff_gpu_claim *claim, struct ff_gpu_lease **lease)
{
    struct ff_error error;
    int got = ff_gpu_claim_try(claim, lease, &error);
    if (got < 0)
        fail_msg("%s", error.message);
    return got;
}

static int count_leased(struct ff_gpus *gpus, uint32_t *waiting)
{
    struct ff_gpu_info list[FF_GPU_CAPACITY];
    struct ff_error error;
    int leased = 0;
    int count = ff_gpus_list(gpus, list, waiting, &error);
    for (int i = 0; i < count; i++)
        leased += list[i].leased;
    return leased;
}

static void test_lease_names_its_holder(void **state)
{
    (void)state;
    struct ff_gpu_info list[FF_GPU_CAPACITY];
    uint32_t waiting;
    struct ff_error error;
    struct ff_gpus *gpus = open_with(4);
    struct ff_gpu_lease *lease = take(gpus, 2);
    assert_int_equal(ff_gpu_lease_count(lease), 2);
    assert_string_equal(ff_gpu_lease_uuids(lease), "GPU-00000000-0000-4000-8000-000000000000,"
                                                   "GPU-00000000-0000-4000-8000-000000000001");
    assert_int_equal(ff_gpus_list(gpus, list, &waiting, &error), 4);
    assert_true(list[0].leased && list[1].leased && !list[2].leased && !list[3].leased);
    assert_int_equal(list[0].entry.holder.pid, getpid());
    assert_true(list[0].holder_alive);
    assert_string_equal(list[0].entry.holder.task, "a task");
    ff_gpu_lease_set_task(lease, "another");
    assert_int_equal(ff_gpus_list(gpus, list, &waiting, &error), 4);
    assert_string_equal(list[1].entry.holder.task, "another");
    assert_int_equal(ff_gpus_pretend(gpus, 1, &error), -1);
    assert_int_equal(error.code, FF_BUSY);
    ff_gpu_lease_release(lease);
    assert_int_equal(count_leased(gpus, &waiting), 0);
    ff_gpus_close(gpus);
}

static void test_more_than_there_are_is_refused(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_gpus *gpus = open_with(2);
    assert_null(ff_gpus_claim(gpus, 3, "x", &error));
    assert_int_equal(error.code, FF_NO_DEVICE);
    setenv("CUDA_VISIBLE_DEVICES", "1", 1);
    struct ff_gpus *masked = open_registry();
    assert_int_equal(ff_gpus_allowed(masked, &error), 1);
    struct ff_gpu_lease *lease = take(masked, 1);
    assert_non_null(strstr(ff_gpu_lease_uuids(lease), "000000000001"));
    ff_gpu_lease_release(lease);
    ff_gpus_close(masked);
    unsetenv("CUDA_VISIBLE_DEVICES");
    ff_gpus_close(gpus);
}

/* A gang waits for all its devices, and a later small claim does not get past it. */
static void test_gang_is_not_starved(void **state)
{
    (void)state;
    struct ff_gpus *gpus = open_with(4);
    struct ff_gpus *other = open_registry();
    struct ff_gpu_lease *first = take(gpus, 1);
    struct ff_gpu_claim *gang = claim_of(other, 4);
    struct ff_gpu_claim *small = claim_of(gpus, 1);
    struct ff_gpu_lease *lease = NULL;
    assert_int_equal(try(gang, &lease), 0);
    assert_int_equal(try(small, &lease), 0);
    char why[128];
    ff_gpu_claim_why(small, why, sizeof why);
    assert_string_equal(why, "waits for 1 GPU: 3 of 4 are free, 1 claim is before it");
    ff_gpu_lease_release(first);
    assert_int_equal(try(small, &lease), 0);
    assert_int_equal(try(gang, &lease), 1);
    assert_int_equal(ff_gpu_lease_count(lease), 4);
    ff_gpu_lease_release(lease);
    assert_int_equal(try(small, &lease), 1);
    ff_gpu_lease_release(lease);
    ff_gpu_claim_destroy(gang);
    ff_gpu_claim_destroy(small);
    ff_gpus_close(other);
    ff_gpus_close(gpus);
}

/* Whoever keeps devices without need learns who waits for them, and who is the next. */
static void test_waiting_claims_are_seen(void **state)
{
    (void)state;
    struct ff_gpus *gpus = open_with(2);
    struct ff_gpus *other = open_registry();
    setenv("CUDA_VISIBLE_DEVICES", "1", 1);
    struct ff_gpus *masked = open_registry();
    unsetenv("CUDA_VISIBLE_DEVICES");
    struct ff_gpu_lease *keeps = take(gpus, 2);
    struct ff_gpu_lease *lease = NULL;
    struct ff_gpu_claim *first = claim_of(other, 1);
    struct ff_gpu_claim *second = claim_of(gpus, 1);
    assert_false(ff_gpus_are_wanted(gpus));
    assert_false(ff_gpu_claim_is_next(first)); /* it does not wait yet */
    assert_int_equal(try(first, &lease), 0);
    assert_int_equal(try(second, &lease), 0);
    assert_true(ff_gpus_are_wanted(gpus) && ff_gpus_are_wanted(other));
    assert_true(ff_gpus_are_wanted(masked)); /* both may have its device */
    assert_true(ff_gpu_claim_is_next(first));
    assert_false(ff_gpu_claim_is_next(second));
    ff_gpu_claim_destroy(first);
    assert_true(ff_gpu_claim_is_next(second));
    ff_gpu_claim_destroy(second);
    assert_false(ff_gpus_are_wanted(gpus) || ff_gpus_are_wanted(other));
    ff_gpu_lease_release(keeps);
    ff_gpus_close(masked);
    ff_gpus_close(other);
    ff_gpus_close(gpus);
}

static void test_claim_that_leaves_lets_others_pass(void **state)
{
    (void)state;
    struct ff_gpus *gpus = open_with(2);
    struct ff_gpu_lease *held = take(gpus, 1);
    struct ff_gpu_claim *gang = claim_of(gpus, 2);
    struct ff_gpu_claim *small = claim_of(gpus, 1);
    struct ff_gpu_lease *lease = NULL;
    assert_int_equal(try(gang, &lease), 0);
    assert_int_equal(try(small, &lease), 0);
    ff_gpu_claim_destroy(gang);
    assert_int_equal(try(small, &lease), 1);
    ff_gpu_claim_destroy(small);
    ff_gpu_lease_release(lease);
    ff_gpu_lease_release(held);
    ff_gpus_close(gpus);
}

/* Starts a child that takes `count` devices (or waits in the queue when `waits`), and then pauses. */
static pid_t start_child(uint32_t count, bool waits)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ff_gpu_lease *lease = NULL;
        struct ff_gpus *gpus = ff_gpus_open(path, NULL);
        struct ff_gpu_claim *claim = ff_gpus_claim(gpus, count, "child", NULL);
        int got = ff_gpu_claim_try(claim, &lease, NULL);
        char said = got == (waits ? 0 : 1) ? 'y' : 'n';
        ssize_t written = write(ready[1], &said, 1);
        (void)written;
        for (;;)
            pause();
    }
    char said = 'n';
    assert_int_equal(read(ready[0], &said, 1), 1);
    assert_int_equal(said, 'y');
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void kill_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_killed_holder_leaves_nothing(void **state)
{
    (void)state;
    uint32_t waiting;
    struct ff_gpus *gpus = open_with(4);
    pid_t child = start_child(3, false);
    assert_int_equal(count_leased(gpus, &waiting), 3);
    struct ff_gpu_claim *claim = claim_of(gpus, 4);
    struct ff_gpu_lease *lease = NULL;
    struct ff_error error;
    assert_int_equal(try(claim, &lease), 0);
    kill(child, SIGKILL); /* reaped only later: the wake-up must come from the kernel's close */
    assert_ok(ff_gpu_claim_wait(claim, 5000, &lease, &error), error);
    waitpid(child, NULL, 0);
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    assert_int_equal(count_leased(gpus, &waiting), 0);
    ff_gpus_close(gpus);
}

static void test_killed_waiter_does_not_block_the_queue(void **state)
{
    (void)state;
    uint32_t waiting;
    struct ff_error error;
    struct ff_gpus *gpus = open_with(2);
    struct ff_gpu_lease *held = take(gpus, 1);
    pid_t child = start_child(2, true);
    struct ff_gpu_claim *claim = claim_of(gpus, 1);
    struct ff_gpu_lease *lease = NULL;
    assert_int_equal(try(claim, &lease), 0);
    kill_child(child);
    assert_ok(ff_gpu_claim_wait(claim, 5000, &lease, &error), error);
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    ff_gpu_lease_release(held);
    assert_int_equal(count_leased(gpus, &waiting), 0);
    assert_int_equal(waiting, 0);
    ff_gpus_close(gpus);
}

/* The lease lives as long as a process that inherited its description, and the taker may end it before. */
static void test_inherited_lease(void **state)
{
    (void)state;
    uint32_t waiting;
    struct ff_gpus *gpus = open_with(2);
    struct ff_gpus *other = open_registry();
    struct ff_gpu_lease *lease = take(gpus, 1);
    int inherited = dup(ff_gpu_lease_fd(lease)); /* one description, as a runner has it */
    pid_t child = start_child(1, false);
    assert_int_equal(count_leased(other, &waiting), 2);
    kill_child(child);
    assert_int_equal(count_leased(other, &waiting), 1);
    ff_gpu_lease_release(lease);
    assert_int_equal(count_leased(other, &waiting), 0);
    close(inherited);
    ff_gpus_close(other);
    ff_gpus_close(gpus);
}

static void damage(off_t from, size_t size)
{
    char noise[4096];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 37 + 11);
    for (size_t done = 0; done < size; done += sizeof noise)
        assert_int_equal(pwrite(fd, noise, sizeof noise, from + (off_t)done), sizeof noise);
    close(fd);
}

static void test_corrupt_file_loses_no_lease(void **state)
{
    (void)state;
    struct ff_error error;
    uint32_t waiting;
    struct ff_gpus *gpus = open_with(2);
    struct ff_gpu_lease *held = take(gpus, 1);
    damage(0, 1 << 16);
    struct ff_gpus *fresh = open_registry();
    assert_int_equal(ff_gpus_allowed(fresh, &error), 0);
    assert_ok(ff_gpus_pretend(fresh, 2, &error), error);
    assert_int_equal(count_leased(fresh, &waiting), 1);
    struct ff_gpu_claim *claim = claim_of(fresh, 2);
    struct ff_gpu_lease *lease = NULL;
    assert_int_equal(try(claim, &lease), 0);
    ff_gpu_lease_release(held);
    assert_int_equal(try(claim, &lease), 1);
    ff_gpu_claim_destroy(claim);
    ff_gpu_lease_release(lease);
    ff_gpus_close(fresh);
    ff_gpus_close(gpus);
}

/* A writer that died half-way leaves one copy; the other one counts. */
static void test_half_written_copy_is_not_believed(void **state)
{
    (void)state;
    struct ff_error error;
    for (int copy = 0; copy < 2; copy++) {
        struct ff_gpus *gpus = open_with(3);
        ff_gpu_lease_release(take(gpus, 1)); /* both copies are written */
        damage(copy * (1 << 15) + 512, 4096);
        assert_int_equal(ff_gpus_allowed(gpus, &error), 3);
        ff_gpu_lease_release(take(gpus, 3));
        ff_gpus_close(gpus);
    }
}

static void test_replaced_and_odd_files(void **state)
{
    (void)state;
    struct ff_error error;
    struct ff_gpus *gpus = open_with(1);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
    assert_int_equal(unlink(path), 0);
    struct ff_gpus *fresh = open_with(2);
    ff_gpu_lease_release(take(gpus, 2)); /* follows to the new file */
    ff_gpus_close(fresh);
    ff_gpus_close(gpus);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_null(ff_gpus_open(path, &error));
    assert_non_null(strstr(error.message, path));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(ff_gpus_open(path, &error));
    rmdir(path);
    assert_null(ff_gpus_open("relative", &error));
    assert_int_equal(error.code, FF_INVALID_ARGUMENT);
}

static void test_path_holds_the_node(void **state)
{
    (void)state;
    struct ff_error error;
    char text[64];
    setenv("SLURMD_NODENAME", "node7", 1);
    assert_ok(ff_gpu_path_expand("/dev/shm/x-%n-%%", text, sizeof text, &error), error);
    assert_string_equal(text, "/dev/shm/x-node7-%");
    unsetenv("SLURMD_NODENAME");
    char narrow[8];
    assert_int_equal(ff_gpu_path_expand("/dev/shm/x", narrow, sizeof narrow, &error), -1);
}

int main(void)
{
    unsetenv("CUDA_VISIBLE_DEVICES");
    snprintf(path, sizeof path, "/dev/shm/farfield-test-gpus-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease_names_its_holder),
        cmocka_unit_test(test_more_than_there_are_is_refused),
        cmocka_unit_test(test_gang_is_not_starved),
        cmocka_unit_test(test_waiting_claims_are_seen),
        cmocka_unit_test(test_claim_that_leaves_lets_others_pass),
        cmocka_unit_test(test_killed_holder_leaves_nothing),
        cmocka_unit_test(test_killed_waiter_does_not_block_the_queue),
        cmocka_unit_test(test_inherited_lease),
        cmocka_unit_test(test_corrupt_file_loses_no_lease),
        cmocka_unit_test(test_half_written_copy_is_not_believed),
        cmocka_unit_test(test_replaced_and_odd_files),
        cmocka_unit_test(test_path_holds_the_node),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
