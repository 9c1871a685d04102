/* Costs, steps and terms of a backend against their formulas. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/scene.h"

#include <complex.h>
#include <math.h>

static const struct scene_shape small = {32, 32, 4, 5, 2, 2e5, false};
static const struct scene_shape odd = {30, 37, 3, 6, 1, 2e5, true};

static void set_all(uint32_t *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        patterns[i] = (uint32_t)i;
}

static struct ff_backend *open_backend(const struct scene *scene)
{
    return scene_open(scene, numeric_backend(), (struct ff_backend_plan){.threads = 2});
}

/* The sums of a batch, settled among this device alone. */
static void form_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want)
{
    numeric_backend()->gradients(backend, batch, want);
    numeric_backend()->settle(backend, &backend);
    numeric_backend()->spread(backend, &backend);
}

static double cost_by_definition(const struct scene *scene, const ff_complex *object,
                                 const ff_complex *probe, size_t modes)
{
    const struct ff_problem *problem = scene->problem;
    size_t pixels = problem->rows * problem->columns;
    double *intensity = malloc(pixels * sizeof *intensity);
    assert_non_null(intensity);
    double cost = 0;
    for (size_t n = 0; n < problem->patterns; n++) {
        scene_intensity(problem, object, probe, modes, n, intensity);
        for (size_t i = 0; i < pixels; i++) {
            size_t at = n * pixels + i;
            double counts = problem->counts.u16 != NULL ? (double)problem->counts.u16[at]
                                                        : (double)problem->counts.f32[at];
            double error = sqrt(intensity[i]) - sqrt(counts);
            cost += problem->measured == NULL || problem->measured[i] ? error * error : 0;
        }
    }
    free(intensity);
    return cost;
}

static double cost_by_backend(const struct scene *scene, const ff_complex *object,
                              const ff_complex *probe)
{
    uint32_t patterns[64];
    struct ff_backend *backend = open_backend(scene);
    struct ff_error error;
    struct ff_cost cost;
    set_all(patterns, scene->problem->patterns);
    numeric_backend()->put(backend, FF_OBJECT, object);
    numeric_backend()->put(backend, FF_PROBE, probe);
    numeric_backend()->cost(backend, (struct ff_batch){patterns, scene->problem->patterns});
    assert_ok(numeric_backend()->take_cost(backend, &cost, &error), error);
    numeric_backend()->destroy(backend);
    return cost.amplitude;
}

static void check_cost(struct scene_shape shape)
{
    struct scene scene;
    scene_create(&scene, shape);
    double expected = cost_by_definition(&scene, scene.problem->object, scene.probe, shape.modes);
    double found = cost_by_backend(&scene, scene.problem->object, scene.probe);
    assert_true(expected > 1);
    assert_true(fabs(found - expected) < 1e-4 * expected);
    scene_destroy(&scene);
}

static void test_cost_is_the_formula(void **state)
{
    (void)state;
    check_cost(small);
    check_cost(odd);
}

/* The step that update() takes with α = 1 along the object's gradient is N_O / max W; so the object
 * moves by -∇f/2 up to that factor, and the cost falls by the product of both, to first order. */
static void test_gradient_is_the_derivative_of_the_cost(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, small);
    const struct ff_problem *problem = scene.problem;
    size_t area = problem->object_rows * problem->object_columns;
    uint32_t patterns[64];
    set_all(patterns, problem->patterns);
    struct ff_batch batch = {patterns, problem->patterns};
    ff_complex *moved = malloc(area * sizeof *moved);
    assert_non_null(moved);
    for (int probe_too = 0; probe_too < 2; probe_too++) {
        struct ff_backend *backend = open_backend(&scene);
        size_t probe_size = small.modes * problem->rows * problem->columns;
        ff_complex *probe = malloc(probe_size * sizeof *probe);
        assert_non_null(probe);
        const float step = 1e-3f;
        numeric_backend()->put(backend, FF_OBJECT, problem->object);
        numeric_backend()->put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, batch, FF_WANT_OBJECT | FF_WANT_PROBE);
        const struct ff_update taken = {.alpha_object = 1,
                                        .alpha_probe = 1,
                                        .step_object = probe_too ? 0 : (double)step,
                                        .step_probe = probe_too ? (double)step : 0};
        numeric_backend()->update(backend, &taken);
        numeric_backend()->get(backend, FF_OBJECT, moved);
        numeric_backend()->get(backend, FF_PROBE, probe);
        numeric_backend()->destroy(backend);
        double before = cost_by_definition(&scene, problem->object, scene.probe, small.modes);
        double after = cost_by_definition(&scene, moved, probe, small.modes);
        double fall = before - after;
        /* The fall is <2 N, d> to first order, so half the step is half the fall. */
        assert_true(fall > 0);
        for (size_t i = 0; i < area; i++)
            moved[i] = problem->object[i] + 0.5f * (moved[i] - problem->object[i]);
        for (size_t i = 0; i < probe_size; i++)
            probe[i] = scene.probe[i] + 0.5f * (probe[i] - scene.probe[i]);
        double half = before - cost_by_definition(&scene, moved, probe, small.modes);
        assert_true(fabs(half / fall - 0.5) < 0.02);
        free(probe);
    }
    free(moved);
    scene_destroy(&scene);
}

