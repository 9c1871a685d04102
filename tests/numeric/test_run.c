/* Whole reconstructions: known answer, the same bits for any number of threads, and after an
 * interruption. */
#include "tests/unit/check.h"

#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/run.h"
#include "protocol/core/file.h"
#include "tests/numeric/backend.h"
#include "tests/numeric/keep.h"
#include "tests/numeric/scene.h"

#include <math.h>
#include <stdlib.h>

static const struct scene_shape shape = {32, 32, 9, 4, 2, 1e6, false};

static struct ff_run_settings settings_of(size_t epochs, unsigned threads)
{
    return (struct ff_run_settings){
        .algorithm = "rpie",
        .solver = {.epochs = epochs,
                   .batches = 3,
                   .alpha = 0.05,
                   .step_object = 1,
                   .step_probe = 1,
                   .probe_start = 2},
        .seed = 7,
        .operations = numeric_backend(),
        .devices = 1,
        .threads = threads,
    };
}

static struct ff_run_result run(const struct scene *scene, struct ff_run_settings settings,
                                const struct ff_run_watch *watch, struct ff_span resume)
{
    struct ff_run_result result;
    struct ff_error error;
    assert_ok(ff_run(scene->problem, &settings, watch, resume, &result, &error), error);
    return result;
}

static void assert_same(const struct scene *scene, const struct ff_run_result *a,
                        const struct ff_run_result *b)
{
    const struct ff_problem *problem = scene->problem;
    assert_memory_equal(a->state->object, b->state->object,
                        problem->object_rows * problem->object_columns * sizeof(ff_complex));
    assert_memory_equal(a->state->probe, b->state->probe,
                        a->state->modes * problem->rows * problem->columns * sizeof(ff_complex));
    assert_int_equal(a->epochs, b->epochs);
    assert_memory_equal(a->costs, b->costs, a->epochs * sizeof(double));
}

static void test_known_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct ff_run_settings settings = settings_of(60, 2);
    settings.solver.step_probe = 0; /* the probe is known */
    settings.solver.alpha = 0.3;
    struct ff_run_result result = run(&scene, settings, NULL, (struct ff_span){0});
    assert_true(result.costs[59] < 5e-3 * result.costs[0]);
    double error = scene_object_error(&scene, result.state->object);
    if (error > 0.01)
        fail_msg("object error %g", error);
    ff_run_result_dispose(&result);
    scene_destroy(&scene);
}

static void test_threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct ff_run_result one = run(&scene, settings_of(5, 1), NULL, (struct ff_span){0});
    for (unsigned threads = 2; threads <= 3; threads++) {
        struct ff_run_result more = run(&scene, settings_of(5, threads), NULL, (struct ff_span){0});
        assert_same(&scene, &one, &more);
        ff_run_result_dispose(&more);
    }
    assert_int_equal(one.end, FF_RUN_DONE);
    ff_run_result_dispose(&one);
    scene_destroy(&scene);
}

/* A run that is told to yield after so many epochs, and its checkpoint in memory. */
static struct ff_run_result run_until(const struct scene *scene, struct ff_run_settings settings,
                                      struct keeper *keeper, size_t epochs)
{
    const struct ff_run_watch watch = keeper_begin(keeper, epochs);
    return run(scene, settings, &watch, (struct ff_span){0});
}

static void test_resuming_is_as_if_nothing_happened(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct ff_run_result whole = run(&scene, settings_of(8, 2), NULL, (struct ff_span){0});
    for (size_t after = 1; after < 8; after += 2) {
        struct keeper keeper;
        struct ff_run_result first = run_until(&scene, settings_of(8, 2), &keeper, after);
        assert_int_equal(first.end, FF_RUN_YIELDED);
        assert_int_equal(first.epochs, after);
        ff_run_result_dispose(&first);
        struct ff_run_result rest = run(&scene, settings_of(8, 1), NULL, keeper_span(&keeper));
        assert_int_equal(rest.resumed_at, after);
        assert_same(&scene, &whole, &rest);
        ff_run_result_dispose(&rest);
        keeper_dispose(&keeper);
    }
    ff_run_result_dispose(&whole);
    scene_destroy(&scene);
}

static void hear(void *user, const char *text)
{
    bool *rounded = user;
    *rounded = *rounded || strstr(text, "not bit for bit") != NULL;
}

/* The plans of the transforms lie in the checkpoint: a run goes on with the same bits where the
 * cache folder with the measured ones is gone, or has others. */
static void test_resuming_needs_no_cache_folder(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    char folder[] = "/tmp/farfield-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct ff_run_settings measured = settings_of(8, 2);
    measured.cache_folder = folder;
    struct ff_run_result whole = run(&scene, measured, NULL, (struct ff_span){0});
    struct keeper keeper;
    struct ff_run_result first = run_until(&scene, measured, &keeper, 3);
    ff_run_result_dispose(&first);
    struct ff_error error;
    assert_ok(ff_folder_remove(folder, &error), error);

    bool rounded = false;
    struct ff_run_watch listener = {.user = &rounded, .note = hear};
    struct ff_run_result rest = run(&scene, settings_of(8, 2), &listener, keeper_span(&keeper));
    assert_false(rounded);
    assert_same(&scene, &whole, &rest);
    ff_run_result_dispose(&rest);
    ff_run_result_dispose(&whole);
    keeper_dispose(&keeper);
    scene_destroy(&scene);
}

