/* Positions that are wrong by several pixels each, and by a scale that all share, are found on clean data, to the
 * figures that are promised. */
#include "tests/unit/check.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/refine/affine.h"
#include "functions/reconstruct/run_settings.h"
#include "functions/simulate/measurement.h"

#include <math.h>
#include <stdlib.h>

enum { PATTERNS = 144, SIZE = 128 };

/* What a user asks for who knows the positions to a few pixels. */
static const char *const asked[] = {
    "epochs=200", "batches=40", "positions=on", "affine=on", "positions_search=6",
};

struct scan {
    struct ff_problem *problem;
    double truth[2 * PATTERNS]; /* pixels */
};

static struct ff_settings *settings_of(size_t count)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    for (size_t i = 0; i < count; i++)
        assert_ok(ff_options_assign(&ff_settings_table, settings, asked[i], &error), error);
    return settings;
}

static void scan_open(struct scan *scan)
{
    static struct ff_simulate_settings simulated;
    struct ff_error error = {0};
    struct ff_measurement measurement;
    assert_ok(ff_options_init(&ff_simulate_table, &simulated, &error), error);
    const char *const clean[] = {"object=coins", "noise=none", "type=float"};
    for (size_t i = 0; i < sizeof clean / sizeof clean[0]; i++)
        assert_ok(ff_options_assign(&ff_simulate_table, &simulated, clean[i], &error), error);
    simulated.size = SIZE;
    simulated.patterns = PATTERNS;
    simulated.position_error_px = 2;
    simulated.scale_error_percent = 1.5;
    struct ff_simulation *simulation = ff_simulation_create(&simulated, &error);
    if (simulation == NULL)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < 2 * PATTERNS; i++)
        scan->truth[i] = simulation->positions[i];
    assert_ok(ff_simulation_measure(simulation, &measurement, &error), error);
    struct ff_settings *settings = settings_of(sizeof asked / sizeof asked[0]);
    scan->problem = ff_problem_of_measurement(&measurement, "the simulation", settings, &error);
    if (scan->problem == NULL)
        fail_msg("%s", error.message);
    ff_settings_destroy(settings);
    ff_simulation_destroy(simulation);
    ff_options_dispose(&ff_simulate_table, &simulated);
}

struct errors {
    double median_px, nearly_all_px, scale; /* of 99 in 100 frames; the scale less 1 */
};

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

/* After the common shift, the median of the differences, is removed. */
static struct errors errors_of(const struct scan *scan, const double *positions)
{
    double sorted[PATTERNS];
    double shift[2];
    for (size_t axis = 0; axis < 2; axis++) {
        for (size_t n = 0; n < PATTERNS; n++)
            sorted[n] = positions[2 * n + axis] - scan->truth[2 * n + axis];
        shift[axis] = median(sorted, PATTERNS);
    }
    for (size_t n = 0; n < PATTERNS; n++)
        sorted[n] = hypot(positions[2 * n] - scan->truth[2 * n] - shift[0],
                          positions[2 * n + 1] - scan->truth[2 * n + 1] - shift[1]);
    struct ff_affine map;
    assert_true(ff_affine_fit(scan->truth, positions, PATTERNS, &map));
    struct errors errors = {.median_px = median(sorted, PATTERNS),
                            .scale = fabs(ff_affine_parts_of(&map).scale - 1)};
    errors.nearly_all_px = sorted[PATTERNS * 99 / 100 - 1];
    return errors;
}

/* With so many of the settings asked for. */
static struct errors errors_with(const struct scan *scan, size_t settings_taken)
{
    struct ff_error error = {0};
    struct ff_run_result result;
    struct ff_settings *settings = settings_of(settings_taken);
    struct ff_run_settings run = ff_run_settings_of(settings, scan->problem->patterns);
    run.threads = 2;
    if (ff_run(scan->problem, &run, NULL, (struct ff_span){0}, &result, &error) < 0)
        fail_msg("%s", error.message);
    struct errors errors = errors_of(scan, result.state->positions);
    ff_run_result_dispose(&result);
    ff_settings_destroy(settings);
    return errors;
}

static void test_positions_are_found(void **state)
{
    (void)state;
    const size_t all = sizeof asked / sizeof asked[0];
    struct scan scan;
    scan_open(&scan);
    struct errors found = errors_with(&scan, all);
    print_message("median %.3f px, 99 %% within %.3f px, scale to %.5f\n", found.median_px,
                  found.nearly_all_px, found.scale);
    assert_true(found.median_px <= 0.05);
    assert_true(found.nearly_all_px <= 0.5);
    assert_true(found.scale <= 0.001);
    /* Gradients alone lead to what looks alike. */
    struct errors alone = errors_with(&scan, all - 2);
    assert_true(alone.median_px > 3 * found.median_px);
    assert_true(alone.nearly_all_px > 3 * found.nearly_all_px);
    ff_problem_destroy(scan.problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
