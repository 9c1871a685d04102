/* Each of the eight orientations, of a simulated and of a measured scan, is found. */
#include "tests/unit/check.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/orientation_trial.h"
#include "functions/reconstruct/place.h"
#include "functions/simulate/measurement.h"
#include "tests/numeric/backend.h"

#include <math.h>

static struct ff_settings *settings_for(const char *input)
{
    struct ff_error error = {0};
    struct ff_settings *settings = ff_settings_create(&error);
    assert_non_null(settings);
    assert_ok(ff_options_set(&ff_settings_table, settings, "input", input, &error), error);
    assert_ok(ff_options_set(&ff_settings_table, settings, "orientation", "as-is", &error), error);
    return settings;
}

static struct ff_problem *measured(void)
{
    struct ff_error error = {0};
    struct ff_buffer notes;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    struct ff_settings *settings = settings_for(FF_TEST_DATA "/siemens-star.cxi");
    struct ff_problem *problem = ff_problem_create(settings, &notes, &error);
    if (problem == NULL)
        fail_msg("%s", error.message);
    ff_buffer_dispose(&notes);
    ff_settings_destroy(settings);
    return problem;
}

static struct ff_problem *simulated(const char *guess)
{
    struct ff_error error = {0};
    struct ff_simulate_settings given = {0};
    struct ff_measurement measurement;
    assert_ok(ff_options_init(&ff_simulate_table, &given, &error), error);
    static const char *const values[][2] = {
        {"size", "64"}, {"patterns", "144"}, {"overlap", "0.7"}, {"counts", "1e5"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_ok(ff_options_set(&ff_simulate_table, &given, values[i][0], values[i][1], &error),
                  error);
    assert_ok(ff_options_set(&ff_simulate_table, &given, "guess", guess, &error), error);
    struct ff_simulation *simulation = ff_simulation_create(&given, &error);
    assert_non_null(simulation);
    assert_ok(ff_simulation_measure(simulation, &measurement, &error), error);
    struct ff_settings *settings = settings_for("simulated");
    struct ff_problem *problem =
        ff_problem_of_measurement(&measurement, "simulated", settings, &error);
    if (problem == NULL)
        fail_msg("%s", error.message);
    ff_settings_destroy(settings);
    ff_simulation_destroy(simulation);
    ff_options_dispose(&ff_simulate_table, &given);
    return problem;
}

/* +1 when the positions are the first ones again, -1 when they are the twin's, else 0. */
static int hand_of(const double *first, const double *now, size_t count)
{
    double same = 0;
    double turned = 0;
    double size = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        same += fabs(now[i] - first[i]);
        turned += fabs(now[i] + first[i]);
        size += fabs(first[i]);
    }
    return same < 1e-9 * size ? 1 : turned < 1e-9 * size ? -1 : 0;
}

static void find_all(struct ff_problem *problem, const char *what)
{
    const struct ff_run_settings settings = {.operations = numeric_backend(), .threads = 2};
    size_t count = problem->patterns * problem->fly;
    double *first = calloc(2 * count, sizeof *first);
    assert_non_null(first);
    memcpy(first, problem->positions_m, 2 * count * sizeof *first);
    for (unsigned i = 0; i < FF_ORIENTATIONS; i++) {
        struct ff_error error = {0};
        struct ff_orientation_trial trial;
        memcpy(problem->positions_m, first, 2 * count * sizeof *first);
        ff_orientation_apply(&ff_orientations[i], problem->positions_m, count);
        assert_ok(ff_problem_place(problem, false, &error), error);
        assert_ok(ff_orientation_try(problem, &settings, FF_ORIENTATION_ALL, FF_ORIENTATION_EPOCHS,
                                     &trial, &error),
                  error);
        ff_orientation_apply(&ff_orientations[trial.best], problem->positions_m, count);
        int hand = hand_of(first, problem->positions_m, count);
        print_message("%s, %s: found %s, margin %.2f, of the twin %.3f\n", what,
                      ff_orientations[i].name, ff_orientations[trial.best].name, trial.margin,
                      trial.twin_margin);
        if (trial.margin < FF_ORIENTATION_MARGIN)
            fail_msg("%s, %s: margin %.3f", what, ff_orientations[i].name, trial.margin);
        bool twins = trial.twin_margin < FF_ORIENTATION_TWIN_MARGIN;
        if (hand == 0 || (hand < 0 && !twins) || (hand < 0 && problem->probe_was_given))
            fail_msg("%s, %s: found %s", what, ff_orientations[i].name,
                     ff_orientations[trial.best].name);
    }
    free(first);
    ff_problem_destroy(problem);
}

static void test_a_simulated_scan(void **state)
{
    (void)state;
    find_all(simulated("near"), "simulated");
}

static void test_a_scan_without_a_probe(void **state)
{
    (void)state;
    find_all(simulated("none"), "no probe");
}

static void test_a_measured_scan(void **state)
{
    (void)state;
    find_all(measured(), "measured");
}

/* The glance at one pair is enough to see that the first of them is right, and when it is not. */
static void test_a_glance_tells(void **state)
{
    (void)state;
    const struct ff_run_settings settings = {.operations = numeric_backend(), .threads = 2};
    struct ff_error error = {0};
    struct ff_orientation_trial trial;
    struct ff_problem *problem = measured();
    assert_ok(ff_orientation_try(problem, &settings, FF_ORIENTATION_QUICK,
                                 FF_ORIENTATION_QUICK_EPOCHS, &trial, &error),
              error);
    assert_int_equal(trial.best, 0);
    assert_true(trial.margin >= FF_ORIENTATION_MARGIN);
    ff_orientation_apply(&ff_orientations[4], problem->positions_m, problem->patterns);
    assert_ok(ff_problem_place(problem, false, &error), error);
    assert_ok(ff_orientation_try(problem, &settings, FF_ORIENTATION_QUICK,
                                 FF_ORIENTATION_QUICK_EPOCHS, &trial, &error),
              error);
    assert_true(trial.best != 0 || trial.margin < FF_ORIENTATION_MARGIN);
    ff_problem_destroy(problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_simulated_scan),
        cmocka_unit_test(test_a_scan_without_a_probe),
        cmocka_unit_test(test_a_measured_scan),
        cmocka_unit_test(test_a_glance_tells),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
