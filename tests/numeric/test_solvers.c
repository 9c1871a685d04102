/* Every algorithm on a problem whose answer is known: how near it comes, the same bits for any number
 * of threads and after an interruption, the transforms it takes, and words when it goes astray. */
#include "tests/unit/check.h"

#include "functions/reconstruct/solvers/solvers.h"
#include "tests/numeric/backend.h"
#include "tests/numeric/effects.h"
#include "tests/numeric/keep.h"
#include "tests/numeric/scene.h"

#include <math.h>

static struct scene_shape shape = {32, 32, 9, 4, 2, 1e6, false};
static const struct scene_shape smaller = {16, 16, 7, 2, 2, 1e6, false};

/* An algorithm with what it does by itself, a variant of it, and what it reaches in so many epochs
 * when the probe is known: the object's error, and the last cost against the first. */
struct variant {
    const char *label;
    enum ff_algorithm algorithm;
    enum ff_step step;
    double momentum;
    size_t epochs;
    double error, cost;
};

static const struct variant variants[] = {
    {"lstsq", FF_ALGORITHM_LSTSQ, FF_STEP_BATCH, 0, 40, 8e-3, 2e-3},
    {"lstsq by position", FF_ALGORITHM_LSTSQ, FF_STEP_POSITION, 0, 40, 1e-2, 3.5e-3},
    {"lstsq with momentum", FF_ALGORITHM_LSTSQ, FF_STEP_BATCH, 0.5, 40, 8e-3, 2e-3},
    {"rpie", FF_ALGORITHM_RPIE, FF_STEP_BATCH, 0, 40, 9e-3, 2.5e-3},
    {"rpie with momentum", FF_ALGORITHM_RPIE, FF_STEP_BATCH, 0.5, 40, 9e-3, 2.5e-3},
    {"epie", FF_ALGORITHM_EPIE, FF_STEP_BATCH, 0, 40, 2.7e-2, 1.2e-2},
    {"cgrad", FF_ALGORITHM_CGRAD, FF_STEP_BATCH, 0, 64, 1.7e-3, 2e-5},
    {"dm", FF_ALGORITHM_DM, FF_STEP_BATCH, 0, 60, 9e-4, 6e-6},
    {"raar", FF_ALGORITHM_RAAR, FF_STEP_BATCH, 0, 60, 9e-4, 6e-6},
    {"ml", FF_ALGORITHM_ML, FF_STEP_BATCH, 0, 64, 1.7e-3, 2e-5},
};

enum { VARIANTS = sizeof variants / sizeof variants[0] };

static struct ff_run_settings settings_of(const struct variant *variant, size_t epochs)
{
    struct ff_run_settings settings =
        algorithm_settings(variant->algorithm, shape.grid * shape.grid, epochs);
    /* As users are told: the more momentum, the shorter the steps. */
    settings.solver.step_object *= 1 - variant->momentum;
    settings.solver.step_probe *= 1 - variant->momentum;
    settings.solver.momentum = variant->momentum;
    settings.solver.step = variant->step;
    settings.seed = 7;
    settings.operations = numeric_backend();
    return settings;
}

static struct ff_run_result run(const struct scene *scene, const struct ff_run_settings *settings,
                                const struct ff_run_watch *watch, struct ff_span resume)
{
    struct ff_run_result result;
    struct ff_error error;
    assert_ok(ff_run(scene->problem, settings, watch, resume, &result, &error), error);
    return result;
}

static void assert_same(const struct scene *scene, const char *label, const struct ff_run_result *a,
                        const struct ff_run_result *b)
{
    const struct ff_problem *problem = scene->problem;
    size_t object = problem->object_rows * problem->object_columns * sizeof(ff_complex);
    size_t probe = shape.modes * shape.rows * shape.columns * sizeof(ff_complex);
    size_t positions = 2 * problem->patterns * sizeof(double);
    if (memcmp(a->state->object, b->state->object, object) != 0 ||
        memcmp(a->state->probe, b->state->probe, probe) != 0 ||
        memcmp(a->state->positions, b->state->positions, positions) != 0 ||
        memcmp(a->costs, b->costs, a->epochs * sizeof(double)) != 0 || a->cost != b->cost)
        fail_msg("%s: not the same bits", label);
}

