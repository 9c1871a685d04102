/*
 * Bytes that a batch of rpie and of lstsq moves beside its transforms, in sectors, each once a launch and direction,
 * for a pattern pixel and mode.
 *
 * Of a large scan in ten batches (1,800 patterns of 128², 8,000 of 256²) one batch is counted, for all are alike; of 256²
 * fewer patterns than a batch has, for time's sake, unless FF_TRAFFIC_SCAN is "whole". What the steps of the object take counts
 * the less, the more patterns of the batch cover a pixel of it: here ten do in the mean, as in a scan of 8,000 of 256² in steps of 22
 * pixels (`farfield simulate --size 256 --overlap 0.8`); FF_TRAFFIC_COVER is another number, and holds nothing to the limits.
 * The devices' second cache says how many patterns are at work at once: that of an A100.
 */
#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "tests/cuda/fault.h"
#include "tests/cuda/standin/control.h"

#include <math.h>

enum { KERNELS = 64 };
static const double RPIE_LIMIT = 44, LSTSQ_LIMIT = 64;

struct traffic_case {
    const char *name;
    size_t size, modes, patterns, whole;
};

static const struct traffic_case cases[] = {
    {"128², 1 mode", 128, 1, 180, 180},
    {"128², 8 modes", 128, 8, 60, 180},
    {"256², 1 mode", 256, 1, 120, 800},
    {"256², 8 modes", 256, 8, 20, 800},
};

struct batch {
    struct ff_problem problem;
    uint32_t *patterns;
    struct ff_area tile;
    struct ff_backend *backend;
};

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

static void *array(size_t count, size_t size)
{
    void *values = calloc(count, size);
    assert_non_null(values);
    return values;
}

static bool is_whole(void)
{
    const char *scan = getenv("FF_TRAFFIC_SCAN");
    return scan != NULL && strcmp(scan, "whole") == 0;
}

/* Patterns of the batch that cover a pixel of the object, in the mean. */
static double cover(void)
{
    const char *asked = getenv("FF_TRAFFIC_COVER");
    return asked != NULL ? strtod(asked, NULL) : 10;
}

/* Values do not matter, but for counts and a beam that are not zero. */
static void make_problem(struct batch *batch, const struct traffic_case *traffic)
{
    uint32_t state = 1;
    size_t patterns = is_whole() ? traffic->whole : traffic->patterns, size = traffic->size;
    size_t pixels = patterns * size * size;
    size_t side = (size_t)sqrt((double)pixels / cover());
    uint16_t *counts = array(pixels, sizeof *counts);
    batch->problem = (struct ff_problem){
        .patterns = patterns,
        .fly = 1,
        .rows = size,
        .columns = size,
        .probe_rows = size,
        .probe_columns = size,
        .counts = {.u16 = counts},
        .positions = array(2 * patterns, sizeof(double)),
        .object_rows = side,
        .object_columns = side,
        .modes = traffic->modes,
    };
    batch->patterns = array(patterns, sizeof *batch->patterns);
    batch->tile = (struct ff_area){0, 0, side, side};
    for (size_t i = 0; i < pixels; i++)
        counts[i] = (uint16_t)(next_random(&state) >> 26);
    for (size_t i = 0; i < 2 * patterns; i++)
        batch->problem.positions[i] = 1 + next_random(&state) * 0x1p-32 * (double)(side - size - 2);
    for (size_t i = 0; i < patterns; i++)
        batch->patterns[i] = (uint32_t)i;
}

