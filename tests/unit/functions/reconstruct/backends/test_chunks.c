/* How a batch is cut and ordered among several devices, whatever of it is shared. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cuda/chunks.h"
#include "functions/reconstruct/solvers/random.h"

enum { MOST = 60 };

/* The order of the work: round from `start`, or those that are shared first. */
static void arrange(const bool *shared, const struct ff_cuda_chunks *batch, size_t start, bool *to)
{
    size_t placed = 0;
    for (int rest = 0; rest < (batch->shared > 0 ? 2 : 1); rest++)
        for (size_t i = 0; i < batch->count; i++) {
            bool is_shared = shared[(start + i) % batch->count];
            if (batch->shared == 0 || is_shared == (rest == 0))
                to[placed++] = is_shared;
        }
    assert_int_equal(placed, batch->count);
}

/* Chunks are never longer than the limit, one ends where what is shared is offered, and none after that shares. */
static void check(const bool *shared, size_t count, size_t limit)
{
    bool order[MOST] = {false};
    size_t start, first = 0;
    const struct ff_cuda_chunks batch = ff_cuda_chunks_of(shared, count, limit, &start);
    bool meets = batch.offered == 0;
    assert_int_equal(batch.count, count);
    assert_true(start < count);
    arrange(shared, &batch, start, order);
    while (first < count) {
        size_t end = ff_cuda_chunk_end_of(&batch, first);
        assert_in_range(end - first, 1, limit);
        first = end;
        meets = meets || end == batch.offered;
    }
    assert_int_equal(first, count);
    assert_true(meets);
    assert_true(batch.offered < count);
    for (size_t i = batch.offered; batch.offered > 0 && i < count; i++)
        assert_false(order[i]);
    for (size_t i = 0; i < batch.shared; i++)
        assert_true(order[i]);
}

static void any_batch(void **state)
{
    (void)state;
    struct ff_random random = ff_random_seed(1);
    for (int i = 0; i < 20000; i++) {
        bool shared[MOST] = {false};
        size_t count = 1 + ff_random_below(&random, MOST), limit = 1 + ff_random_below(&random, 20);
        uint32_t share = ff_random_below(&random, 5);
        bool now = false;
        for (size_t j = 0; j < count; j++) { /* in runs */
            if (ff_random_below(&random, 4) == 0)
                now = ff_random_below(&random, 4) < share;
            shared[j] = now;
        }
        check(shared, count, limit);
    }
}

/* Behind the run of those that nobody shares, though it goes over the end of the list. */
static void work_begins_behind_the_longest_run(void **state)
{
    (void)state;
    const bool shared[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0};
    size_t start;
    const struct ff_cuda_chunks batch = ff_cuda_chunks_of(shared, 10, 3, &start);
    assert_int_equal(start, 2);
    assert_int_equal(batch.shared, 0);
    assert_int_equal(batch.offered, 6); /* of chunks of three, three, three and one */
}

/* Where a chunk of the rest cannot be had otherwise, it is set apart, if that is worth launches of its own. */
static void shared_ones_come_first(void **state)
{
    (void)state;
    const bool scattered[] = {0, 1, 0, 1, 0, 1, 0, 1};
    const bool few[] = {0, 0, 0, 0, 0, 0, 0, 1};
    size_t start;
    struct ff_cuda_chunks batch = ff_cuda_chunks_of(scattered, 8, 8, &start);
    assert_int_equal(batch.shared, 4);
    assert_int_equal(batch.offered, 4);
    assert_int_equal(start, 0);
    batch = ff_cuda_chunks_of(few, 8, 8, &start);
    assert_int_equal(batch.shared, 0);
    assert_int_equal(batch.offered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_batch),
        cmocka_unit_test(work_begins_behind_the_longest_run),
        cmocka_unit_test(shared_ones_come_first),
    };
    return cmocka_run_group_tests_name("chunks of a batch", tests, NULL, NULL);
}
