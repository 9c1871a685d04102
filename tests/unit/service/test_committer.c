/* The committer over a store that does what the test says: it counts commits, and fails when it is
 * told to. */
#include "tests/unit/check.h"

#include "service/store/committer.h"

#include <pthread.h>

enum { JOBS = 100 };

struct fake {
    struct ff_store store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hold;        /* begin waits while it is set */
    bool waiting;     /* … and is waiting now */
    int fail_commits; /* so many commits fail */
    int begun, committed, rolled_back;
};

struct work {
    struct ff_job job;
    struct fake *fake;
    bool fails; /* its write does */
    int written, done, failed;
};

static int fake_begin(struct ff_store *store, struct ff_error *error)
{
    struct fake *fake = (struct fake *)store;
    (void)error;
    pthread_mutex_lock(&fake->lock);
    fake->waiting = true;
    pthread_cond_broadcast(&fake->changed);
    while (fake->hold)
        pthread_cond_wait(&fake->changed, &fake->lock);
    fake->waiting = false;
    fake->begun++;
    pthread_mutex_unlock(&fake->lock);
    return 0;
}

static int fake_commit(struct ff_store *store, struct ff_error *error)
{
    struct fake *fake = (struct fake *)store;
    if (fake->fail_commits > 0) {
        fake->fail_commits--;
        return ff_fail(error, FF_DISK_FULL, "no space left");
    }
    fake->committed++;
    return 0;
}

static void fake_rollback(struct ff_store *store)
{
    ((struct fake *)store)->rolled_back++;
}

static void fake_close(struct ff_store *store)
{
    (void)store;
}

static const struct ff_store_operations fake_operations = {
    .begin = fake_begin, .commit = fake_commit, .rollback = fake_rollback, .close = fake_close};

static int write_work(struct ff_job *job, struct ff_store *store, struct ff_error *error)
{
    struct work *work = (struct work *)job;
    (void)store;
    if (work->fails)
        return ff_fail(error, FF_IO, "this one cannot be written");
    work->written++;
    return 0;
}

static void work_done(struct ff_job *job, const struct ff_error *error)
{
    struct work *work = (struct work *)job;
    work->done++;
    work->failed += error != NULL;
}

static void make_works(struct work *works, size_t count, struct fake *fake)
{
    memset(works, 0, count * sizeof *works);
    for (size_t i = 0; i < count; i++)
        works[i] =
            (struct work){.job = {.rows = 1, .write = write_work, .done = work_done}, .fake = fake};
}

static struct ff_committer *open_fake(struct fake *fake)
{
    struct ff_error error;
    memset(fake, 0, sizeof *fake);
    fake->store.ops = &fake_operations;
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->changed, NULL);
    struct ff_committer *committer = ff_committer_create(&fake->store, &error);
    assert_non_null(committer);
    return committer;
}

/* Submits the first work alone and the others while its transaction is open: they share the next
 * one. */
static void submit_together(struct ff_committer *committer, struct fake *fake, struct work *works,
                            size_t count)
{
    fake->hold = true;
    ff_committer_submit(committer, &works[0].job);
    pthread_mutex_lock(&fake->lock);
    while (!fake->waiting)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
    for (size_t i = 1; i < count; i++)
        ff_committer_submit(committer, &works[i].job);
    pthread_mutex_lock(&fake->lock);
    fake->hold = false;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static void test_what_has_arrived_shares_one_commit(void **state)
{
    (void)state;
    struct fake fake;
    struct work works[JOBS];
    struct ff_committer *committer = open_fake(&fake);
    make_works(works, JOBS, &fake);
    submit_together(committer, &fake, works, JOBS);
    ff_committer_destroy(committer);
    assert_int_equal(fake.committed, 2);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(works[i].done, 1);
        assert_int_equal(works[i].failed, 0);
    }
}

static void test_a_job_that_cannot_be_written_fails_alone(void **state)
{
    (void)state;
    struct fake fake;
    struct work works[4];
    struct ff_committer *committer = open_fake(&fake);
    make_works(works, 4, &fake);
    works[2].fails = true;
    submit_together(committer, &fake, works, 4);
    ff_committer_destroy(committer);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(works[i].done, 1);
        assert_int_equal(works[i].failed, i == 2);
        assert_true(works[i].written > 0 || i == 2);
    }
    assert_true(fake.rolled_back >= 1);
}

static void test_a_commit_that_fails_is_told_and_rolled_back(void **state)
{
    (void)state;
    struct fake fake;
    struct work works[1];
    struct ff_committer *committer = open_fake(&fake);
    make_works(works, 1, &fake);
    fake.fail_commits = 1;
    ff_committer_submit(committer, &works[0].job);
    ff_committer_destroy(committer);
    assert_int_equal(works[0].failed, 1);
    assert_int_equal(fake.rolled_back, 1);
    assert_int_equal(fake.committed, 0);
}

static void test_a_full_commit_leaves_the_rest_for_the_next(void **state)
{
    (void)state;
    struct fake fake;
    struct work works[4];
    struct ff_committer *committer = open_fake(&fake);
    make_works(works, 4, &fake);
    works[1].job.rows = 9000;
    works[2].job.rows = 9000;
    works[3].job.rows = 20000;
    submit_together(committer, &fake, works, 4);
    ff_committer_destroy(committer);
    assert_int_equal(fake.committed, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_has_arrived_shares_one_commit),
        cmocka_unit_test(test_a_job_that_cannot_be_written_fails_alone),
        cmocka_unit_test(test_a_commit_that_fails_is_told_and_rolled_back),
        cmocka_unit_test(test_a_full_commit_leaves_the_rest_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
