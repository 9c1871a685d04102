/* A probe that varies over the scan: with any number of eigenprobes every algorithm explains a simulated scan no worse
 * than without, and much better one whose probe did vary. */
#include "tests/numeric/as_asked.h"
#include "tests/numeric/backend.h"
#include "tests/unit/check.h"

#include "functions/reconstruct/refine/eigenprobes.h"

#include <stdio.h>

static const char *const algorithms[] = {"lstsq", "step=position", "rpie", "epie", "cgrad", "ml",
                                         "dm",    "raar",          NULL};

/* Two eigenprobes of `percent`, where it is not 0. */
static struct ff_problem *scan(int percent)
{
    char eigenprobes[32];
    char variation[32];
    snprintf(eigenprobes, sizeof eigenprobes, "eigenprobes=%d", percent > 0 ? 2 : 0);
    snprintf(variation, sizeof variation, "variation_percent=%d", percent);
    struct ff_simulation *simulation = simulate_as_asked((const char *const[]){
        "size=32", "patterns=144", "counts=1e5", eigenprobes, variation, NULL});
    struct ff_problem *problem = problem_as_asked(simulation, (const char *const[]){NULL});
    ff_simulation_destroy(simulation);
    return problem;
}

/* The cost after some epochs of `algorithm` (or a variant of lstsq). */
static double cost_with(const struct ff_problem *problem, const char *algorithm, size_t eigenprobes)
{
    char choice[64];
    char opr_modes[32];
    snprintf(choice, sizeof choice, "%s%s", strchr(algorithm, '=') == NULL ? "algorithm=" : "",
             algorithm);
    snprintf(opr_modes, sizeof opr_modes, "opr_modes=%zu", eigenprobes);
    struct ff_run_result result =
        run_as_asked(problem, (const char *const[]){choice, opr_modes, "epochs=40", NULL});
    double cost = result.cost;
    ff_run_result_dispose(&result);
    return cost;
}

/* Each of these costs at most `share` of what a probe that stays the same does. */
static void check(int percent, const size_t *counts, double share)
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
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
