/* A simulated scan reconstructed from the file's way of seeing it: the error of the object, which
 * only a simulation knows, must fall, not the cost alone. */
#include "tests/numeric/as_asked.h"
#include "tests/numeric/backend.h"
#include "tests/unit/check.h"

#include "functions/reconstruct/metrics/comparison.h"

#include <math.h>
#include <stdio.h>

/* `guess` is that of the probe in the scan: "guess=near". */
static struct ff_simulation *simulate(const char *modes, const char *guess)
{
    return simulate_as_asked(
        (const char *const[]){"size=64", "patterns=100", "counts=1e7", modes, guess, NULL});
}

static struct ff_problem *problem_of(struct ff_simulation *simulation)
{
    char modes[32];
    snprintf(modes, sizeof modes, "modes=%zu", simulation->modes);
    return problem_as_asked(simulation, (const char *const[]){modes, NULL});
}

static struct ff_run_result run(const struct ff_problem *problem, size_t epochs, double step_probe)
{
    struct ff_error error = {0};
    struct ff_run_result result;
    const struct ff_run_settings settings = {
        .algorithm = "rpie",
        .solver = {.epochs = epochs,
                   .batches = 4,
                   .alpha = 0.1,
                   .step_object = 1,
                   .step_probe = step_probe,
                   .probe_start = 2},
        .operations = numeric_backend(),
        .devices = 1,
        .threads = 2,
    };
    assert_ok(ff_run(problem, &settings, NULL, (struct ff_span){0}, &result, &error), error);
    return result;
}

static struct ff_estimate estimate_of(const struct ff_estimate_source *source)
{
    struct ff_error error = {0};
    struct ff_estimate estimate;
    assert_ok(ff_estimate_create(&estimate, source, &error), error);
    return estimate;
}

/* |found - truth| / |truth| where the scan's light falls. Object and problem may be placed
 * differently, and a probe that moves along leaves a shift and a ramp open. */
static double object_error(const struct ff_simulation *truth, const struct ff_problem *problem,
                           const ff_complex *found)
{
    const struct ff_comparison_options options = {.keep_hand = true};
    struct ff_error error = {0};
    struct ff_comparison comparison;
    struct ff_estimate reference = estimate_of(&(struct ff_estimate_source){
        .object = truth->object,
        .rows = truth->rows,
        .columns = truth->columns,
        .positions = truth->positions,
        .count = truth->patterns,
        .probe = truth->probe,
        .modes = truth->modes,
        .probe_rows = truth->probe_size,
        .probe_columns = truth->probe_size,
    });
    struct ff_estimate estimate = estimate_of(&(struct ff_estimate_source){
        .object = found,
        .rows = problem->object_rows,
        .columns = problem->object_columns,
        .positions = problem->positions,
        .count = problem->patterns,
        .probe = problem->probe,
        .modes = problem->modes,
        .probe_rows = problem->probe_rows,
        .probe_columns = problem->probe_columns,
    });
    assert_ok(ff_compare(&estimate, &reference, &options, &comparison, &error), error);
    double relative = comparison.object.relative;
    ff_comparison_dispose(&comparison);
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&reference);
    return relative;
}

static void test_the_object_comes_out_with_a_known_probe(void **state)
{
    (void)state;
    struct ff_simulation *truth = simulate("modes=1", "guess=exact");
    struct ff_problem *problem = problem_of(truth);
    struct ff_error error = {0};
    struct ff_state *first = ff_state_create(problem, 0, &error);
    assert_non_null(first);
    struct ff_run_result few = run(problem, 3, 0);
    struct ff_run_result many = run(problem, 60, 0);
    double before = object_error(truth, problem, first->object);
    double early = object_error(truth, problem, few.state->object);
    double late = object_error(truth, problem, many.state->object);
    if (!(early < before && late < 0.2 * early && late < 0.05))
        fail_msg("object error %.3f, %.3f after 3 epochs, %.3f after 60", before, early, late);
    ff_state_destroy(first);
    ff_run_result_dispose(&few);
    ff_run_result_dispose(&many);
    ff_problem_destroy(problem);
    ff_simulation_destroy(truth);
}

static void test_a_probe_out_of_focus_is_corrected(void **state)
{
    (void)state;
    struct ff_simulation *truth = simulate("modes=1", "guess=near");
    struct ff_problem *problem = problem_of(truth);
    struct ff_run_result kept = run(problem, 60, 0);
    struct ff_run_result moved = run(problem, 60, 1);
    double error = object_error(truth, problem, moved.state->object);
    if (!(error < 0.1) || !(moved.cost < 0.6 * kept.cost))
        fail_msg("object error %.3f; cost %.3f with the probe moved, %.3f without", error,
                 moved.cost, kept.cost);
    ff_run_result_dispose(&kept);
    ff_run_result_dispose(&moved);
    ff_problem_destroy(problem);
    ff_simulation_destroy(truth);
}

/* What one mode cannot explain, the modes that made the data can. */
static void test_modes_explain_partial_coherence(void **state)
{
    (void)state;
    struct ff_simulation *truth = simulate("modes=2", "guess=exact");
    struct ff_problem *two = problem_of(truth);
    struct ff_run_result with = run(two, 60, 1);
    two->modes = 1;
    struct ff_run_result without = run(two, 60, 1);
    if (!(without.cost > 4 * with.cost))
        fail_msg("cost %.3f with two modes, %.3f with one", with.cost, without.cost);
    ff_run_result_dispose(&with);
    ff_run_result_dispose(&without);
    ff_problem_destroy(two);
    ff_simulation_destroy(truth);
}

static void test_the_defaults_come_near_in_few_epochs(void **state)
{
    (void)state;
    struct ff_simulation *truth = simulate("modes=1", "guess=near");
    struct ff_problem *problem = problem_of(truth);
    struct ff_run_result ten = run_as_asked(problem, (const char *const[]){"epochs=10", NULL});
    struct ff_run_result forty = run_as_asked(problem, (const char *const[]){"epochs=40", NULL});
    double early = object_error(truth, problem, ten.state->object);
    double late = object_error(truth, problem, forty.state->object);
    if (!(early < 0.3 && late < 0.02 && forty.cost < ten.cost))
        fail_msg("object error %.3f after 10 epochs, %.3f after 40; cost %.3f, %.3f", early, late,
                 ten.cost, forty.cost);
    ff_run_result_dispose(&ten);
    ff_run_result_dispose(&forty);
    ff_problem_destroy(problem);
    ff_simulation_destroy(truth);
}

/* With a known probe, where plain conjugate gradients take 256 steps to come as near as 0.08. */
static void test_conjugate_gradients_come_near_in_64_steps(void **state)
{
    (void)state;
    struct ff_simulation *truth = simulate_as_asked(
        (const char *const[]){"size=32", "patterns=169", "modes=2", "guess=exact", NULL});
    struct ff_problem *problem = problem_of(truth);
    struct ff_run_result result = run_as_asked(
        problem, (const char *const[]){"algorithm=cgrad", "epochs=64", "step_probe=0", NULL});
    double error_left = object_error(truth, problem, result.state->object);
    if (!(error_left < 0.02))
        fail_msg("object error %.3f", error_left);
    ff_run_result_dispose(&result);
    ff_problem_destroy(problem);
    ff_simulation_destroy(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_object_comes_out_with_a_known_probe),
        cmocka_unit_test(test_a_probe_out_of_focus_is_corrected),
        cmocka_unit_test(test_modes_explain_partial_coherence),
        cmocka_unit_test(test_the_defaults_come_near_in_few_epochs),
        cmocka_unit_test(test_conjugate_gradients_come_near_in_64_steps),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
