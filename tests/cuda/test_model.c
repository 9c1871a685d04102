/*
 * The model of an epoch's time (functions/reconstruct/bench/model/) against what the backend does: bytes of every kernel, in
 * sectors, and launches, as counted; and what devices exchange. The scan, the batches and the chunks are the model's.
 */
#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "functions/reconstruct/bench/model/model.h"
#include "functions/reconstruct/devices/devices.h"
#include "functions/reconstruct/solvers/batches.h"
#include "tests/cuda/fault.h"
#include "tests/cuda/standin/control.h"

#include <math.h>
#include <string.h>

enum { KERNELS = 64 };

struct model_case {
    enum ff_model_algorithm algorithm;
    size_t patterns, size, modes, batches;
    unsigned devices;
    size_t cache;
    size_t steps; /* so many are the size of a pattern */
};

/* Caches make chunks of 8 patterns, or leave batches whole. With few steps a pattern some patterns are nobody else's. */
static const struct model_case cases[] = {
    {FF_MODEL_RPIE, 100, 64, 1, 3, 1, 64 * 64 * 8 * 16, 8},
    {FF_MODEL_RPIE, 60, 64, 8, 2, 1, 64 * 64 * 8 * 8 * 16, 8},
    {FF_MODEL_LSTSQ, 100, 64, 1, 3, 1, 64 * 64 * 8 * 16, 8},
    {FF_MODEL_RPIE, 144, 64, 1, 2, 2, 64 * 64 * 8 * 16, 8},
    {FF_MODEL_RPIE, 100, 64, 2, 3, 4, 40 << 20, 8},
    {FF_MODEL_RPIE, 144, 32, 1, 2, 2, 32 * 32 * 8 * 16, 2},
    {FF_MODEL_LSTSQ, 100, 48, 1, 3, 3, 48 * 48 * 8 * 16, 3},
    {FF_MODEL_RPIE, 12, 32, 1, 12, 2, 40 << 20, 4}, /* one of them has nothing to do */
};

static void *array(size_t count, size_t size)
{
    void *values = calloc(count, size);
    assert_non_null(values);
    return values;
}

static struct ff_model_case modelled(const struct model_case *wanted)
{
    struct ff_model_case model = {
        .machine = ff_model_machine_of(0),
        .algorithm = wanted->algorithm,
        .patterns = wanted->patterns,
        .size = wanted->size,
        .modes = wanted->modes,
        .batches = wanted->batches,
        .step = (double)wanted->size / (double)wanted->steps,
    };
    model.machine.cache = wanted->cache;
    return model;
}

/* Values do not matter. */
static struct ff_problem problem_of(const struct ff_model_case *model,
                                    const struct ff_model_scan *scan)
{
    return (struct ff_problem){
        .patterns = model->patterns,
        .fly = 1,
        .rows = model->size,
        .columns = model->size,
        .probe_rows = model->size,
        .probe_columns = model->size,
        .counts = {.u16 = array(model->patterns * model->size * model->size, sizeof(uint16_t))},
        .positions = scan->positions,
        .object_rows = scan->object,
        .object_columns = scan->object,
        .modes = model->modes,
    };
}

static void put_ones(struct ff_devices *devices, enum ff_field field, size_t count)
{
    ff_complex *values = array(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = 1;
    ff_devices_put(devices, field, values);
    free(values);
}

static struct ff_devices *open_devices(const struct model_case *wanted,
                                       const struct ff_problem *problem, size_t batch_limit)
{
    struct ff_error error;
    const struct ff_devices_plan plan = {
        .problem = problem,
        .operations = &ff_backend_cuda,
        .count = wanted->devices,
        .modes = problem->modes,
        .batch_limit = batch_limit,
        .threads = 1,
    };
    struct ff_devices *devices = ff_devices_create(&plan, &error);
    if (devices == NULL)
        fail_msg("%s", error.message);
    put_ones(devices, FF_OBJECT, problem->object_rows * problem->object_columns);
    put_ones(devices, FF_PROBE, problem->modes * problem->rows * problem->columns);
    return devices;
}

static void take_cost(struct ff_devices *devices)
{
    struct ff_cost cost;
    struct ff_error error;
    assert_ok(ff_devices_take_cost(devices, &cost, &error), error);
}

/* As solvers/rpie.c and solvers/lstsq.c do with the settings that they begin with. */
static void take_step(struct ff_devices *devices, enum ff_model_algorithm algorithm,
                      struct ff_batch batch)
{
    const struct ff_update update = {0.5, 0.5, 1, 1, 0, false};
    ff_devices_gradients(devices, batch,
                         FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_BOUNDED |
                             (algorithm == FF_MODEL_RPIE ? FF_WANT_STEP : 0u));
    if (algorithm == FF_MODEL_LSTSQ)
        ff_devices_lengths(devices, &update);
    ff_devices_update(devices, &update);
}

/* What an epoch of the backend does is counted; returns what it exchanged. */
static uint64_t run_epoch(const struct model_case *wanted, const struct ff_problem *problem)
{
    struct ff_error error;
    const struct ff_solver_settings settings = {.epochs = 1, .batches = wanted->batches};
    struct ff_batches *batches = ff_batches_create(problem, &settings, &error);
    struct ff_random random = ff_random_seed(0);
    assert_non_null(batches);
    struct ff_devices *devices = open_devices(wanted, problem, ff_batches_limit(batches));
    size_t count = ff_batches_deal(batches, 1, &random);
    take_cost(devices);
    standin_clear_counts();
    for (size_t i = 0; i < count; i++)
        take_step(devices, wanted->algorithm, ff_batches_at(batches, i));
    take_cost(devices);
    uint64_t exchanged = ff_devices_bytes_exchanged(devices);
    ff_devices_destroy(devices);
    ff_batches_destroy(batches);
    return exchanged;
}

static const struct standin_kernel_count *counted(const struct standin_kernel_count *counts,
                                                  size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(counts[i].name, name) == 0)
            return &counts[i];
    return NULL;
}