static void test_every_algorithm_finds_the_object(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    for (size_t i = 0; i < VARIANTS; i++) {
        const struct variant *variant = &variants[i];
        struct ff_run_settings settings = settings_of(variant, variant->epochs);
        settings.solver.step_probe = 0;
        struct ff_run_result result = run(&scene, &settings, NULL, (struct ff_span){0});
        double error = scene_object_error(&scene, result.state->object);
        double fell = result.cost / result.costs[0];
        if (!(error < variant->error && fell < variant->cost))
            fail_msg("%s: object error %g, cost %g of the first", variant->label, error, fell);
        ff_run_result_dispose(&result);
    }
    scene_destroy(&scene);
}

/* From a probe that is out of focus. */
static void test_every_algorithm_finds_the_probe_too(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    scene_blur_probe(&scene);
    for (size_t i = 0; i < VARIANTS; i++) {
        const struct variant *variant = &variants[i];
        struct ff_run_settings settings = settings_of(variant, 2 * variant->epochs);
        struct ff_run_result moved = run(&scene, &settings, NULL, (struct ff_span){0});
        settings.solver.step_probe = 0;
        struct ff_run_result kept = run(&scene, &settings, NULL, (struct ff_span){0});
        if (!(moved.cost < 0.15 * kept.cost))
            fail_msg("%s: cost %g with the probe moved, %g without", variant->label, moved.cost,
                     kept.cost);
        ff_run_result_dispose(&moved);
        ff_run_result_dispose(&kept);
    }
    scene_destroy(&scene);
}

static void test_threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    for (size_t i = 0; i < VARIANTS; i++) {
        struct ff_run_settings settings = settings_of(&variants[i], 4);
        settings.threads = 1;
        struct ff_run_result one = run(&scene, &settings, NULL, (struct ff_span){0});
        settings.threads = 3;
        struct ff_run_result three = run(&scene, &settings, NULL, (struct ff_span){0});
        assert_same(&scene, variants[i].label, &one, &three);
        ff_run_result_dispose(&one);
        ff_run_result_dispose(&three);
    }
    scene_destroy(&scene);
}

/* Interrupted after each of the first epochs: before and after the probe begins to move, and, with
 * positions moving, where what a solver keeps is no longer true. */
static void assert_resumes(const struct scene *scene, const char *label,
                           const struct ff_run_settings *settings)
{
    struct ff_run_result whole = run(scene, settings, NULL, (struct ff_span){0});
    for (size_t after = 1; after < settings->solver.epochs; after++) {
        struct keeper keeper;
        struct ff_run_watch watch = keeper_begin(&keeper, after);
        struct ff_run_result first = run(scene, settings, &watch, (struct ff_span){0});
        assert_int_equal(first.end, FF_RUN_YIELDED);
        struct ff_run_result rest = run(scene, settings, NULL, keeper_span(&keeper));
        assert_int_equal(rest.resumed_at, after);
        assert_same(scene, label, &whole, &rest);
        ff_run_result_dispose(&first);
        ff_run_result_dispose(&rest);
        keeper_dispose(&keeper);
    }
    ff_run_result_dispose(&whole);
}

static void test_resuming_is_as_if_nothing_happened(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (size_t i = 0; i < VARIANTS; i++) {
        struct ff_run_settings settings = settings_of(&variants[i], 6);
        assert_resumes(&scene, variants[i].label, &settings);
        settings.refine.positions = true;
        settings.refine.positions_start = 3;
        settings.refine.step_positions = 0.5;
        assert_resumes(&scene, variants[i].label, &settings);
    }
    scene_destroy(&scene);
}

/* F is formed anew after so many steps; a run that is interrupted around that goes on as it would
 * have. */
