/* Kernels give right results, whatever the order of threads; what is wrong within a block is caught. */
#include "tests/cuda/fault.h"
#include "tests/cuda/kernels.h"
#include "tests/cuda/programs.h"

#ifdef __SANITIZE_THREAD__
enum { SEEDS = 1 }; /* each thread of a block is one of the sanitizer's there */
#else
enum { SEEDS = 5 };
#endif

/* Runs the check under the orders of threads and streams that can be had. */
static void in_all_orders(void (*check)(void))
{
    for (uint64_t seed = 0; seed <= SEEDS; seed++) {
        standin_begin(1, seed == 0 ? STANDIN_LAZY : STANDIN_SEEDED, seed);
        check();
        standin_end();
    }
    standin_begin(1, STANDIN_EAGER, 0);
    standin_reverse_threads(1);
    check();
    standin_end();
}

static void check_sums(void)
{
    assert_int_equal(wrong_sums(SUM_TREE), 0);
    assert_int_equal(wrong_sums(SUM_DYNAMIC), 0);
    assert_int_equal(wrong_sums(SUM_SHUFFLES), 0);
}

static void test_sums(void **state)
{
    (void)state;
    in_all_orders(check_sums);
}

static void check_missing_barrier(void)
{
    assert_int_not_equal(wrong_sums(SUM_TREE_WITHOUT_BARRIER), 0);
}

static void test_missing_barrier_shows(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* the race itself is reported there: test_races */
#endif
    in_all_orders(check_missing_barrier);
}

static void check_add(void)
{
    struct scene scene = make_scene(0);
    enum { COUNT = 1000 };
    float *buffer = make_buffer(&scene, COUNT, 0);
    kernel_add(&scene.calls, scene.stream, buffer, buffer, 1, COUNT);
    kernel_add_in(&scene.calls, scene.stream, (dim3){2, 3, 2}, (dim3){4, 2, 8}, buffer, buffer,
                  COUNT);
    float *found = read_buffer(&scene, buffer, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(found[i] == (float)i + 2);
    free(found);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
}

static void test_grids(void **state)
{
    (void)state;
    in_all_orders(check_add);
}

static void check_histogram(void)
{
    assert_int_equal(wrong_histogram_bins(true), 0);
}

static void test_atomics(void **state)
{
    (void)state;
    in_all_orders(check_histogram);
}

static unsigned vote_of(unsigned warp)
{
    unsigned vote = 0;
    for (unsigned lane = 0; lane < 32; lane++)
        vote |= (unsigned)((32 * warp + lane) % 3 == 0) << lane;
    return vote;
}

static void check_lanes(void)
{
    struct scene scene = make_scene(0);
    void *buffer = make_buffer(&scene, 448, 0);
    kernel_lanes(&scene.calls, scene.stream, buffer);
    unsigned *found = (unsigned *)(void *)read_buffer(&scene, buffer, 448);
    for (unsigned i = 0; i < 64; i++) {
        unsigned lane = i % 32, warp = i - lane;
        assert_int_equal(found[i], 100 + warp + 5);
        assert_int_equal(found[64 + i], 100 + warp + (lane < 3 ? lane : lane - 3));
        assert_int_equal(found[128 + i], 100 + warp + (lane > 28 ? lane : lane + 3));
        assert_int_equal(found[192 + i], 100 + warp + (lane ^ 6));
        assert_int_equal(found[256 + i], 100 + warp + (lane & 16) + 2);
        assert_int_equal(found[320 + i], vote_of(i / 32));
        assert_int_equal(found[384 + i], 40);
    }
    kernel_partial_warp(&scene.calls, scene.stream, buffer);
    unsigned *partial = (unsigned *)(void *)read_buffer(&scene, buffer, 80);
    for (unsigned i = 0; i < 80; i++)
        assert_int_equal(partial[i], i < 64 ? 31 * 32 / 2 : 15 * 16 / 2);
    free(found);
    free(partial);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
}

static void test_lanes(void **state)
{
    (void)state;
    in_all_orders(check_lanes);
}

/* What no thread of the block has written is no number, whatever the last block left. */
static void test_unwritten_shared_memory(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, 128, 0);
    kernel_unwritten(&scene.calls, scene.stream, buffer);
    float *found = read_buffer(&scene, buffer, 128);
    for (size_t i = 0; i < 128; i++)
        assert_true(found[i] != found[i]);
    free(found);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

static void diverge(enum kernel_divergence how)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *buffer = make_buffer(&scene, 64, 0);
    kernel_diverge(&scene.calls, scene.stream, how, buffer);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
}

static void diverge_in_a_branch(void)
{
    diverge(DIVERGE_BRANCH);
}

static void diverge_by_return(void)
{
    diverge(DIVERGE_RETURN);
}

static void diverge_by_mask(void)
{
    diverge(DIVERGE_MASK);
}

static void diverge_in_a_warp(void)
{
    diverge(DIVERGE_WARP);
}

static void test_divergence(void **state)
{
    (void)state;
    expect_fault(diverge_in_a_branch, "divergent barrier in diverge: thread");
    expect_fault(diverge_by_return, "divergent barrier in diverge: thread");
    expect_fault(diverge_by_mask, "leaves out lanes of the warp");
    expect_fault(diverge_in_a_warp, "divergent barrier in diverge: thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grids),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_missing_barrier_shows),
        cmocka_unit_test(test_atomics),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_unwritten_shared_memory),
        cmocka_unit_test(test_divergence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
