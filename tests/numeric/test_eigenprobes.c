/* A probe that varies over the scan: with any number of eigenprobes every algorithm explains a simulated scan no worse
 * than without, and much better one whose probe did vary. */
#include "tests/unit/check.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/refine/eigenprobes.h"
#include "functions/reconstruct/run_settings.h"
#include "functions/simulate/measurement.h"

#include <stdio.h>

static const char *const algorithms[] = {"lstsq", "step=position", "rpie", "epie", "cgrad", "ml",
                                         "dm",    "raar",          NULL};

/* Two eigenprobes of `percent`, where it is not 0. */
static struct ff_problem *scan(double percent)
{
    static struct ff_simulate_settings scan;
    struct ff_error error = {0};
    struct ff_measurement measurement;
    ff_options_dispose(&ff_simulate_table, &scan);
    assert_ok(ff_options_init(&ff_simulate_table, &scan, &error), error);
    scan.size = 32;
    scan.patterns = 144;
    scan.counts = 1e5;
    scan.eigenprobes = percent > 0 ? 2 : 0;
    scan.variation_percent = percent;
    struct ff_simulation *simulation = ff_simulation_create(&scan, &error);
    if (simulation == NULL)
        fail_msg("%s", error.message);
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    assert_ok(ff_simulation_measure(simulation, &measurement, &error), error);
    struct ff_problem *problem =
        ff_problem_of_measurement(&measurement, "the simulation", settings, &error);
    if (problem == NULL)
        fail_msg("%s", error.message);
    ff_settings_destroy(settings);
    ff_simulation_destroy(simulation);
    ff_options_dispose(&ff_simulate_table, &scan);
    return problem;
}

/* The cost after some epochs of `algorithm` (or a variant of lstsq), as a user asks for it. */
static double cost_with(const struct ff_problem *problem, const char *algorithm, size_t eigenprobes)
{
    struct ff_error error = {0};
    struct ff_run_result result;
    struct ff_settings *asked = ff_settings_create(&error);
    char choice[64];
    assert_non_null(asked);
    snprintf(choice, sizeof choice, "%s%s", strchr(algorithm, '=') == NULL ? "algorithm=" : "",
             algorithm);
    assert_ok(ff_options_assign(&ff_settings_table, asked, choice, &error), error);
    assert_ok(ff_options_assign(&ff_settings_table, asked, "epochs=40", &error), error);
    asked->opr_modes = (int64_t)eigenprobes;
    struct ff_run_settings settings = ff_run_settings_of(asked, problem->patterns);
    settings.threads = 2;
    if (ff_run(problem, &settings, NULL, (struct ff_span){0}, &result, &error) < 0)
        fail_msg("%s, %zu eigenprobes: %s", algorithm, eigenprobes, error.message);
    double cost = result.cost;
    ff_run_result_dispose(&result);
    ff_settings_destroy(asked);
    return cost;
}

/* Each of these costs at most `share` of what a probe that stays the same does. */
static void check(double percent, const size_t *counts, double share)
{
    struct ff_problem *problem = scan(percent);
    for (size_t i = 0; algorithms[i] != NULL; i++) {
        double without = cost_with(problem, algorithms[i], 0);
        for (size_t j = 0; counts[j] > 0; j++) {
            double with = cost_with(problem, algorithms[i], counts[j]);
            if (!(with < share * without))
                fail_msg("%s: cost %g with %zu eigenprobes, %g without", algorithms[i], with,
                         counts[j], without);
        }
    }
    ff_problem_destroy(problem);
}

static void test_a_probe_that_does_not_vary_is_explained_no_worse(void **state)
{
    (void)state;
    check(0, (const size_t[]){1, 4, 8, FF_EIGENPROBES_MAX, 0}, 1.01);
}

static void test_a_probe_that_varies_is_explained_far_better(void **state)
{
    (void)state;
    check(20, (const size_t[]){2, 8, FF_EIGENPROBES_MAX, 0}, 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_probe_that_does_not_vary_is_explained_no_worse),
        cmocka_unit_test(test_a_probe_that_varies_is_explained_far_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