static void test_resuming_where_waves_are_formed_anew(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    const struct variant cgrad = {"cgrad", FF_ALGORITHM_CGRAD, FF_STEP_BATCH, 0, 0, 1.5e-3, 1e-5};
    struct ff_run_settings settings = settings_of(&cgrad, 53);
    settings.solver.step_probe = 0; /* a step an epoch */
    struct ff_run_result whole = run(&scene, &settings, NULL, (struct ff_span){0});
    for (size_t after = 49; after < 52; after++) {
        struct keeper keeper;
        struct ff_run_watch watch = keeper_begin(&keeper, after);
        struct ff_run_result first = run(&scene, &settings, &watch, (struct ff_span){0});
        struct ff_run_result rest = run(&scene, &settings, NULL, keeper_span(&keeper));
        assert_same(&scene, "cgrad", &whole, &rest);
        ff_run_result_dispose(&first);
        ff_run_result_dispose(&rest);
        keeper_dispose(&keeper);
    }
    ff_run_result_dispose(&whole);
    scene_destroy(&scene);
}

/* The bytes that one algorithm saved are not those of another. */
static void test_state_of_another_algorithm_is_refused(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    const struct ff_solver_settings settings = {
        .epochs = 5, .batches = 3, .alpha = 0.5, .step_object = 1, .step_probe = 1};
    for (size_t a = 0; ff_solvers[a] != NULL; a++) {
        struct ff_error error = {0};
        struct ff_buffer bytes;
        ff_buffer_init(&bytes, 4096);
        struct ff_solver *from = ff_solvers[a]->create(scene.problem, &settings, &error);
        assert_non_null(from);
        ff_solvers[a]->save(from, &bytes);
        for (size_t b = 0; ff_solvers[b] != NULL; b++) {
            struct ff_solver *to = ff_solvers[b]->create(scene.problem, &settings, &error);
            assert_non_null(to);
            assert_int_equal(ff_solvers[b]->restore(to, ff_buffer_span(&bytes), &error),
                             a == b ? 0 : -1);
            struct ff_span part = {bytes.data, bytes.size - 1};
            assert_int_equal(ff_solvers[b]->restore(to, part, &error), -1);
            ff_solvers[b]->destroy(to);
        }
        ff_solvers[a]->destroy(from);
        ff_buffer_dispose(&bytes);
    }
    scene_destroy(&scene);
}

/* Transforms of one wave that so many epochs take, on devices of their own. */
static uint64_t transforms_of(const struct scene *scene, const struct ff_run_settings *settings)
{
    struct ff_error error = {0};
    struct ff_cost cost;
    const struct ff_problem *problem = scene->problem;
    const struct ff_solver_operations *algorithm = ff_solver_by_name(settings->algorithm, &error);
    struct ff_solver *solver = algorithm->create(problem, &settings->solver, &error);
    assert_non_null(solver);
    const struct ff_devices_plan plan = {.problem = problem,
                                         .operations = numeric_backend(),
                                         .count = 1,
                                         .modes = problem->modes,
                                         .batch_limit = algorithm->batch_limit(solver),
                                         .needs = algorithm->needs(solver),
                                         .threads = 2};
    struct ff_devices *devices = ff_devices_create(&plan, &error);
    assert_non_null(devices);
    ff_devices_put(devices, FF_OBJECT, problem->object);
    ff_devices_put(devices, FF_PROBE, problem->probe);
    struct ff_random random = ff_random_seed(1);
    for (size_t epoch = 1; epoch <= settings->solver.epochs; epoch++) {
        const struct ff_epoch one = {.number = epoch, .since = epoch, .random = &random};
        algorithm->epoch(solver, devices, &one);
    }
    assert_ok(ff_devices_take_cost(devices, &cost, &error), error);
    uint64_t done = ff_devices_transforms_done(devices);
    ff_devices_destroy(devices);
    algorithm->destroy(solver);
    return done;
}

