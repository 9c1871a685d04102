/* Batches of many patterns: however many lanes run at once, and whatever part of the exit waves is kept, the bits are
 * the same. */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cpu/state.h"
#include "tests/numeric/scene.h"

#include <stdlib.h>
#include <string.h>

enum { GRID = 13, PATTERNS = GRID * GRID, EVERY = 3, SAMPLE = (PATTERNS + EVERY - 1) / EVERY };

static const struct scene_shape shape = {32, 32, GRID, 5, 2, 2e5, true};
static const struct ff_update update = {0.3, 0.2, 0.9, 0.8, 0, false};

static struct ff_backend *open_backend(const struct scene *scene, unsigned threads,
                                       size_t exit_limit)
{
    struct ff_error error;
    const struct ff_problem *problem = scene->problem;
    const struct ff_area whole = {0, 0, problem->object_rows, problem->object_columns};
    uint32_t patterns[PATTERNS];
    for (uint32_t i = 0; i < PATTERNS; i++)
        patterns[i] = i;
    const struct ff_backend_plan plan = {
        .problem = problem,
        .patterns = patterns,
        .pattern_count = PATTERNS,
        .tile = whole,
        .owned = &whole,
        .owned_count = 1,
        .count = 1,
        .modes = shape.modes,
        .batch_limit = PATTERNS,
        .exit_limit = exit_limit,
        .needs = FF_NEED_EXIT,
        .threads = threads,
    };
    struct ff_backend *backend = ff_backend_cpu.create(&plan, &error);
    if (backend == NULL)
        fail_msg("%s", error.message);
    ff_backend_cpu.put_rows(backend, FF_POSITIONS, 0, PATTERNS, problem->positions);
    ff_backend_cpu.put(backend, FF_OBJECT, problem->object);
    ff_backend_cpu.put(backend, FF_PROBE, problem->probe);
    return backend;
}

/* Every third pattern in some other order, or all of them. */
static struct ff_batch batch_of(uint32_t *room, size_t every)
{
    size_t count = 0;
    for (uint32_t i = 0; i < PATTERNS; i++)
        if (i % every == 0)
            room[count++] = PATTERNS - 1 - i;
    return (struct ff_batch){room, count};
}

/* Object and probe after a step. */
static ff_complex *step(const struct scene *scene, unsigned threads, unsigned wave)
{
    const struct ff_problem *problem = scene->problem;
    size_t object = problem->object_rows * problem->object_columns;
    size_t probe = shape.modes * problem->probe_rows * problem->probe_columns;
    ff_complex *values = calloc(object + probe, sizeof *values);
    uint32_t room[PATTERNS];
    struct ff_backend *backend = open_backend(scene, threads, 0);
    assert_non_null(values);
    assert_true(backend->lane_count > 4 && backend->wave == backend->lane_count);
    backend->wave = wave > 0 ? wave : backend->wave;
    ff_backend_cpu.gradients(backend, batch_of(room, 1), FF_WANT_OBJECT | FF_WANT_PROBE);
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
    scene_create(&scene, shape);
    size_t object = scene.problem->object_rows * scene.problem->object_columns;
    size_t count = object + shape.modes * scene.problem->rows * scene.problem->columns;
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

/* FF_TERMS_STEPS of `sample`, of which and no others χ_0 is kept. */
static double *terms_of(const struct scene *scene, struct ff_batch sample)
{
    size_t width = ff_terms_width(FF_TERMS_STEPS, 1, 0);
    double *terms = calloc(PATTERNS * width, sizeof *terms);
    uint32_t room[PATTERNS];
    struct ff_backend *backend = open_backend(scene, 2, sample.count);
    assert_non_null(terms);
    ff_backend_cpu.sample(backend, sample);
    ff_backend_cpu.gradients(backend, batch_of(room, 1),
                             FF_WANT_OBJECT | FF_WANT_PROBE | FF_WANT_EXIT);
    ff_backend_cpu.normalise(backend, &update);
    ff_backend_cpu.fit(backend, sample);
    ff_backend_cpu.get_terms(backend, FF_TERMS_STEPS, terms);
    ff_backend_cpu.destroy(backend);
    return terms;
}

static void test_a_sample_has_the_terms_of_the_batch(void **state)
{
    (void)state;
    struct scene scene;
    uint32_t all[PATTERNS];
    uint32_t some[PATTERNS];
    size_t width = ff_terms_width(FF_TERMS_STEPS, 1, 0);
    scene_create(&scene, shape);
    double *whole = terms_of(&scene, batch_of(all, 1));
    struct ff_batch sample = batch_of(some, EVERY);
    assert_int_equal(sample.count, SAMPLE);
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
        cmocka_unit_test(test_waves_of_lanes_have_the_same_bits),
        cmocka_unit_test(test_a_sample_has_the_terms_of_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
