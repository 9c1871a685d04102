/* The CPU backend with either of its transforms. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cpu/kernels.h"
#include "functions/reconstruct/run.h"
#include "functions/reconstruct/solvers/solvers.h"
#include "tests/numeric/apart.h"
#include "tests/numeric/scene.h"

#include <math.h>

static const struct scene_shape powers = {64, 32, 4, 5, 2, 2e5, false};
static const struct scene_shape others = {30, 37, 3, 6, 1, 2e5, true};

enum { PATTERNS_MAX = 64 };

static const struct ff_backend_operations *const cpu = &ff_backend_cpu;

static struct ff_backend *open_backend(const struct scene *scene, enum ff_engine engine,
                                       unsigned threads, struct ff_span transforms)
{
    return scene_open(scene, cpu,
                      (struct ff_backend_plan){.needs = FF_NEED_WAVES,
                                               .engine = engine,
                                               .threads = threads,
                                               .transforms = transforms});
}

static const struct ff_span none = {NULL, 0};

/* What one step leaves. */
struct outcome {
    double cost;
    ff_complex *object, *waves;
    size_t object_count, wave_count;
};

static struct outcome step(const struct scene *scene, enum ff_engine engine, unsigned threads)
{
    const struct ff_problem *problem = scene->problem;
    struct ff_backend *backend = open_backend(scene, engine, threads, none);
    const struct ff_update update = {0.1, 0.1, 1, 1, 0, false};
    struct outcome outcome = {
        .object_count = problem->object_rows * problem->object_columns,
        .wave_count = problem->patterns * problem->modes * problem->rows * problem->columns,
    };
    uint32_t patterns[PATTERNS_MAX];
    struct ff_cost cost;
    struct ff_error error;
    for (size_t i = 0; i < problem->patterns; i++)
        patterns[i] = (uint32_t)i;
    outcome.object =
        ff_array_create(outcome.object_count, sizeof *outcome.object, "the object", &error);
    outcome.waves = ff_array_create(outcome.wave_count, sizeof *outcome.waves, "waves", &error);
    assert_non_null(outcome.object);
    assert_non_null(outcome.waves);
    cpu->gradients(backend, (struct ff_batch){patterns, problem->patterns},
                   FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_WAVES);
    cpu->settle(backend, &backend);
    cpu->spread(backend, &backend);
    cpu->update(backend, &update);
    assert_ok(cpu->take_cost(backend, &cost, &error), error);
    outcome.cost = cost.amplitude;
    cpu->get(backend, FF_OBJECT, outcome.object);
    cpu->get_rows(backend, FF_WAVES, 0, problem->patterns, outcome.waves);
    cpu->destroy(backend);
    return outcome;
}

static void outcome_dispose(struct outcome *outcome)
{
    free(outcome->object);
    free(outcome->waves);
}

static void needs_vector(void)
{
    if (ff_kernels_vector() == NULL)
        skip();
}

static void test_both_give_the_same(void **state)
{
    (void)state;
    needs_vector();
    struct scene scene;
    scene_create(&scene, powers);
    struct outcome library = step(&scene, FF_ENGINE_LIBRARY, 1);
    struct outcome own = step(&scene, FF_ENGINE_OWN, 1);
    assert_true(fabs(own.cost / library.cost - 1) < 1e-5);
    assert_true(apart_complex(own.object, library.object, own.object_count) < 1e-5);
    assert_true(apart_complex(own.waves, library.waves, own.wave_count) < 1e-6);
    outcome_dispose(&library);
    outcome_dispose(&own);
    scene_destroy(&scene);
}

static void test_the_same_bits_every_time(void **state)
{
    (void)state;
    needs_vector();
    struct scene scene;
    scene_create(&scene, powers);
    struct outcome once = step(&scene, FF_ENGINE_OWN, 1);
    struct outcome again = step(&scene, FF_ENGINE_OWN, 3);
    assert_true(once.cost == again.cost);
    assert_memory_equal(once.object, again.object, once.object_count * sizeof *once.object);
    assert_memory_equal(once.waves, again.waves, once.wave_count * sizeof *once.waves);
    outcome_dispose(&once);
    outcome_dispose(&again);
    scene_destroy(&scene);
}

/* Kept waves that are read and put elsewhere are those waves there, whatever transforms each has. */
static void test_waves_move_between_both(void **state)
{
    (void)state;
    needs_vector();
    struct scene scene;
    scene_create(&scene, powers);
    struct outcome from = step(&scene, FF_ENGINE_LIBRARY, 1);
    struct ff_backend *backend = open_backend(&scene, FF_ENGINE_OWN, 1, none);
    struct ff_error error;
    ff_complex *waves = ff_array_create(from.wave_count, sizeof *waves, "waves", &error);
    assert_non_null(waves);
    cpu->put_rows(backend, FF_WAVES, 0, scene.problem->patterns, from.waves);
    cpu->get_rows(backend, FF_WAVES, 0, scene.problem->patterns, waves);
    assert_memory_equal(waves, from.waves, from.wave_count * sizeof *waves);
    free(waves);
    cpu->destroy(backend);
    outcome_dispose(&from);
    scene_destroy(&scene);
}