/*
 * The step of a value, taken with α = 1, against the derivative of the cost by its real and imaginary part: it is
 * -slope / (2 max of the weights), with one factor for all values of an array. `values` is the scene's object or
 * probe, from where the step to `moved` was taken.
 */
static void check_steps(const struct scene *scene, size_t modes, ff_complex *values,
                        const ff_complex *moved, const size_t *places, size_t count)
{
    double scale = 0;
    for (size_t k = 0; k < count; k++) {
        ff_complex kept = values[places[k]];
        ff_complex step = moved[places[k]] - kept;
        const float h = 2e-3f * cabsf(kept);
        double slope[2];
        for (int part = 0; part < 2; part++) {
            ff_complex nudge = part == 0 ? h : h * (ff_complex)I;
            values[places[k]] = kept + nudge;
            double up = cost_by_definition(scene, scene->problem->object, scene->probe, modes);
            values[places[k]] = kept - nudge;
            double down = cost_by_definition(scene, scene->problem->object, scene->probe, modes);
            slope[part] = (up - down) / (2 * (double)h);
        }
        values[places[k]] = kept;
        double size = hypot(slope[0], slope[1]);
        double along = -(slope[0] * (double)crealf(step) + slope[1] * (double)cimagf(step)) / size;
        if (k == 0)
            scale = along / size;
        assert_true(fabs(along / size - scale) < 0.02 * scale);
        assert_true(fabs(along - (double)cabsf(step)) < 0.02 * (double)cabsf(step));
    }
}

static void test_gradient_points_the_right_way_at_single_pixels(void **state)
{
    (void)state;
    const struct {
        struct scene_shape shape;
        unsigned want;
    } cases[] = {{odd, FF_WANT_OBJECT}, {small, FF_WANT_PROBE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        scene_create(&scene, cases[i].shape);
        const struct ff_problem *problem = scene.problem;
        size_t modes = cases[i].shape.modes;
        size_t area = problem->object_rows * problem->object_columns;
        size_t pixels = problem->rows * problem->columns;
        bool of_object = cases[i].want == FF_WANT_OBJECT;
        ff_complex *moved = malloc((of_object ? area : modes * pixels) * sizeof *moved);
        assert_non_null(moved);
        for (size_t k = 0; k < area; k++) /* complex, and not yet the answer */
            problem->object[k] = 0.5f * (1 + scene.object[k]);
        uint32_t patterns[64];
        set_all(patterns, problem->patterns);
        struct ff_backend *backend = open_backend(&scene);
        numeric_backend()->put(backend, FF_OBJECT, problem->object);
        numeric_backend()->put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, (struct ff_batch){patterns, problem->patterns}, cases[i].want);
        const struct ff_update taken = {1, 1, of_object, !of_object, 0, false};
        numeric_backend()->update(backend, &taken);
        if (of_object)
            numeric_backend()->get(backend, FF_OBJECT, moved);
        else
            numeric_backend()->get(backend, FF_PROBE, moved);
        numeric_backend()->destroy(backend);
        size_t width = of_object ? problem->object_columns : problem->columns;
        size_t middle = (of_object ? problem->object_rows : problem->rows) / 2;
        size_t places[6];
        for (size_t k = 0; k < 6; k++) /* the last three in the last mode of a probe */
            places[k] = (middle + k) * width + width / 2 - 2 * k - 1 +
                        (of_object || k < 3 ? 0 : (modes - 1) * pixels);
        check_steps(&scene, modes, of_object ? problem->object : scene.probe, moved, places, 6);
        free(moved);
        scene_destroy(&scene);
    }
}

static void test_what_lies_under_the_mask_changes_nothing(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, small);
    struct ff_problem *problem = scene.problem;
    size_t pixels = problem->rows * problem->columns;
    size_t area = problem->object_rows * problem->object_columns;
    uint32_t patterns[64];
    ff_complex *objects[2];
    float *counts = (float *)(uintptr_t)problem->counts.f32;
    set_all(patterns, problem->patterns);
    problem->measured = malloc(pixels);
    assert_non_null(problem->measured);
    for (size_t i = 0; i < pixels; i++)
        problem->measured[i] = i % 7 != 3;
    for (int run = 0; run < 2; run++) {
        for (size_t i = 0; run == 1 && i < problem->patterns * pixels; i++)
            if (!problem->measured[i % pixels])
                counts[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -5e30f : INFINITY;
        struct ff_backend *backend = open_backend(&scene);
        struct ff_error error;
        struct ff_cost cost;
        objects[run] = malloc(area * sizeof(ff_complex));
        assert_non_null(objects[run]);
        numeric_backend()->put(backend, FF_OBJECT, problem->object);
        numeric_backend()->put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, (struct ff_batch){patterns, problem->patterns},
                       FF_WANT_OBJECT | FF_WANT_PROBE);
        assert_ok(numeric_backend()->take_cost(backend, &cost, &error), error);
        const struct ff_update taken = {0.1, 0.1, 1, 1, 0, false};
        numeric_backend()->update(backend, &taken);
        numeric_backend()->get(backend, FF_OBJECT, objects[run]);
        numeric_backend()->destroy(backend);
        assert_true(isfinite(cost.amplitude));
    }
    assert_memory_equal(objects[0], objects[1], area * sizeof(ff_complex));
    free(objects[0]);
    free(objects[1]);
    scene_destroy(&scene);
}

