/* Positions that are wrong by several pixels each, and by a scale that all share, are found on clean data, to the
 * figures that are promised. */
#include "tests/numeric/as_asked.h"
#include "tests/numeric/backend.h"
#include "tests/unit/check.h"

#include "functions/reconstruct/refine/affine.h"

#include <math.h>

enum { PATTERNS = 144 };

static const char *const clean[] = {
    "object=coins",
    "size=128",
    "patterns=144",
    "noise=none",
    "type=float",
    "position_error_px=2",
    "scale_error_percent=1.5",
    NULL,
};
/* What a user asks for who knows the positions to a few pixels; and one who trusts gradients. */
static const char *const searched[] = {
    "epochs=200", "batches=40", "positions=on", "affine=on", "positions_search=6", NULL,
};
static const char *const by_gradients[] = {"epochs=200", "batches=40", "positions=on", NULL};

struct errors {
    double median_px, nearly_all_px, scale; /* of 99 in 100 frames; the scale less 1 */
};

static double median(double *values, size_t count)
{
    ff_array_sort(values, count);
    return values[count / 2];
}

/* After the common shift, the median of the differences, is removed. */
static struct errors errors_of(const double *truth, const double *positions)
{
    double sorted[PATTERNS];
    double shift[2];
    for (size_t axis = 0; axis < 2; axis++) {
        for (size_t n = 0; n < PATTERNS; n++)
            sorted[n] = positions[2 * n + axis] - truth[2 * n + axis];
        shift[axis] = median(sorted, PATTERNS);
    }
    for (size_t n = 0; n < PATTERNS; n++)
        sorted[n] = hypot(positions[2 * n] - truth[2 * n] - shift[0],
                          positions[2 * n + 1] - truth[2 * n + 1] - shift[1]);
    struct ff_affine map;
    assert_true(ff_affine_fit(truth, positions, PATTERNS, &map));
    struct errors errors = {.median_px = median(sorted, PATTERNS),
                            .scale = fabs(ff_affine_parts_of(&map).scale - 1)};
    errors.nearly_all_px = sorted[PATTERNS * 99 / 100 - 1];
    return errors;
}

static struct errors errors_with(const double *truth, const struct ff_problem *problem,
                                 const char *const *asked)
{
    struct ff_run_result result = run_as_asked(problem, asked);
    struct errors errors = errors_of(truth, result.state->positions);
    ff_run_result_dispose(&result);
    print_message("median %.3f px, 99 %% within %.3f px, scale to %.5f\n", errors.median_px,
                  errors.nearly_all_px, errors.scale);
    return errors;
}

static void test_positions_are_found(void **state)
{
    (void)state;
    struct ff_simulation *simulation = simulate_as_asked(clean);
    struct ff_problem *problem = problem_as_asked(simulation, searched);
    assert_int_equal(problem->patterns, PATTERNS);
    struct errors found = errors_with(simulation->positions, problem, searched);
    assert_true(found.median_px <= 0.05);
    assert_true(found.nearly_all_px <= 0.5);
    assert_true(found.scale <= 0.001);
    /* Gradients alone lead to what looks alike. */
    struct errors alone = errors_with(simulation->positions, problem, by_gradients);
    assert_true(alone.median_px > 3 * found.median_px);
    assert_true(alone.nearly_all_px > 3 * found.nearly_all_px);
    ff_problem_destroy(problem);
    ff_simulation_destroy(simulation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions_are_found),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
