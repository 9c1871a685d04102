/* The stages of the CPU backend against their formulas. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cpu/kernels.h"
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

/* One device with the whole of the problem. */
static struct ff_backend *open_backend(const struct scene *scene, size_t modes, unsigned threads)
{
    struct ff_error error;
    const struct ff_problem *problem = scene->problem;
    uint32_t patterns[64];
    set_all(patterns, problem->patterns);
    const struct ff_area whole = {0, 0, problem->object_rows, problem->object_columns};
    struct ff_backend_plan plan = {
        .problem = problem,
        .patterns = patterns,
        .pattern_count = problem->patterns,
        .tile = whole,
        .owned = &whole,
        .owned_count = 1,
        .count = 1,
        .modes = modes,
        .batch_limit = problem->patterns,
        .threads = threads,
    };
    struct ff_backend *backend = ff_backend_cpu.create(&plan, &error);
    if (backend == NULL)
        fail_msg("%s", error.message);
    ff_backend_cpu.put_rows(backend, FF_POSITIONS, 0, problem->patterns, problem->positions);
    return backend;
}

/* The sums of a batch, settled among this device alone. */
static void form_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want)
{
    ff_backend_cpu.gradients(backend, batch, want);
    ff_backend_cpu.settle(backend, &backend);
    ff_backend_cpu.spread(backend, &backend);
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
                              const ff_complex *probe, size_t modes)
{
    uint32_t patterns[64];
    struct ff_backend *backend = open_backend(scene, modes, 2);
    struct ff_error error;
    struct ff_cost cost;
    set_all(patterns, scene->problem->patterns);
    ff_backend_cpu.put(backend, FF_OBJECT, object);
    ff_backend_cpu.put(backend, FF_PROBE, probe);
    ff_backend_cpu.cost(backend, (struct ff_batch){patterns, scene->problem->patterns});
    assert_ok(ff_backend_cpu.take_cost(backend, &cost, &error), error);
    ff_backend_cpu.destroy(backend);
    return cost.amplitude;
}

static void check_cost(struct scene_shape shape)
{
    struct scene scene;
    scene_create(&scene, shape);
    double expected = cost_by_definition(&scene, scene.problem->object, scene.probe, shape.modes);
    double found = cost_by_backend(&scene, scene.problem->object, scene.probe, shape.modes);
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
        struct ff_backend *backend = open_backend(&scene, small.modes, 2);
        size_t probe_size = small.modes * problem->rows * problem->columns;
        ff_complex *probe = malloc(probe_size * sizeof *probe);
        assert_non_null(probe);
        const float step = 1e-3f;
        ff_backend_cpu.put(backend, FF_OBJECT, problem->object);
        ff_backend_cpu.put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, batch, FF_WANT_OBJECT | FF_WANT_PROBE);
        const struct ff_update taken = {.alpha_object = 1,
                                        .alpha_probe = 1,
                                        .step_object = probe_too ? 0 : (double)step,
                                        .step_probe = probe_too ? (double)step : 0};
        ff_backend_cpu.update(backend, &taken);
        ff_backend_cpu.get(backend, FF_OBJECT, moved);
        ff_backend_cpu.get(backend, FF_PROBE, probe);
        ff_backend_cpu.destroy(backend);
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
        struct ff_backend *backend = open_backend(&scene, modes, 1);
        ff_backend_cpu.put(backend, FF_OBJECT, problem->object);
        ff_backend_cpu.put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, (struct ff_batch){patterns, problem->patterns}, cases[i].want);
        const struct ff_update taken = {1, 1, of_object, !of_object, 0, false};
        ff_backend_cpu.update(backend, &taken);
        if (of_object)
            ff_backend_cpu.get(backend, FF_OBJECT, moved);
        else
            ff_backend_cpu.get(backend, FF_PROBE, moved);
        ff_backend_cpu.destroy(backend);
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
        struct ff_backend *backend = open_backend(&scene, small.modes, 1);
        struct ff_error error;
        struct ff_cost cost;
        objects[run] = malloc(area * sizeof(ff_complex));
        assert_non_null(objects[run]);
        ff_backend_cpu.put(backend, FF_OBJECT, problem->object);
        ff_backend_cpu.put(backend, FF_PROBE, scene.probe);
        form_gradients(backend, (struct ff_batch){patterns, problem->patterns},
                       FF_WANT_OBJECT | FF_WANT_PROBE);
        assert_ok(ff_backend_cpu.take_cost(backend, &cost, &error), error);
        const struct ff_update taken = {0.1, 0.1, 1, 1, 0, false};
        ff_backend_cpu.update(backend, &taken);
        ff_backend_cpu.get(backend, FF_OBJECT, objects[run]);
        ff_backend_cpu.destroy(backend);
        assert_true(isfinite(cost.amplitude));
    }
    assert_memory_equal(objects[0], objects[1], area * sizeof(ff_complex));
    free(objects[0]);
    free(objects[1]);
    scene_destroy(&scene);
}