static void test_transforms_are_as_few_as_can_be(void **state)
{
    (void)state;
    enum { EPOCHS = 60 };
    /* A mode and pattern: of an epoch, and of all epochs beside. */
    static const struct {
        enum ff_algorithm algorithm;
        enum ff_step step;
        uint64_t each, beside;
    } cases[] = {
        {FF_ALGORITHM_LSTSQ, FF_STEP_BATCH, 2, 0},
        {FF_ALGORITHM_LSTSQ, FF_STEP_POSITION, 2, 0},
        {FF_ALGORITHM_RPIE, FF_STEP_BATCH, 2, 0},
        {FF_ALGORITHM_EPIE, FF_STEP_BATCH, 2, 0},
        /* Two steps of two; F at the start and after 50 and 100 steps. */
        {FF_ALGORITHM_CGRAD, FF_STEP_BATCH, 4, 3},
        {FF_ALGORITHM_ML, FF_STEP_BATCH, 4, 0},
        /* The projection, and the cost. */
        {FF_ALGORITHM_DM, FF_STEP_BATCH, 3, 0},
        {FF_ALGORITHM_RAAR, FF_STEP_BATCH, 3, 0},
    };
    struct scene scene;
    scene_create(&scene, shape);
    uint64_t unit = shape.modes * scene.problem->patterns;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct variant variant = {"", cases[i].algorithm, cases[i].step, 0, 0, 0, 0};
        struct ff_run_settings settings = settings_of(&variant, EPOCHS);
        settings.solver.probe_start = 1;
        uint64_t done = transforms_of(&scene, &settings);
        if (done != unit * (EPOCHS * cases[i].each + cases[i].beside))
            fail_msg("%s: %g transforms a mode and pattern", settings.algorithm,
                     (double)done / (double)unit);
    }
    /* The object alone: one step of two an epoch. */
    const struct variant cgrad = {"", FF_ALGORITHM_CGRAD, FF_STEP_BATCH, 0, 0, 0, 0};
    struct ff_run_settings settings = settings_of(&cgrad, EPOCHS);
    settings.solver.step_probe = 0;
    assert_int_equal(transforms_of(&scene, &settings), unit * (2 * EPOCHS + 2));
    scene_destroy(&scene);
}

static void test_divergence_is_an_error_in_words(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    for (size_t i = 0; i < VARIANTS; i++) {
        struct ff_run_settings settings = settings_of(&variants[i], 200);
        struct ff_run_result result;
        struct ff_error error = {0};
        settings.solver.step_object = settings.solver.step_probe = 1e12;
        if (ff_run(scene.problem, &settings, NULL, (struct ff_span){0}, &result, &error) == 0)
            fail_msg("%s did not diverge: cost %g", variants[i].label, result.cost);
        assert_non_null(strstr(error.message, "diverged in epoch"));
    }
    scene_destroy(&scene);
}

/* A cost that is a number, but none that leads to an answer; what was kept before stays. */
static void test_an_exploding_cost_is_an_error(void **state)
{
    (void)state;
    struct scene scene;
    struct keeper keeper;
    struct ff_run_result result;
    struct ff_error error = {0};
    struct ff_run_watch watch = keeper_begin(&keeper, SIZE_MAX);
    scene_create(&scene, shape);
    struct ff_run_settings settings = settings_of(&variants[0], 60);
    settings.algorithm = "rpie";
    settings.solver.step_object = settings.solver.step_probe = 4;
    settings.checkpoint_every = 1;
    if (ff_run(scene.problem, &settings, &watch, (struct ff_span){0}, &result, &error) == 0)
        fail_msg("it did not diverge: cost %g", result.cost);
    assert_int_equal(error.code, FF_TASK_FAILED);
    if (strstr(error.message, "times that of no light at all") == NULL ||
        strstr(error.hint, "; the checkpoint of epoch ") == NULL)
        fail_msg("%s; %s", error.message, error.hint);
    const char *number = strstr(error.message, "epoch ") + strlen("epoch ");
    unsigned long epoch = strtoul(number, NULL, 10);
    unsigned long kept = strtoul(strstr(error.hint, "epoch ") + strlen("epoch "), NULL, 10);
    assert_int_equal(kept, epoch - 1);
    assert_true(keeper_span(&keeper).size > 0);
    keeper_dispose(&keeper);
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm_finds_the_object),
        cmocka_unit_test(test_every_algorithm_finds_the_probe_too),
        cmocka_unit_test(test_threads_do_not_change_a_bit),
        cmocka_unit_test(test_resuming_is_as_if_nothing_happened),
        cmocka_unit_test(test_resuming_where_waves_are_formed_anew),
        cmocka_unit_test(test_state_of_another_algorithm_is_refused),
        cmocka_unit_test(test_transforms_are_as_few_as_can_be),
        cmocka_unit_test(test_divergence_is_an_error_in_words),
        cmocka_unit_test(test_an_exploding_cost_is_an_error),
    };
    shape = numeric_is_slow() ? smaller : shape;
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