static void check_followed(const struct scene *scene, enum ff_engine engine, bool is_vector)
{
    struct ff_backend *first = open_backend(scene, engine, 1, none);
    struct ff_backend *next = open_backend(scene, FF_ENGINE_AUTO, 1, cpu->transforms(first));
    assert_true(ff_span_equal(cpu->transforms(first), cpu->transforms(next)));
    assert_string_equal(cpu->describe(first), cpu->describe(next));
    assert_true((strstr(cpu->describe(next), "vector transform") != NULL) == is_vector);
    cpu->destroy(first);
    cpu->destroy(next);
}

static void test_a_checkpoint_decides(void **state)
{
    (void)state;
    needs_vector();
    struct scene scene;
    scene_create(&scene, powers);
    check_followed(&scene, FF_ENGINE_OWN, true);
    check_followed(&scene, FF_ENGINE_AUTO, true);
    check_followed(&scene, FF_ENGINE_LIBRARY, false);
    struct ff_backend *own = open_backend(&scene, FF_ENGINE_OWN, 1, none);
    struct ff_backend *asked = open_backend(&scene, FF_ENGINE_LIBRARY, 1, cpu->transforms(own));
    assert_false(ff_span_equal(cpu->transforms(own), cpu->transforms(asked)));
    cpu->destroy(own);
    cpu->destroy(asked);
    scene_destroy(&scene);
}

static void test_other_sizes_are_left_to_the_library(void **state)
{
    (void)state;
    struct scene scene;
    struct ff_error error;
    scene_create(&scene, others);
    check_followed(&scene, FF_ENGINE_AUTO, false);
    const struct ff_backend_plan own = {.engine = FF_ENGINE_OWN};
    assert_null(scene_try_open(&scene, cpu, own, &error));
    assert_int_equal(error.code, FF_INVALID_SETTING);
    scene_destroy(&scene);
}

/* --- whole runs --- */

static const struct scene_shape square = {32, 32, 9, 4, 2, 1e6, false};

static const struct ff_run_settings plain = {
    .algorithm = "rpie",
    .solver = {.epochs = 4,
               .batches = 3,
               .alpha = 0.05,
               .step_object = 1,
               .step_probe = 1,
               .probe_start = 2},
    .seed = 7,
    .devices = 1,
    .threads = 2,
};

static struct ff_run_result run_with(const struct scene *scene, struct ff_run_settings settings,
                                     enum ff_engine engine)
{
    struct ff_run_result result;
    struct ff_error error;
    settings.engine = engine;
    assert_ok(ff_run(scene->problem, &settings, NULL, none, &result, &error), error);
    return result;
}

static void check_both_transforms(const struct scene *scene, struct ff_run_settings settings)
{
    struct ff_run_result library = run_with(scene, settings, FF_ENGINE_LIBRARY);
    struct ff_run_result own = run_with(scene, settings, FF_ENGINE_OWN);
    double error = apart_complex(own.state->object, library.state->object,
                                 ff_state_object_elements(scene->problem));
    if (!(error < 1e-4))
        fail_msg("%s: the objects differ by %g", settings.algorithm, error);
    assert_string_not_equal(own.device, library.device);
    ff_run_result_dispose(&library);
    ff_run_result_dispose(&own);
}

/* Every stage of the backend that an algorithm or a refinement goes through, for both layouts of
 * waves. */
static void test_either_transform_gives_the_same(void **state)
{
    (void)state;
    struct scene scene;
    if (ff_kernels_vector() == NULL)
        skip();
    scene_create(&scene, square);
    for (size_t i = 0; ff_solvers[i] != NULL; i++) {
        struct ff_run_settings settings = plain;
        settings.algorithm = ff_solvers[i]->name;
        check_both_transforms(&scene, settings);
    }
    struct ff_run_settings settings = plain;
    settings.algorithm = "lstsq";
    settings.solver.step = FF_STEP_POSITION;
    settings.refine.positions = settings.refine.intensities = true;
    settings.refine.positions_start = 2;
    settings.refine.step_positions = 0.5;
    settings.refine.opr_modes = 1;
    check_both_transforms(&scene, settings);
    settings.noise = FF_NOISE_POISSON;
    settings.subpixel = FF_SUBPIXEL_FOURIER;
    check_both_transforms(&scene, settings);
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_give_the_same),
        cmocka_unit_test(test_the_same_bits_every_time),
        cmocka_unit_test(test_waves_move_between_both),
        cmocka_unit_test(test_a_checkpoint_decides),
        cmocka_unit_test(test_other_sizes_are_left_to_the_library),
        cmocka_unit_test(test_either_transform_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
