/* Whole runs on pretend devices against the CPU backend, for every algorithm and every effect: within 1e-5 of it after one
 * epoch and within 1e-3 after 20, as roundings that differ drift apart. */
#include "tests/unit/check.h"

#include "tests/numeric/apart.h"
#include "tests/numeric/backend.h"
#include "tests/numeric/effects.h"
#include "tests/numeric/scene.h"

#include <math.h>

static const struct scene_shape shape = {18, 16, 5, 3, 2, 2e5, true};

static const unsigned all_counts[] = {1, 2, 3, 4, 8, 0};
static const unsigned few_counts[] = {1, 3, 0}; /* where the plain case was tried on all */

static const struct {
    size_t epochs;
    double limit;
} lengths[] = {{1, 1e-5}, {20, 1e-3}};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

static struct ff_run_result run_on(const struct ff_problem *problem,
                                   struct ff_run_settings settings,
                                   const struct ff_backend_operations *operations, unsigned devices)
{
    struct ff_run_result result;
    struct ff_error error;
    settings.operations = operations;
    settings.devices = devices;
    if (ff_run(problem, &settings, NULL, (struct ff_span){NULL, 0}, &result, &error) < 0)
        fail_msg("%s on %u devices: %s", settings.algorithm, devices, error.message);
    return result;
}

static void compare(const struct ff_problem *problem, const char *label,
                    const struct ff_run_settings *settings, unsigned devices, double limit,
                    const struct ff_run_result *expected)
{
    const size_t positions = 2 * problem->patterns * problem->fly;
    struct ff_run_result found = run_on(problem, *settings, numeric_backend(), devices);
    double object = apart_complex(found.state->object, expected->state->object,
                                  ff_state_object_elements(problem));
    double probe = apart_complex(found.state->probe, expected->state->probe,
                                 ff_state_probe_elements(problem, expected->state));
    double moved = apart_real(found.state->positions, expected->state->positions, positions);
    print_message("%s, %s, %zu epochs on %u devices: object %.1e, probe %.1e, positions %.1e\n",
                  settings->algorithm, label, settings->solver.epochs, devices, object, probe,
                  moved);
    if (!(object <= limit && probe <= limit && moved <= limit &&
          fabs(found.cost / expected->cost - 1) <= limit))
        fail_msg(
            "%s, %s, after %zu epochs on %u devices: object off by %g, probe %g, positions %g, "
            "cost %g of %g",
            settings->algorithm, label, settings->solver.epochs, devices, object, probe, moved,
            found.cost, expected->cost);
    ff_run_result_dispose(&found);
}

static void compare_all(const struct ff_problem *problem, const char *label,
                        const struct ff_run_settings *settings, const unsigned *counts,
                        double limit)
{
    struct ff_run_result expected = run_on(problem, *settings, &ff_backend_cpu, 1);
    for (size_t i = 0; counts[i] > 0; i++)
        compare(problem, label, settings, counts[i], limit, &expected);
    ff_run_result_dispose(&expected);
}

static void every_algorithm_agrees_on_any_number(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    for (int i = 0; i < FF_ALGORITHMS; i++)
        for (size_t j = 0; j < LENGTHS; j++) {
            struct ff_run_settings settings = algorithm_settings(
                (enum ff_algorithm)i, scene.problem->patterns, lengths[j].epochs);
            compare_all(scene.problem, "plain", &settings, all_counts, lengths[j].limit);
        }
    scene_destroy(&scene);
}

static void every_algorithm_agrees_with_all_refinements(void **state)
{
    (void)state;
    struct scene scene;
    scene_create(&scene, shape);
    scene.problem->travel_px = 1;
    for (int i = 0; i < FF_ALGORITHMS; i++)
        for (size_t j = 0; j < LENGTHS; j++) {
            struct ff_run_settings settings = algorithm_settings(
                (enum ff_algorithm)i, scene.problem->patterns, lengths[j].epochs);
            settings.refine = all_refinements;
            settings.refine.positions_start = 1;
            compare_all(scene.problem, "refined", &settings, few_counts, lengths[j].limit);
        }
    scene_destroy(&scene);
}

static void every_effect_agrees(void **state)
{
    (void)state;
    for (const struct effect *effect = effects; effect->label != NULL; effect++)
        for (size_t j = 0; j < LENGTHS; j++) {
            struct scene scene;
            scene_create(&scene, shape);
            struct ff_run_settings settings = effect_settings(effect, &scene, lengths[j].epochs);
            compare_all(scene.problem, effect->label, &settings, few_counts, lengths[j].limit);
            scene_destroy(&scene);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_agrees_on_any_number),
        cmocka_unit_test(every_algorithm_agrees_with_all_refinements),
        cmocka_unit_test(every_effect_agrees),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
