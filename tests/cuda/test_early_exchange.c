/* Steps of several devices that exchange what they share while they work on the rest: the same bits in every order of
 * streams, and those of one device as near as rounding goes; and a device that is lost meanwhile. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/exchange_state.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/devices/state.h"
#include "tests/cuda/standin/control.h"
#include "tests/numeric/apart.h"
#include "tests/numeric/scene.h"

enum { SIDE = 16, GRID = 10, PATTERNS = GRID * GRID, STEPS = 3, CHUNK = 5, SEEDS = 5, MOST = 4 };

enum { SUMS = FF_WANT_OBJECT | FF_WANT_PROBE, STEP = SUMS | FF_WANT_STEP };

/* Long enough that most patterns of half of it reach nothing of the other half. */
static const struct scene_shape shape = {SIDE, SIDE, GRID, 5, 1, 1e6, false};

struct outcome {
    ff_complex *object;
    size_t count;
    unsigned early; /* devices that offered before their batch was done */
};

static void step(struct ff_devices *devices, unsigned want)
{
    uint32_t all[PATTERNS];
    const struct ff_update update = {
        .alpha_object = 0.1, .alpha_probe = 0.2, .step_object = 1, .step_probe = 0.5};
    for (uint32_t n = 0; n < PATTERNS; n++)
        all[n] = n;
    const struct ff_batch batch = {all, PATTERNS};
    ff_devices_gradients(devices, batch, want);
    ff_devices_update(devices, &update);
}

static struct ff_devices *open_devices(const struct ff_problem *problem, unsigned count)
{
    struct ff_error error;
    const struct ff_devices_plan plan = {.problem = problem,
                                         .operations = &ff_backend_cuda,
                                         .count = count,
                                         .modes = 1,
                                         .batch_limit = PATTERNS,
                                         .threads = 1};
    struct ff_devices *devices = ff_devices_create(&plan, &error);
    if (devices == NULL)
        fail_msg("%s", error.message);
    ff_devices_put(devices, FF_OBJECT, problem->object);
    ff_devices_put(devices, FF_PROBE, problem->probe);
    return devices;
}

static struct outcome run(const struct scene *scene, unsigned want, unsigned count,
                          enum standin_order order, uint64_t seed)
{
    const struct ff_problem *problem = scene->problem;
    struct outcome outcome = {.count = problem->object_rows * problem->object_columns};
    struct ff_cost cost;
    struct ff_error error;
    standin_begin(count, order, seed);
    for (unsigned i = 0; i < count; i++)
        standin_set_cache(i, 2 * CHUNK * SIDE * SIDE * sizeof(float2));
    struct ff_devices *devices = open_devices(problem, count);
    for (int i = 0; i < STEPS; i++)
        step(devices, want);
    for (unsigned i = 0; i < count; i++)
        outcome.early +=
            devices->backends[i]->exchange != NULL && devices->backends[i]->exchange->is_early;
    outcome.object = calloc(outcome.count, sizeof *outcome.object);
    assert_non_null(outcome.object);
    memcpy(outcome.object, problem->object, outcome.count * sizeof *outcome.object);
    ff_devices_get(devices, FF_OBJECT, outcome.object);
    assert_ok(ff_devices_take_cost(devices, &cost, &error), error);
    ff_devices_destroy(devices);
    ff_cuda_plans_drop();
    standin_end();
    return outcome;
}

static void check(const struct scene *scene, const struct outcome *first, unsigned want,
                  unsigned count, enum standin_order order, uint64_t seed)
{
    struct outcome other = run(scene, want, count, order, seed);
    assert_memory_equal(other.object, first->object, first->count * sizeof *first->object);
    free(other.object);
}

static void sums_of_the_rest_come_later(void **state)
{
    unsigned want = *(const unsigned *)*state;
    struct scene scene;
    scene_create(&scene, shape);
    struct outcome one = run(&scene, want, 1, STANDIN_LAZY, 0);
    for (unsigned count = 2; count <= MOST; count++) {
        struct outcome many = run(&scene, want, count, STANDIN_LAZY, 0);
        assert_true(many.early > 0);
        apart_check(apart_complex(many.object, one.object, one.count), 1e-5, "object", count);
        check(&scene, &many, want, count, STANDIN_MIRROR, 0);
        check(&scene, &many, want, count, STANDIN_EAGER, 0);
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            check(&scene, &many, want, count, STANDIN_SEEDED, seed);
        free(many.object);
    }
    free(one.object);
    scene_destroy(&scene);
}

/* Wherever one is lost among many, it is the one that is named, and nobody waits for it for ever. */
static void a_lost_device_is_named(void **state)
{
    (void)state;
    enum { COUNT = 3, LOST = 2 };
    struct scene scene;
    scene_create(&scene, shape);
    for (unsigned operations = 1; operations < 60; operations += 7) {
        struct ff_cost cost;
        struct ff_error error;
        standin_begin(COUNT, (enum standin_order)(operations % 3), 0);
        struct ff_devices *devices = open_devices(scene.problem, COUNT);
        standin_fail_device(LOST, operations, cudaErrorECCUncorrectable);
        for (int i = 0; i < STEPS; i++)
            step(devices, STEP);
        assert_int_equal(ff_devices_take_cost(devices, &cost, &error), -1);
        assert_int_equal(error.code, FF_NO_DEVICE);
        if (strncmp(error.message, "device 3 of 3: device 2: ", 25) != 0)
            fail_msg("%s", error.message);
        ff_devices_destroy(devices);
        ff_cuda_plans_drop();
        standin_end();
    }
    scene_destroy(&scene);
}

int main(void)
{
    static unsigned step = STEP, whole = SUMS;
    const struct CMUnitTest tests[] = {
        {"owners_step_meanwhile", sums_of_the_rest_come_later, NULL, NULL, &step},
        {"owners_settle_meanwhile", sums_of_the_rest_come_later, NULL, NULL, &whole},
        cmocka_unit_test(a_lost_device_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