static void assert_refused(const struct scene *scene, struct ff_run_settings settings,
                           struct ff_span bytes, const char *word)
{
    struct ff_run_result result;
    struct ff_error error = {0};
    assert_int_equal(ff_run(scene->problem, &settings, NULL, bytes, &result, &error), -1);
    assert_int_equal(error.code, FF_INPUT_INVALID);
    if (strstr(error.message, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, word);
}

static void test_other_checkpoints_are_refused_with_the_difference(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct keeper keeper;
    struct ff_run_result first = run_until(&scene, settings_of(4, 1), &keeper, 2);
    ff_run_result_dispose(&first);
    struct ff_span kept = keeper_span(&keeper);
    struct ff_run_settings other = settings_of(4, 1);
    other.seed = 8;
    assert_refused(&scene, other, kept, "seed");
    other = settings_of(4, 1);
    other.solver.alpha = 0.06;
    assert_refused(&scene, other, kept, "alpha");
    assert_refused(&scene, settings_of(1, 1), kept, "epochs");
    assert_refused(&scene, settings_of(4, 1), (struct ff_span){kept.data, kept.size - 1}, "short");
    assert_refused(&scene, settings_of(4, 1), (struct ff_span){kept.data, 20}, "short");
    keeper.kept.data[kept.size - 9] ^= 4;
    assert_refused(&scene, settings_of(4, 1), kept, "damaged");
    keeper.kept.data[0] = 'x';
    assert_refused(&scene, settings_of(4, 1), kept, "no checkpoint");
    keeper.kept.data[0] = 'F';
    scene.problem->digest.bytes[0] ^= 1;
    assert_refused(&scene, settings_of(4, 1), kept, "input file");
    keeper_dispose(&keeper);
    scene_destroy(&scene);
}

static enum ff_run_order stop_at_once(void *user)
{
    (void)user;
    return FF_RUN_STOP;
}

static void test_stop_and_time_limit_keep_the_result(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct ff_run_watch watch = {.asked = stop_at_once};
    struct ff_run_result stopped = run(&scene, settings_of(100, 1), &watch, (struct ff_span){0});
    assert_int_equal(stopped.end, FF_RUN_ASKED);
    assert_int_equal(stopped.epochs, 1);
    assert_true(isfinite(stopped.cost) && stopped.cost > 0);
    struct ff_run_settings limited = settings_of(100000, 1);
    limited.time_limit_s = 1e-6;
    struct ff_run_result timed = run(&scene, limited, NULL, (struct ff_span){0});
    assert_int_equal(timed.end, FF_RUN_TIME);
    assert_int_equal(timed.epochs, 1);
    ff_run_result_dispose(&stopped);
    ff_run_result_dispose(&timed);
    scene_destroy(&scene);
}

static void test_divergence_is_an_error_in_words(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    struct ff_run_settings settings = settings_of(200, 1);
    settings.solver.step_object = 1e12;
    settings.solver.step_probe = 1e12;
    struct ff_run_result result;
    struct ff_error error = {0};
    assert_int_equal(ff_run(scene.problem, &settings, NULL, (struct ff_span){0}, &result, &error),
                     -1);
    assert_non_null(strstr(error.message, "diverged in epoch"));
    assert_non_null(strstr(error.hint, "step_object"));
    /* In the very last step, which no epoch comes after. */
    settings.solver.epochs = settings.solver.batches = 1;
    settings.solver.step_object = 1e30;
    error = (struct ff_error){0};
    assert_int_equal(ff_run(scene.problem, &settings, NULL, (struct ff_span){0}, &result, &error),
                     -1);
    assert_non_null(strstr(error.message, "diverged in epoch 1"));
    scene_destroy(&scene);
}

/* Mixing back to orthogonal modes leaves Σ|P_m|² of every pixel as it was, and sorts by power. */
static void test_modes_become_orthogonal(void **state)
{
    (void)state;
    enum { MODES = 4, PIXELS = 200 };
    static ff_complex probe[MODES * PIXELS];
    static float light[PIXELS];
    struct ff_error error;
    struct ff_random random = ff_random_seed(3);
    float *values = (float *)probe;
    for (size_t i = 0; i < 2 * MODES * PIXELS; i++)
        values[i] = (float)ff_random_unit(&random);
    for (size_t i = 0; i < 2 * MODES * PIXELS; i++)
        light[i / 2 % PIXELS] += values[i] * values[i];
    assert_ok(ff_modes_orthogonalise(probe, MODES, PIXELS, &error), error);
    double last = INFINITY;
    for (size_t a = 0; a < MODES; a++) {
        double power = ff_modes_power(probe + a * PIXELS, PIXELS);
        assert_true(power <= last);
        last = power;
        for (size_t b = 0; b < a; b++) {
            double re = 0;
            double im = 0;
            for (size_t i = 0; i < PIXELS; i++) {
                const float *x = (const float *)&probe[a * PIXELS + i];
                const float *y = (const float *)&probe[b * PIXELS + i];
                re += (double)(x[0] * y[0] + x[1] * y[1]);
                im += (double)(x[0] * y[1] - x[1] * y[0]);
            }
            assert_true(hypot(re, im) < 1e-4);
        }
    }
    for (size_t i = 0; i < 2 * MODES * PIXELS; i++)
        light[i / 2 % PIXELS] -= values[i] * values[i];
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(fabsf(light[i]) < 1e-4f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_threads_do_not_change_a_bit),
        cmocka_unit_test(test_resuming_is_as_if_nothing_happened),
        cmocka_unit_test(test_resuming_needs_no_cache_folder),
        cmocka_unit_test(test_other_checkpoints_are_refused_with_the_difference),
        cmocka_unit_test(test_stop_and_time_limit_keep_the_result),
        cmocka_unit_test(test_divergence_is_an_error_in_words),
        cmocka_unit_test(test_modes_become_orthogonal),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
