/* What is of the CPU backend alone: its instruction sets, the lanes that it sums in, the memory that it takes. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cpu/state.h"
#include "tests/numeric/figures.h"
#include "tests/numeric/scene.h"

#include <math.h>

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

/* All stages with every instruction set that this CPU has. */
static void test_every_instruction_set_agrees_with_double(void **unused)
{
    (void)unused;
    unsigned with_vector_transform = 0;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand exact;
        bool runs = false;
        const struct ff_kernels *kernels;
        stand_open(&exact, effects, &ff_backend_cpu_double, FIGURES_NEEDS);
        struct figures expected = figures_of(&exact);
        for (unsigned k = 0; (kernels = ff_kernels_at(k, &runs)) != NULL; k++) {
            struct stand stand;
            if (!runs)
                continue;
            stand_open(&stand, effects, &ff_backend_cpu, FIGURES_NEEDS);
            /* The vector transform has loops of its own, which no others can stand in for. */
            with_vector_transform += stand.backend->kernels->vector != NULL;
            if (stand.backend->kernels->vector == NULL && kernels->vector == NULL)
                stand.backend->kernels = kernels;
            struct figures found = figures_of(&stand);
            figures_check(&stand, &found, &expected);
            figures_dispose(&found);
            stand_close(&stand);
        }
        figures_dispose(&expected);
        stand_close(&exact);
    }
    assert_true(with_vector_transform > 0 || ff_kernels_vector() == NULL);
}

/* --- lanes: however many run at once, the bits are the same --- */

enum { GRID = 13, PATTERNS = GRID * GRID };

static const struct scene_shape many = {32, 32, GRID, 5, 2, 2e5, true};
static const struct ff_update update = {0.3, 0.2, 0.9, 0.8, 0, false};

/* Object and probe after a step. */
static ff_complex *step(const struct scene *scene, unsigned threads, unsigned wave)
{
    const struct ff_problem *problem = scene->problem;
    size_t object = problem->object_rows * problem->object_columns;
    size_t probe = many.modes * problem->probe_rows * problem->probe_columns;
    ff_complex *values = calloc(object + probe, sizeof *values);
    uint32_t patterns[PATTERNS];
    for (uint32_t i = 0; i < PATTERNS; i++)
        patterns[i] = PATTERNS - 1 - i;
    struct ff_backend *backend =
        scene_open(scene, &ff_backend_cpu, (struct ff_backend_plan){.threads = threads});
    assert_non_null(values);
    assert_true(backend->lane_count > 4 && backend->wave == backend->lane_count);
    backend->wave = wave > 0 ? wave : backend->wave;
    ff_backend_cpu.gradients(backend, (struct ff_batch){patterns, PATTERNS},
                             FF_WANT_OBJECT | FF_WANT_PROBE);
    ff_backend_cpu.update(backend, &update);
    ff_backend_cpu.get(backend, FF_OBJECT, values);
    ff_backend_cpu.get(backend, FF_PROBE, values + object);
    ff_backend_cpu.destroy(backend);
    return values;
}

static void test_waves_of_lanes_have_the_same_bits(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, many);
    size_t object = scene.problem->object_rows * scene.problem->object_columns;
    size_t count = object + many.modes * scene.problem->rows * scene.problem->columns;
    ff_complex *once = step(&scene, 1, 0);
    assert_memory_not_equal(once, scene.problem->object, object * sizeof *once);
    for (unsigned wave = 1; wave <= 4; wave++) {
        ff_complex *waves = step(&scene, 2, wave);
        assert_memory_equal(once, waves, count * sizeof *once);
        free(waves);
    }
    free(once);
    scene_destroy(&scene);
}

/* A large scan: 8,000 patterns of 256 × 256 in five batches, over an object of 2,042 × 2,042. What is held beside the
 * counts may be a quarter of those, of object and probe, and of what a batch keeps. */
static void test_memory_of_a_large_scan(void **state)
{
    (void)state;
    enum { SCAN = 8000, SIZE = 256, BATCH = SCAN / 5, OBJECT = 2042 };
    static uint32_t patterns[SCAN];
    const struct ff_problem problem = {.patterns = SCAN,
                                       .fly = 1,
                                       .rows = SIZE,
                                       .columns = SIZE,
                                       .probe_rows = SIZE,
                                       .probe_columns = SIZE,
                                       .object_rows = OBJECT,
                                       .object_columns = OBJECT};
    const struct ff_area whole = {0, 0, OBJECT, OBJECT};
    const double pixels = (double)SIZE * SIZE;
    for (uint32_t i = 0; i < SCAN; i++)
        patterns[i] = i;
    for (unsigned needs = 0; needs <= FF_NEED_EXIT; needs += FF_NEED_EXIT) {
        struct ff_error error;
        const struct ff_backend_plan plan = {.problem = &problem,
                                             .patterns = patterns,
                                             .pattern_count = SCAN,
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
        double counts = 2 * SCAN * pixels;
        double needed = counts + 8.0 * OBJECT * OBJECT + 8 * pixels +
                        (needs & FF_NEED_EXIT ? 4 * BATCH * pixels : 0);
        assert_true(counts + (double)ff_backend_cpu.bytes(backend) <= 1.25 * needed);
        ff_backend_cpu.destroy(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_dark_waves_grow_no_more_than_the_bound),
        cmocka_unit_test(test_every_instruction_set_agrees_with_double),
        cmocka_unit_test(test_waves_of_lanes_have_the_same_bits),
        cmocka_unit_test(test_memory_of_a_large_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
