/* Every piece once, on the right thread, for any number of threads. */
#include "tests/unit/check.h"

#include "functions/reconstruct/pool.h"

#include <stdatomic.h>

enum { PIECES = 100, ROUNDS = 100, THREADS = 6 };

struct work {
    atomic_uint met[PIECES];
    atomic_uint strangers; /* pieces that another thread than their own took */
};

static void meet(void *context, unsigned piece, unsigned thread)
{
    struct work *work = context;
    atomic_fetch_add(&work->met[piece], 1);
    if (piece != thread)
        atomic_fetch_add(&work->strangers, 1);
}

static struct ff_pool *make(unsigned threads)
{
    struct ff_error error;
    struct ff_pool *pool = ff_pool_create(threads, NULL, 0, &error);
    if (pool == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(ff_pool_threads(pool), threads);
    return pool;
}

static void check_met(const struct work *work, unsigned count)
{
    for (unsigned i = 0; i < PIECES; i++)
        assert_int_equal(atomic_load(&work->met[i]), i < count ? 1 : 0);
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        struct ff_pool *pool = make(threads);
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct work work = {0};
            ff_pool_run(pool, meet, &work, round % (PIECES + 1));
            check_met(&work, round % (PIECES + 1));
        }
        ff_pool_destroy(pool);
    }
}

/* Rounds of either kind follow each other without what the one left behind. */
static void pieces_stay_on_their_threads(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        struct ff_pool *pool = make(threads);
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct work each = {0};
            struct work any = {0};
            ff_pool_each(pool, meet, &each);
            check_met(&each, threads);
            assert_int_equal(atomic_load(&each.strangers), 0);
            ff_pool_run(pool, meet, &any, 3);
            check_met(&any, 3);
        }
        ff_pool_destroy(pool);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct ff_error error;
    assert_null(ff_pool_create(0, NULL, 0, &error));
    assert_null(ff_pool_create(100000, NULL, 0, &error));
    assert_non_null(strstr(error.message, "100000 threads"));
    ff_pool_destroy(NULL);
    assert_true(ff_pool_cores() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once),
        cmocka_unit_test(pieces_stay_on_their_threads),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("reconstruct pool", tests, NULL, NULL);
}
