/* Bytes that kernels move are counted as asked for and in sectors; memory that is not theirs is a fault. */
#include "tests/cuda/kernels.h"
#include "tests/cuda/waves_scene.h"

static struct standin_kernel_count count_of(const char *name)
{
    struct standin_kernel_count counts[16] = {{0}};
    size_t found = standin_kernels(counts, 16);
    for (size_t i = 0; i < found; i++)
        if (strcmp(counts[i].name, name) == 0)
            return counts[i];
    fail_msg("no launch of %s was counted", name);
    return counts[0];
}

static void test_streaming_kernel(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *from = make_buffer(&scene, COUNT, 0), *to = make_buffer(&scene, COUNT, 0);
    kernel_add(&scene.calls, scene.stream, to, from, 1, COUNT);
    kernel_add(&scene.calls, scene.stream, to, from, 1, COUNT);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    struct standin_kernel_count count = count_of("add");
    assert_int_equal(count.launches, 2);
    assert_int_equal(count.threads, 2 * 1024);
    assert_int_equal(count.read_bytes, 2 * COUNT * 4);
    assert_int_equal(count.written_bytes, 2 * COUNT * 4);
    assert_int_equal(count.sector_read_bytes, 2 * COUNT * 4);
    assert_int_equal(count.sector_written_bytes, 2 * COUNT * 4);
    assert_int_equal(count.atomic_bytes, 0);
    assert_int_equal(count.peer_bytes, 0);
    drop_buffer(&scene, from);
    drop_buffer(&scene, to);
    end_scene(&scene);
    standin_end();
}

/* Shared memory, stacks and arguments are not device memory; an atomic counts once. */
static void test_other_kernels(void **state)
{
    (void)state;
    enum { COUNT = 512, BINS = 4 };
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *values = make_buffer(&scene, COUNT, 1), *sums = make_buffer(&scene, BINS, 0);
    kernel_sum(&scene.calls, scene.stream, SUM_TREE, sums, values, COUNT / 256);
    kernel_sum(&scene.calls, scene.stream, SUM_DYNAMIC, sums, values, COUNT / 256);
    kernel_sum(&scene.calls, scene.stream, SUM_SHUFFLES, sums, values, COUNT / 256);
    kernel_histogram(&scene.calls, scene.stream, (unsigned *)(void *)sums, BINS,
                     (const unsigned *)(const void *)values, COUNT, false);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    const char *names[] = {"sum_tree", "sum_dynamic", "sum_shuffles"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(count_of(names[i]).read_bytes, COUNT * 4);
        assert_int_equal(count_of(names[i]).written_bytes, COUNT / 256 * 4);
    }
    struct standin_kernel_count histogram = count_of("histogram");
    assert_int_equal(histogram.atomic_bytes, COUNT * 4);
    assert_int_equal(histogram.read_bytes, COUNT * 4);
    assert_int_equal(histogram.sector_written_bytes, 32);
    assert_int_equal(histogram.sector_read_bytes, COUNT * 4 + 32);
    drop_buffer(&scene, values);
    drop_buffer(&scene, sums);
    end_scene(&scene);
    standin_end();
}

/* What crosses a link is counted by direction. */
static void test_peer_reads(void **state)
{
    (void)state;
    enum { COUNT = 256 };
    standin_begin(2, STANDIN_LAZY, 0);
    struct scene zero = make_scene(0);
    float *from = make_buffer(&zero, COUNT, 0);
    struct scene one = make_scene(1);
    float *to = make_buffer(&one, COUNT, 0);
    FF_CUDA(&one.calls, cudaDeviceEnablePeerAccess(0, 0));
    kernel_add(&one.calls, one.stream, to, from, 1, COUNT);
    FF_CUDA(&one.calls, cudaStreamSynchronize(one.stream));
    assert_int_equal(count_of("add").peer_bytes, COUNT * 4);
    assert_int_equal(standin_link_bytes(0, 1), COUNT * 4);
    assert_int_equal(standin_link_bytes(1, 0), 0);
    drop_buffer(&zero, from);
    drop_buffer(&one, to);
    end_scene(&one);
    end_scene(&zero);
    standin_end();
}

/* Forming waves writes each once, and reads the probe once for a launch and few of the object's pixels twice. */
static void test_waves(void **state)
{
    (void)state;
    enum { PATTERNS = 4, MODES = 2, SIZE = 18, PROBE = SIZE - 2 };
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    struct waves_scene waves = make_waves_scene(&scene, PATTERNS, MODES, SIZE, SIZE);
    form_waves_scene(&scene, &waves);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    struct standin_kernel_count count = count_of("form_waves");
    size_t pixels = PATTERNS * MODES * SIZE * SIZE;
    assert_int_equal(count.written_bytes, 8 * pixels);
    assert_int_equal(count.sector_written_bytes, 8 * pixels);
    assert_in_range(count.read_bytes, PATTERNS * PROBE * PROBE * (4 * 8 + 8 * MODES),
                    PATTERNS * PROBE * PROBE * (4 * 8 + 8 * MODES + 24));
    assert_in_range(count.sector_read_bytes, MODES * PROBE * PROBE * 8,
                    40 * 45 * 8 + 2 * 2048 + 128);
    end_waves_scene(&scene, &waves);
    end_scene(&scene);
    standin_end();
}

static void read_host_memory(void)
{
    float *pageable = calloc(1000, sizeof(float));
    standin_begin(1, STANDIN_LAZY, 0);
    struct scene scene = make_scene(0);
    float *to = make_buffer(&scene, 256, 0);
    kernel_add(&scene.calls, scene.stream, to, pageable, 1, 256);
    FF_CUDA(&scene.calls, cudaStreamSynchronize(scene.stream));
    free(pageable);
}

static void test_host_memory(void **state)
{
    (void)state;
    expect_fault(read_host_memory, "add touched memory of the host that is not pinned");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streaming_kernel), cmocka_unit_test(test_other_kernels),
        cmocka_unit_test(test_peer_reads),       cmocka_unit_test(test_waves),
        cmocka_unit_test(test_host_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