static void put_field(struct batch *batch, enum ff_field field, size_t count)
{
    ff_complex *values = array(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = 1;
    ff_backend_cuda.put(batch->backend, field, values);
    free(values);
}

static void open_batch(struct batch *batch, const struct traffic_case *traffic)
{
    struct ff_error error;
    make_problem(batch, traffic);
    const struct ff_problem *problem = &batch->problem;
    const struct ff_backend_plan plan = {
        .problem = problem,
        .patterns = batch->patterns,
        .pattern_count = problem->patterns,
        .tile = batch->tile,
        .owned = &batch->tile,
        .owned_count = 1,
        .count = 1,
        .modes = problem->modes,
        .batch_limit = problem->patterns,
        .threads = 1,
    };
    batch->backend = ff_backend_cuda.create(&plan, &error);
    if (batch->backend == NULL)
        fail_msg("%s", error.message);
    const double scale = 1;
    ff_backend_cuda.put_rows(batch->backend, FF_POSITIONS, 0, problem->patterns,
                             problem->positions);
    for (size_t i = 0; i < problem->patterns; i++)
        ff_backend_cuda.put_rows(batch->backend, FF_SCALES, i, 1, &scale);
    put_field(batch, FF_OBJECT, problem->object_rows * problem->object_columns);
    put_field(batch, FF_PROBE, problem->modes * problem->probe_rows * problem->probe_columns);
}

static void close_batch(struct batch *batch)
{
    ff_backend_cuda.destroy(batch->backend);
    free((void *)(uintptr_t)batch->problem.counts.u16);
    free(batch->problem.positions);
    free(batch->patterns);
    ff_cuda_plans_drop();
}

static void wait_for_all(struct batch *batch)
{
    struct ff_cost cost;
    struct ff_error error;
    assert_ok(ff_backend_cuda.take_cost(batch->backend, &cost, &error), error);
}

/* What was counted since the last time, by kernel, for each of `values` pattern pixels and modes. Returns the sum. */
static double take_counts(const char *stage, double values)
{
    struct standin_kernel_count counts[KERNELS];
    size_t found = standin_kernels(counts, KERNELS);
    struct standin_copy_count cleared = standin_copies(STANDIN_COPY_SET);
    double sum = (double)cleared.bytes / values;
    assert_in_range(found, 1, KERNELS);
    print_message("  %s, with %.2f of memset\n", stage, sum);
    for (size_t i = 0; i < found; i++) {
        double read = (double)counts[i].sector_read_bytes / values;
        double written = (double)counts[i].sector_written_bytes / values;
        print_message("    %-16s %4llu launches  read %6.2f  written %6.2f\n", counts[i].name,
                      (unsigned long long)counts[i].launches, read, written);
        sum += read + written;
    }
    standin_clear_counts();
    return sum;
}

/* As solvers/rpie.c and solvers/lstsq.c have them with the settings that they begin with. */
static void test_traffic(void **state)
{
    const struct traffic_case *traffic = *state;
    const struct ff_update update = {0.5, 0.5, 1, 1, 0, false};
    struct batch batch;
    standin_begin(1, STANDIN_EAGER, 0);
    open_batch(&batch, traffic);
    const struct ff_batch patterns = {batch.patterns, batch.problem.patterns};
    size_t waves = patterns.count * traffic->modes;
    double values = (double)(waves * traffic->size * traffic->size);
    standin_clear_counts();
    ff_backend_cuda.gradients(batch.backend, patterns,
                              FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_BOUNDED);
    size_t transforms = standin_transforms().transforms;
    double gradients = take_counts("gradients", values);
    ff_backend_cuda.lengths(batch.backend, &update);
    double lengths = take_counts("lengths", values);
    ff_backend_cuda.update(batch.backend, &update);
    double rpie = gradients + take_counts("update", values);
    print_message("  rpie %.2f of %.0f, lstsq %.2f of %.0f\n", rpie, RPIE_LIMIT, rpie + lengths,
                  LSTSQ_LIMIT);
    wait_for_all(&batch);
    close_batch(&batch);
    standin_end();
    assert_int_equal(transforms, 2 * waves);
    assert_true(gradients > 8 + 16 + 8); /* waves are formed, changed and summed */
    if (getenv("FF_TRAFFIC_COVER") != NULL)
        return;
    assert_true(rpie <= RPIE_LIMIT);
    assert_true(rpie + lengths <= LSTSQ_LIMIT);
}

int main(void)
{
    struct CMUnitTest tests[sizeof cases / sizeof cases[0]];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        tests[i] = (struct CMUnitTest){cases[i].name, test_traffic, NULL, NULL,
                                       (void *)(uintptr_t)&cases[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
