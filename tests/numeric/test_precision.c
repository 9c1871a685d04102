/* A backend in float against the one in double, which has the model's own tests: every stage with every effect. */
#include "tests/unit/check.h"

#include "tests/numeric/backend.h"
#include "tests/numeric/figures.h"

#include <math.h>

static void test_float_agrees_with_double(void **unused)
{
    (void)unused;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand exact;
        struct stand stand;
        stand_open(&exact, effects, &ff_backend_cpu_double, FIGURES_NEEDS);
        stand_open(&stand, effects, numeric_backend(), FIGURES_NEEDS);
        struct figures expected = figures_of(&exact);
        struct figures found = figures_of(&stand);
        figures_check(&stand, &found, &expected);
        figures_dispose(&found);
        figures_dispose(&expected);
        stand_close(&stand);
        stand_close(&exact);
    }
}

/* Whatever lies under the mask: not one bit of anything changes. */
static void test_what_lies_under_the_mask_changes_nothing(void **unused)
{
    (void)unused;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct figures figures[2];
        struct stand stands[2];
        if (!effects->masked)
            continue;
        for (int other = 0; other < 2; other++) {
            struct stand *stand = &stands[other];
            stand_make(stand, effects);
            size_t frame = stand->problem->rows * stand->problem->columns;
            float *counts = (float *)(uintptr_t)stand->problem->counts.f32;
            for (size_t i = 0; other == 1 && i < stand->problem->patterns * frame; i++)
                if (!stand->problem->measured[i % frame])
                    counts[i] = i % 2 == 0 ? -1e20f : 7;
            stand_place(stand, numeric_backend(), FIGURES_NEEDS);
            figures[other] = figures_of(stand);
        }
        assert_true(isfinite(figures[0].cost.objective));
        figures_check_same(&stands[0], &figures[0], &figures[1]);
        for (int other = 0; other < 2; other++) {
            figures_dispose(&figures[other]);
            stand_close(&stands[other]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_agrees_with_double),
        cmocka_unit_test(test_what_lies_under_the_mask_changes_nothing),
    };
    return cmocka_run_group_tests(tests, numeric_begin, numeric_end);
}