/* Positions that no patch can have do no harm. */
static void test_positions_stay_inside_of_the_tile(void **state)
{
    (void)state;
    struct scene scene;
    uint32_t patterns[64];
    scene_create(&scene, odd);
    const struct ff_problem *problem = scene.problem;
    const double most[2] = {(double)(problem->object_rows - problem->rows - 1),
                            (double)(problem->object_columns - problem->columns - 1)};
    const double wild[][2] = {
        {NAN, INFINITY}, {-3, 1e300}, {-INFINITY, most[1] + 0.5}, {1e9, -1e-9}};
    const double kept[][2] = {{0, most[1]}, {0, most[1]}, {0, most[1]}, {most[0], 0}};
    double got[4][2];
    struct ff_cost cost;
    struct ff_error error;
    struct ff_backend *backend = open_backend(&scene);
    numeric_backend()->put(backend, FF_OBJECT, problem->object);
    numeric_backend()->put(backend, FF_PROBE, scene.probe);
    numeric_backend()->put_rows(backend, FF_POSITIONS, 2, 4, wild);
    numeric_backend()->get_rows(backend, FF_POSITIONS, 2, 4, got);
    assert_memory_equal(got, kept, sizeof kept);
    set_all(patterns, problem->patterns);
    form_gradients(backend, (struct ff_batch){patterns, problem->patterns},
                   FF_WANT_OBJECT | FF_WANT_PROBE);
    assert_ok(numeric_backend()->take_cost(backend, &cost, &error), error);
    assert_true(isfinite(cost.amplitude));
    numeric_backend()->destroy(backend);
    scene_destroy(&scene);
}

/* --- the second pass of LSQ-ML over a part of a batch --- */

static const struct scene_shape many = {32, 32, 13, 5, 2, 2e5, true};

/* Every third pattern, or all of them, the last one first. */
static struct ff_batch batch_of(uint32_t *room, size_t patterns, size_t every)
{
    size_t count = 0;
    for (size_t i = 0; i < patterns; i += every)
        room[count++] = (uint32_t)(patterns - 1 - i);
    return (struct ff_batch){room, count};
}

/* FF_TERMS_STEPS of `sample`, of which and no others χ_0 is kept. */
static double *terms_of(const struct scene *scene, struct ff_batch sample)
{
    static const struct ff_update update = {0.3, 0.2, 0.9, 0.8, 0, false};
    const struct ff_backend_operations *operations = numeric_backend();
    size_t patterns = scene->problem->patterns;
    double *terms = calloc(patterns * ff_terms_width(FF_TERMS_STEPS, 1, 0), sizeof *terms);
    uint32_t room[169];
    assert_non_null(terms);
    struct ff_backend *backend = scene_open(
        scene, operations,
        (struct ff_backend_plan){.exit_limit = sample.count, .needs = FF_NEED_EXIT, .threads = 2});
    operations->sample(backend, sample);
    form_gradients(backend, batch_of(room, patterns, 1),
                   FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_EXIT);
    operations->normalise(backend, &update);
    operations->fit(backend, sample);
    operations->get_terms(backend, FF_TERMS_STEPS, terms);
    operations->destroy(backend);
    return terms;
}

static void test_a_sample_has_the_terms_of_the_batch(void **state)
{
    (void)state;
    struct scene scene;
    uint32_t all[169];
    uint32_t some[169];
    size_t width = ff_terms_width(FF_TERMS_STEPS, 1, 0);
    scene_create(&scene, many);
    double *whole = terms_of(&scene, batch_of(all, scene.problem->patterns, 1));
    struct ff_batch sample = batch_of(some, scene.problem->patterns, 3);
    double *part = terms_of(&scene, sample);
    for (size_t i = 0; i < sample.count; i++) {
        const double *row = whole + sample.patterns[i] * width;
        assert_true(row[0] > 0 && row[4] != 0);
        assert_memory_equal(row, part + sample.patterns[i] * width, width * sizeof *row);
    }
    free(whole);
    free(part);
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_is_the_formula),
        cmocka_unit_test(test_gradient_is_the_derivative_of_the_cost),
        cmocka_unit_test(test_gradient_points_the_right_way_at_single_pixels),
        cmocka_unit_test(test_what_lies_under_the_mask_changes_nothing),
        cmocka_unit_test(test_positions_stay_inside_of_the_tile),
        cmocka_unit_test(test_a_sample_has_the_terms_of_the_batch),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
