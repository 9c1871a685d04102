/* What is said of scans whose positions lie oddly. */
#include "tests/unit/check.h"

#include "functions/reconstruct/spacing.h"

#include <math.h>

enum { SIDE = 32, OBJECT = 400, ACROSS = 8, PATTERNS = ACROSS * ACROSS };

/* A square lattice of `step` pixels whose points stray by `jitter` steps; half of the probe's light
 * falls within about 10 pixels. */
static struct ff_spacing spacing_of(double step, double jitter, bool probe_was_given)
{
    static ff_complex probe[SIDE * SIDE];
    static double positions[2 * PATTERNS];
    const struct ff_problem problem = {
        .patterns = PATTERNS,
        .fly = 1,
        .probe_rows = SIDE,
        .probe_columns = SIDE,
        .object_rows = OBJECT,
        .object_columns = OBJECT,
        .probe = probe,
        .probe_was_given = probe_was_given,
        .positions = positions,
    };
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        double y = (double)(i / SIDE) - SIDE / 2;
        double x = (double)(i % SIDE) - SIDE / 2;
        probe[i] = (float)exp(-(y * y + x * x) / 72);
    }
    uint32_t random = 7;
    for (size_t n = 0; n < 2 * PATTERNS; n++) {
        random = random * 1664525 + 1013904223;
        double stray = jitter * ((double)(random >> 16 & 0xFF) / 128 - 1);
        positions[n] = 2 + step * ((double)(n % 2 == 0 ? n / 2 / ACROSS : n / 2 % ACROSS) + stray);
    }
    struct ff_spacing spacing;
    struct ff_error error = {0};
    assert_ok(ff_spacing_of(&problem, &spacing, &error), error);
    return spacing;
}

/* NULL: nothing is said. */
static void assert_doubt(const struct ff_spacing *spacing, const char *words)
{
    struct ff_buffer lines;
    ff_buffer_init(&lines, 4096);
    ff_spacing_doubts(spacing, &lines);
    const char *text = ff_buffer_text(&lines);
    if (words == NULL ? text[0] != '\0' : strstr(text, words) == NULL)
        fail_msg("\"%s\" is not \"%s\"", text, words != NULL ? words : "nothing");
    ff_buffer_dispose(&lines);
}

static void test_figures(void **state)
{
    (void)state;
    const struct ff_spacing spacing = spacing_of(4, 0, true);
    assert_true(fabs(spacing.step_px - 4) < 1e-9);
    assert_true(fabs(spacing.extent_px - 4 * (ACROSS - 1)) < 1e-9);
    double width = spacing.probe_width_px;
    assert_true(width >= 8 && width <= 12);
    assert_true(fabs(spacing.overlap - (1 - 4 / width)) < 1e-9);
    double side = 4 * (ACROSS - 1) + width;
    assert_true(fabs(spacing.lit_px - side * side) < 1e-9);
}

static void test_a_grid_is_told_from_a_jittered_one(void **state)
{
    (void)state;
    const struct ff_spacing grid = spacing_of(4, 0, true);
    const struct ff_spacing nearly = spacing_of(4, 0.01, true);
    const struct ff_spacing jittered = spacing_of(4, 0.1, true);
    assert_doubt(&grid, "raster pathology");
    assert_doubt(&nearly, "raster pathology");
    assert_doubt(&jittered, NULL);
}

static void test_wrong_units_show(void **state)
{
    (void)state;
    const struct ff_spacing twice = spacing_of(8, 0.1, true);
    const struct ff_spacing ten_times = spacing_of(40, 0.2, false);
    const struct ff_spacing apart = spacing_of(14, 0.1, true);
    const struct ff_spacing tiny = spacing_of(0.05, 0.2, false);
    assert_doubt(&twice, "the overlap of neighbours is only");
    assert_doubt(&ten_times, "hardly overlap; check the unit");
    assert_doubt(&apart, "hardly overlap; check the unit");
    assert_doubt(&tiny, "hardly moves; check the unit");
}

/* An estimate of the probe is in focus and too small, so it is no witness. */
static void test_an_estimate_raises_no_doubt(void **state)
{
    (void)state;
    const struct ff_spacing spacing = spacing_of(13, 0.2, false);
    assert_true(spacing.overlap < 0.5);
    assert_doubt(&spacing, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_a_grid_is_told_from_a_jittered_one),
        cmocka_unit_test(test_wrong_units_show),
        cmocka_unit_test(test_an_estimate_raises_no_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