/* Every table that this CPU can run, against the plainest one. */
static void test_kernels_agree(void **state)
{
    (void)state;
    enum { ROWS = 5, COLUMNS = 21, WIDTH = 32, STRIDE = 96, AREA = ROWS * WIDTH };
    static float plane[2][(ROWS + 2) * STRIDE];
    static float patch[2][AREA], power[AREA], wave[2 * AREA], expected[2 * AREA];
    static uint16_t counts[ROWS * COLUMNS];
    uint64_t random = 99;
    for (size_t i = 0; i < sizeof plane / sizeof(float); i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        ((float *)plane)[i] = (float)(random >> 40) * 0x1p-24f - 0.5f;
    }
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        counts[i] = (uint16_t)(i * 37 % 500);
    const struct ff_taps taps = {0.75f, 0.25f, 0.4f, 0.6f};
    struct ff_planes object = {plane[0], plane[1], STRIDE};
    struct ff_planes to = {patch[0], patch[1], WIDTH};
    double cost_of_first = 0;
    bool runs = false;
    const struct ff_kernels *kernels;
    unsigned tried = 0;
    for (unsigned k = 0; (kernels = ff_kernels_at(k, &runs)) != NULL; k++) {
        if (!runs)
            continue;
        memset(power, 0, sizeof power);
        kernels->wave->gather(object, taps, ROWS, WIDTH, to, power);
        const struct ff_wave whole = {wave, WIDTH, ROWS, WIDTH};
        kernels->wave->exit_wave(to, to, whole);
        const struct ff_frame frame = {.counts = {counts, NULL},
                                       .rows = ROWS,
                                       .columns = COLUMNS,
                                       .width = WIDTH,
                                       .scale = 0.1f,
                                       .back = 0.01f};
        double cost = kernels->modulus->modulus(&whole, 1, &frame, false).amplitude;
        if (tried++ == 0) {
            memcpy(expected, wave, sizeof wave);
            cost_of_first = cost;
        }
        assert_true(fabs(cost - cost_of_first) < 1e-4 * cost_of_first);
        for (size_t i = 0; i < AREA; i++) {
            const float *found =
                wave + 2 * i - i % kernels->block; /* in blocks, the first in pairs */
            assert_true(fabsf(found[0] - expected[2 * i]) <= 2e-5f * (1 + fabsf(expected[2 * i])));
            assert_true(fabsf(found[kernels->block] - expected[2 * i + 1]) <=
                        2e-5f * (1 + fabsf(expected[2 * i + 1])));
        }
        assert_true(fabsf(power[3] - (patch[0][3] * patch[0][3] + patch[1][3] * patch[1][3])) <
                    1e-6f);
    }
    assert_true(tried >= 1);
}

