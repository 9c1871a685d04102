/* Streams run in the order that was asked for; what the program leaves to chance shows. */
#include "tests/cuda/fault.h"
#include "tests/cuda/kernels.h"
#include "tests/cuda/programs.h"

enum { COUNT = PROGRAM_COUNT };
#ifdef __SANITIZE_THREAD__
enum { SEEDS = 2 }; /* each thread of a block is one of the sanitizer's there */
#else
enum { SEEDS = 20 };
#endif

static size_t in_order(enum standin_order order, uint64_t seed, size_t (*run)(bool), bool right)
{
    standin_begin(1, order, seed);
    size_t wrong = run(right);
    standin_end();
    return wrong;
}

/* How many of the orders give a wrong result. */
static unsigned orders_that_fail(size_t (*run)(bool), bool right)
{
    unsigned failed = 0;
    failed += in_order(STANDIN_LAZY, 0, run, right) != 0;
    failed += in_order(STANDIN_MIRROR, 0, run, right) != 0;
    failed += in_order(STANDIN_EAGER, 0, run, right) != 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        failed += in_order(STANDIN_SEEDED, seed, run, right) != 0;
    return failed;
}

static void test_event_orders(void **state)
{
    (void)state;
    assert_int_equal(orders_that_fail(wrong_after_chain, true), 0);
    assert_int_equal(orders_that_fail(wrong_after_overwrite, true), 0);
}

/* Under the thread sanitizer the race itself is reported: test_races. */
static void skip_where_races_are_reported(void)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
}

static void test_missing_wait_shows(void **state)
{
    (void)state;
    skip_where_races_are_reported();
    assert_int_not_equal(in_order(STANDIN_LAZY, 0, wrong_after_chain, false), 0);
    assert_int_not_equal(in_order(STANDIN_MIRROR, 0, wrong_after_overwrite, false), 0);
    /* and with some of the seeds */
    assert_in_range(orders_that_fail(wrong_after_chain, false), 3, SEEDS + 3);
    assert_in_range(orders_that_fail(wrong_after_overwrite, false), 3, SEEDS + 3);
}

static void test_pinned_source(void **state)
{
    (void)state;
    assert_int_equal(orders_that_fail(wrong_after_reuse, true), 0);
    skip_where_races_are_reported();
    assert_int_not_equal(in_order(STANDIN_LAZY, 0, wrong_after_reuse, false), 0);
    assert_int_not_equal(in_order(STANDIN_MIRROR, 0, wrong_after_reuse, false), 0);
}

static void test_early_read_shows(void **state)
{
    (void)state;
    assert_int_equal(orders_that_fail(wrong_after_read, true), 0);
    skip_where_races_are_reported();
    assert_int_equal(in_order(STANDIN_LAZY, 0, wrong_after_read, false), COUNT);
}

/* Pageable memory: the source may change at once, the target is there at once; both are counted. */
static void test_pageable(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float values[COUNT], back[COUNT], *buffer = make_buffer(&scene, COUNT, 0);
    standin_clear_counts();
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 2 * (float)i;
    FF_CUDA(&scene.calls,
            cudaMemcpyAsync(buffer, values, sizeof values, cudaMemcpyDefault, scene.stream));
    values[5] = -1;
    FF_CUDA(&scene.calls,
            cudaMemcpyAsync(back, buffer, sizeof back, cudaMemcpyDeviceToHost, scene.stream));
    for (size_t i = 0; i < COUNT; i++)
        assert_true(back[i] == 2 * (float)i);
    assert_int_equal(standin_copies(STANDIN_COPY_TO_DEVICE_PAGEABLE).calls, 1);
    assert_int_equal(standin_copies(STANDIN_COPY_FROM_DEVICE_PAGEABLE).bytes, sizeof back);
    assert_int_equal(standin_copies(STANDIN_COPY_TO_DEVICE).calls, 0);
    assert_int_equal(standin_waits(), 1);
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

static void set_flag(void *flag)
{
    __atomic_fetch_add((int *)flag, 1, __ATOMIC_RELAXED);
}

/* Rectangles, fills, host functions, queries and times. */
static void test_other_calls(void **state)
{
    (void)state;
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    struct ff_cuda_calls *calls = &scene.calls;
    float *buffer = make_buffer(&scene, 40, 0), ms = -1;
    cudaEvent_t begin = NULL, end = NULL;
    int flag = 0;
    FF_CUDA(calls, cudaEventCreate(&begin));
    FF_CUDA(calls, cudaEventCreate(&end));
    FF_CUDA(calls, cudaEventRecord(begin, scene.stream));
    FF_CUDA(calls, cudaMemcpy2DAsync(buffer + 20, 20, buffer, 24, 8, 3, cudaMemcpyDeviceToDevice,
                                     scene.stream));
    FF_CUDA(calls, cudaMemset2DAsync(buffer, 16, 0, 4, 2, scene.stream));
    FF_CUDA(calls, cudaLaunchHostFunc(scene.stream, set_flag, &flag));
    FF_CUDA(calls, cudaEventRecord(end, scene.stream));
    assert_int_equal(__atomic_load_n(&flag, __ATOMIC_RELAXED), 0);
    assert_int_equal(cudaEventQuery(end), cudaErrorNotReady);
    while (cudaEventQuery(end) == cudaErrorNotReady)
        ;
    assert_int_equal(__atomic_load_n(&flag, __ATOMIC_RELAXED), 1);
    assert_int_equal(cudaStreamQuery(scene.stream), cudaSuccess);
    FF_CUDA(calls, cudaEventElapsedTime(&ms, begin, end));
    assert_true(ms >= 0);
    float *found = read_buffer(&scene, buffer, 40);
    const float rows[] = {0, 1, 22, 23, 24, 6, 7, 27, 28, 29, 12, 13, 32};
    assert_memory_equal(found + 20, rows, sizeof rows);
    assert_true(found[0] == 0 && found[1] == 1 && found[4] == 0 && found[5] == 5);
    free(found);
    FF_CUDA(calls, cudaEventDestroy(begin));
    FF_CUDA(calls, cudaEventDestroy(end));
    drop_buffer(&scene, buffer);
    end_scene(&scene);
    standin_end();
}

static void call_cuda(void *unused)
{
    (void)unused;
    (void)cudaGetLastError();
    (void)cudaSetDevice(0);
}

static void call_cuda_from_host_function(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    FF_CUDA(&scene.calls, cudaLaunchHostFunc(scene.stream, call_cuda, NULL));
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
}

static void use_default_stream(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    (void)cudaStreamSynchronize(NULL);
}

static void make_blocking_stream(void)
{
    cudaStream_t stream;
    standin_begin(1, STANDIN_LAZY, 0);
    (void)cudaStreamCreate(&stream);
}

static void leave_a_stream(void)
{
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    (void)scene;
    standin_end();
}

static void test_faults(void **state)
{
    (void)state;
    expect_fault(use_default_stream, "the default stream was used");
    expect_fault(call_cuda_from_host_function,
                 "cudaSetDevice was called from a host function of a stream");
    expect_fault(make_blocking_stream, "without cudaStreamNonBlocking");
    expect_fault(leave_a_stream, "not given back: 0 allocations, 0 of pinned memory, 1 streams");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_orders),  cmocka_unit_test(test_missing_wait_shows),
        cmocka_unit_test(test_pinned_source), cmocka_unit_test(test_early_read_shows),
        cmocka_unit_test(test_pageable),      cmocka_unit_test(test_other_calls),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