static void compare_kernel(const struct ff_model_kernel *kernel,
                           const struct standin_kernel_count *count)
{
    double bytes = (double)(count->sector_read_bytes + count->sector_written_bytes);
    print_message("  %-16s launches %5zu %5llu  bytes modelled %11.0f counted %11.0f  %+.2f %%\n",
                  kernel->name, kernel->launches, (unsigned long long)count->launches,
                  kernel->bytes, bytes, 100 * (kernel->bytes / bytes - 1));
    assert_int_equal(kernel->launches, count->launches);
    /* Small ones may be sectors of which little is used. */
    assert_true(fabs(kernel->bytes - bytes) <= 0.03 * bytes + 1200 * (double)kernel->launches);
}

/* Transforms have no kernels that are counted. */
static void compare_transforms(const struct ff_model_kernel *kernel)
{
    struct standin_transform_count transforms = standin_transforms();
    assert_int_equal(kernel->launches, FF_MODEL_PASSES * transforms.calls);
    assert_true(kernel->bytes == 2.0 * FF_MODEL_PASSES * (double)transforms.bytes);
}

/* Every kernel that was counted is modelled, and the other way round. */
static void compare(const struct ff_model_result *result)
{
    struct standin_kernel_count counts[KERNELS];
    size_t found = standin_kernels(counts, KERNELS);
    size_t compared = 0;
    assert_in_range(found, 1, KERNELS);
    for (size_t i = 0; i < result->kernel_count; i++) {
        const struct ff_model_kernel *kernel = &result->kernels[i];
        const struct standin_kernel_count *count = counted(counts, found, kernel->name);
        if (strcmp(kernel->name, "transforms") == 0)
            compare_transforms(kernel);
        else if (strcmp(kernel->name, "memset") == 0)
            assert_int_equal(kernel->launches, standin_copies(STANDIN_COPY_SET).calls);
        else if (strcmp(kernel->name, "lists") == 0)
            assert_int_equal(kernel->launches +
                                 result->devices, /* the first batch brings all places */
                             standin_copies(STANDIN_COPY_TO_DEVICE).calls);
        else {
            if (count == NULL)
                fail_msg("%s is not launched", kernel->name);
            compare_kernel(kernel, count);
            compared++;
        }
    }
    for (size_t i = 0; i < found && compared < found; i++)
        if (counts[i].launches > 0)
            print_message("  launched: %s\n", counts[i].name);
    assert_int_equal(compared, found);
}

static void test_model(void **state)
{
    const struct model_case *wanted = *state;
    const struct ff_model_case model = modelled(wanted);
    struct ff_model_result result;
    struct ff_model_scan scan;
    struct ff_error error;
    assert_ok(ff_model_run(&model, wanted->devices, &result, &error), error);
    assert_ok(ff_model_scan_create(model.patterns, model.size, model.step, &scan, &error), error);
    standin_begin(wanted->devices, STANDIN_EAGER, 0);
    for (unsigned i = 0; i < wanted->devices; i++)
        standin_set_cache(i, wanted->cache);
    struct ff_problem problem = problem_of(&model, &scan);
    uint64_t exchanged = run_epoch(wanted, &problem);
    compare(&result);
    ff_cuda_plans_drop();
    standin_end();
    free((void *)(uintptr_t)problem.counts.u16);
    ff_model_scan_release(&scan);
    print_message("  exchanged: modelled %.0f, counted %llu\n", result.exchanged_bytes,
                  (unsigned long long)exchanged);
    assert_true(fabs(result.exchanged_bytes - (double)exchanged) <= 0.001 * (double)exchanged);
    assert_true((exchanged > 0) == (wanted->devices > 1));
}

int main(void)
{
    struct CMUnitTest tests[sizeof cases / sizeof cases[0]];
    char names[sizeof cases / sizeof cases[0]][48];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(names[i], sizeof names[i], "%s_%zu_%zu_in_%zu_on_%u",
                 cases[i].algorithm == FF_MODEL_RPIE ? "rpie" : "lstsq", cases[i].size,
                 cases[i].modes, cases[i].batches, cases[i].devices);
        tests[i] =
            (struct CMUnitTest){names[i], test_model, NULL, NULL, (void *)(uintptr_t)&cases[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