/* With a bound the wave's factor is no more than that, and what is no number stays none. */
static void test_dark_waves_grow_no_more_than_the_bound(void **state)
{
    (void)state;
    enum { LENGTH = 64, PAIRS = 2 * LENGTH };
    static float wave[PAIRS] __attribute__((aligned(64)));
    static uint16_t counts[LENGTH];
    bool runs = false;
    const struct ff_kernels *kernels;
    for (size_t i = 0; i < LENGTH; i++)
        counts[i] = 100;
    for (unsigned k = 0; (kernels = ff_kernels_at(k, &runs)) != NULL; k++) {
        for (int bounded = 0; runs && bounded < 2; bounded++) {
            const struct ff_wave whole = {wave, LENGTH, 1, LENGTH};
            const struct ff_frame frame = {.counts = {counts, NULL},
                                           .rows = 1,
                                           .columns = LENGTH,
                                           .width = LENGTH,
                                           .scale = 1,
                                           .back = 0.5f,
                                           .bound = bounded ? FF_CHI_BOUND : 0};
            for (size_t i = 0; i < PAIRS; i++)
                wave[i] = i / kernels->block % 2 == 0 ? 0.01f : 0;
            wave[0] = NAN;
            (void)kernels->modulus->modulus(&whole, 1, &frame, false);
            float dark = bounded ? 0.5f * FF_CHI_BOUND * 0.01f : 0.5f * (10 - 0.01f);
            assert_true(isnan(wave[0]));
            assert_true(fabsf(wave[2 * kernels->block] - dark) < 1e-4f * dark);
        }
    }
}

/* A large scan: 8,000 patterns of 256 × 256 in five batches, over an object of 2,042 × 2,042. What is held beside the
 * counts may be a quarter of those, of object and probe, and of what a batch keeps. */
static void test_memory_of_a_large_scan(void **state)
{
    (void)state;
    enum { PATTERNS = 8000, SIZE = 256, BATCH = PATTERNS / 5, OBJECT = 2042 };
    static uint32_t patterns[PATTERNS];
    const struct ff_problem problem = {.patterns = PATTERNS,
                                       .fly = 1,
                                       .rows = SIZE,
                                       .columns = SIZE,
                                       .probe_rows = SIZE,
                                       .probe_columns = SIZE,
                                       .object_rows = OBJECT,
                                       .object_columns = OBJECT};
    const struct ff_area whole = {0, 0, OBJECT, OBJECT};
    const double pixels = (double)SIZE * SIZE;
    set_all(patterns, PATTERNS);
    for (unsigned needs = 0; needs <= FF_NEED_EXIT; needs += FF_NEED_EXIT) {
        struct ff_error error;
        const struct ff_backend_plan plan = {.problem = &problem,
                                             .patterns = patterns,
                                             .pattern_count = PATTERNS,
                                             .tile = whole,
                                             .owned = &whole,
                                             .owned_count = 1,
                                             .count = 1,
                                             .modes = 1,
                                             .batch_limit = BATCH,
                                             .needs = needs,
                                             .threads = 2};
        struct ff_backend *backend = ff_backend_cpu.create(&plan, &error);
        if (backend == NULL)
            fail_msg("%s", error.message);
        double counts = 2 * PATTERNS * pixels;
        double needed = counts + 8.0 * OBJECT * OBJECT + 8 * pixels +
                        (needs & FF_NEED_EXIT ? 4 * BATCH * pixels : 0);
        assert_true(counts + (double)ff_backend_cpu.bytes(backend) <= 1.25 * needed);
        ff_backend_cpu.destroy(backend);
    }
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
    struct ff_backend *backend = open_backend(&scene, odd.modes, 1);
    ff_backend_cpu.put(backend, FF_OBJECT, problem->object);
    ff_backend_cpu.put(backend, FF_PROBE, scene.probe);
    ff_backend_cpu.put_rows(backend, FF_POSITIONS, 2, 4, wild);
    ff_backend_cpu.get_rows(backend, FF_POSITIONS, 2, 4, got);
    assert_memory_equal(got, kept, sizeof kept);
    set_all(patterns, problem->patterns);
    form_gradients(backend, (struct ff_batch){patterns, problem->patterns},
                   FF_WANT_OBJECT | FF_WANT_PROBE);
    assert_ok(ff_backend_cpu.take_cost(backend, &cost, &error), error);
    assert_true(isfinite(cost.amplitude));
    ff_backend_cpu.destroy(backend);
    scene_destroy(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_is_the_formula),
        cmocka_unit_test(test_gradient_is_the_derivative_of_the_cost),
        cmocka_unit_test(test_gradient_points_the_right_way_at_single_pixels),
        cmocka_unit_test(test_what_lies_under_the_mask_changes_nothing),
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_dark_waves_grow_no_more_than_the_bound),
        cmocka_unit_test(test_memory_of_a_large_scan),
        cmocka_unit_test(test_positions_stay_inside_of_the_tile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
