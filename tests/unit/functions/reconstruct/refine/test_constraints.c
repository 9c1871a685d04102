/* Constraints, intensities and the form of eigenprobes. */
#include "tests/unit/check.h"

#include "functions/reconstruct/refine/constraints.h"
#include "functions/reconstruct/refine/eigenprobes.h"
#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/refine/scales.h"
#include "functions/reconstruct/solvers/random.h"

#include <complex.h>
#include <math.h>

enum { ROWS = 12, COLUMNS = 10, PIXELS = ROWS * COLUMNS };

static void scatter(ff_complex *values, size_t count, uint64_t seed)
{
    struct ff_random random = ff_random_seed(seed);
    for (size_t i = 0; i < count; i++)
        values[i] =
            (float)(2 * ff_random_unit(&random) - 1) + (float)(4 * ff_random_unit(&random) - 2) * I;
}

static void test_object_constraints(void **state)
{
    (void)state;
    ff_complex first[PIXELS];
    ff_complex object[PIXELS];
    ff_complex room[PIXELS];
    scatter(first, PIXELS, 1);
    memcpy(object, first, sizeof object);
    ff_object_constrain(object, ROWS, COLUMNS, FF_OBJECT_FREE, NULL);
    assert_memory_equal(object, first, sizeof object);
    ff_object_constrain(object, ROWS, COLUMNS, FF_OBJECT_UNIT, NULL);
    for (size_t i = 0; i < PIXELS; i++) {
        assert_true(cabsf(object[i]) <= 1.0001F);
        assert_true(fabsf(cargf(object[i]) - cargf(first[i])) < 1e-5F);
        if (cabsf(first[i]) <= 1)
            assert_true(cabsf(object[i] - first[i]) <= 0);
    }
    ff_object_constrain(object, ROWS, COLUMNS, FF_OBJECT_PHASE, NULL);
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(fabsf(cabsf(object[i]) - 1) < 1e-5F);
    memcpy(object, first, sizeof object);
    ff_object_constrain(object, ROWS, COLUMNS, FF_OBJECT_SMOOTH, room);
    ff_complex mean = 0;
    for (size_t r = 3; r <= 5; r++)
        for (size_t c = 3; c <= 5; c++)
            mean += first[r * COLUMNS + c] / 9;
    ff_complex expected = 0.9F * first[4 * COLUMNS + 4] + 0.1F * mean;
    assert_true(cabsf(object[4 * COLUMNS + 4] - expected) < 1e-5F);
}

static void test_a_probe_off_its_middle_is_brought_back(void **state)
{
    (void)state;
    ff_complex probe[PIXELS] = {0};
    int offset[2];
    probe[8 * COLUMNS + 3] = 2;
    ff_probe_offset(probe, 1, ROWS, COLUMNS, offset);
    assert_int_equal(offset[0], 1);
    assert_int_equal(offset[1], -1);
    ff_planes_shift(probe, 1, ROWS, COLUMNS, (const int[2]){-1, 1});
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(fabsf(crealf(probe[i]) - (i == 7 * COLUMNS + 4 ? 2 : 0)) <= 0);
    ff_planes_shift(probe, 1, ROWS, COLUMNS, (const int[2]){1, -1});
    assert_true(crealf(probe[8 * COLUMNS + 3]) > 1);
    memset(probe, 0, sizeof probe);
    ff_probe_offset(probe, 1, ROWS, COLUMNS, offset);
    assert_int_equal(offset[0], 0);
}

static void test_a_support_bounds_the_probe(void **state)
{
    (void)state;
    ff_complex probe[PIXELS];
    scatter(probe, PIXELS, 5);
    ff_probe_bound(probe, 1, ROWS, COLUMNS);
    assert_true(cabsf(probe[0]) <= 0);
    assert_true(cabsf(probe[PIXELS / 2 + COLUMNS / 2]) > 0);
}

static void test_scales_find_the_brightness_of_each(void **state)
{
    (void)state;
    double scales[4] = {1, 1, 1, 1};
    const double truth[4] = {0.9, 1.1, 1.05, 0.95};
    for (int round = 0; round < 60; round++) {
        double terms[8];
        for (size_t n = 0; n < 4; n++) { /* √(I d) with I = s² and d = t² */
            terms[2 * n] = scales[n] * truth[n];
            terms[2 * n + 1] = scales[n] * scales[n];
        }
        ff_scales_move(scales, terms, 4);
    }
    double square = 0;
    for (size_t n = 0; n < 4; n++)
        square += scales[n] * scales[n] / 4;
    assert_true(fabs(square - 1) < 1e-12);
    for (size_t n = 1; n < 4; n++)
        assert_true(fabs(scales[n] / scales[0] - truth[n] / truth[0]) < 2e-3);
}

/* The probe of pattern n. */
static void probe_of(const ff_complex *probe, const ff_complex *eigenprobes, const double *weights,
                     size_t count, size_t n, ff_complex *to)
{
    for (size_t i = 0; i < PIXELS; i++) {
        to[i] = probe[i];
        for (size_t c = 0; c < count; c++)
            to[i] += (float)weights[n * count + c] * eigenprobes[c * PIXELS + i];
    }
}

/* Weights uncorrelated and of one size, eigenprobes orthogonal as real vectors, strongest first. */
static void check_form(const ff_complex *eigenprobes, const double *weights, size_t patterns,
                       size_t count)
{
    double strongest = ff_modes_power(eigenprobes, PIXELS);
    for (size_t c = 0; c < count; c++) {
        for (size_t d = 0; d <= c; d++) {
            double product = 0;
            double shared = 0;
            for (size_t n = 0; n < patterns; n++)
                product += weights[n * count + c] * weights[n * count + d] / (double)patterns;
            for (size_t i = 0; i < PIXELS; i++)
                shared += (double)crealf(conjf(eigenprobes[c * PIXELS + i]) *
                                         eigenprobes[d * PIXELS + i]);
            assert_true(fabs(product - (c == d ? 1 / (double)count : 0)) < 1e-6);
            assert_true(c == d || fabs(shared) < 1e-4 * strongest);
        }
        if (c > 0)
            assert_true(ff_modes_power(eigenprobes + c * PIXELS, PIXELS) <=
                        ff_modes_power(eigenprobes + (c - 1) * PIXELS, PIXELS));
    }
}

static void test_the_form_of_eigenprobes_changes_no_probe(void **state)
{
    (void)state;
    enum { PATTERNS = 7, EIGENPROBES = 3 };
    struct ff_eigenprobes_change change;
    ff_complex probe[PIXELS];
    ff_complex eigenprobes[EIGENPROBES * PIXELS];
    ff_complex before[PATTERNS][PIXELS];
    ff_complex after[PIXELS];
    double weights[PATTERNS * EIGENPROBES];
    struct ff_random random = ff_random_seed(9);
    scatter(probe, PIXELS, 2);
    ff_eigenprobes_begin(eigenprobes, EIGENPROBES, probe, ROWS, COLUMNS, 4);
    for (size_t i = 0; i < PATTERNS * EIGENPROBES; i++)
        weights[i] = ff_random_unit(&random);
    for (size_t n = 0; n < PATTERNS; n++)
        probe_of(probe, eigenprobes, weights, EIGENPROBES, n, before[n]);
    ff_eigenprobes_normalise(probe, eigenprobes, weights, PATTERNS, EIGENPROBES, PIXELS, &change);
    for (size_t n = 0; n < PATTERNS; n++) {
        probe_of(probe, eigenprobes, weights, EIGENPROBES, n, after);
        for (size_t i = 0; i < PIXELS; i++)
            assert_true(cabsf(after[i] - before[n][i]) < 1e-4F);
    }
    for (size_t c = 0; c < EIGENPROBES; c++) {
        double mean = 0;
        for (size_t n = 0; n < PATTERNS; n++)
            mean += weights[n * EIGENPROBES + c];
        assert_true(fabs(mean) < 1e-5);
    }
    check_form(eigenprobes, weights, PATTERNS, EIGENPROBES);
}

/* As many as may be asked for: none may be made of the others. */
static void test_first_eigenprobes_are_independent(void **state)
{
    (void)state;
    enum { PATTERNS = 40, EIGENPROBES = FF_EIGENPROBES_MAX };
    struct ff_eigenprobes_change change;
    ff_complex probe[PIXELS];
    static ff_complex eigenprobes[EIGENPROBES * PIXELS];
    static double weights[PATTERNS * EIGENPROBES];
    struct ff_random random = ff_random_seed(9);
    scatter(probe, PIXELS, 2);
    ff_eigenprobes_begin(eigenprobes, EIGENPROBES, probe, ROWS, COLUMNS, 4);
    for (size_t c = 0; c < EIGENPROBES; c++)
        assert_true(
            fabs(ff_modes_power(eigenprobes + c * PIXELS, PIXELS) / ff_modes_power(probe, PIXELS) -
                 1) < 1e-4);
    for (size_t i = 0; i < PATTERNS * EIGENPROBES; i++)
        weights[i] = ff_random_unit(&random);
    ff_eigenprobes_normalise(probe, eigenprobes, weights, PATTERNS, EIGENPROBES, PIXELS, &change);
    check_form(eigenprobes, weights, PATTERNS, EIGENPROBES);
    double strongest = ff_modes_power(eigenprobes, PIXELS);
    double weakest = ff_modes_power(eigenprobes + (EIGENPROBES - 1) * PIXELS, PIXELS);
    assert_true(weakest > 1e-6 * strongest);
}

/* Without weights there is nothing to put in order; where one has none, it keeps its shape for later. */
static void test_an_eigenprobe_without_weights_keeps_its_shape(void **state)
{
    (void)state;
    enum { PATTERNS = 7, EIGENPROBES = 2 };
    struct ff_eigenprobes_change change;
    ff_complex probe[PIXELS];
    ff_complex eigenprobes[EIGENPROBES * PIXELS];
    ff_complex first[EIGENPROBES * PIXELS];
    double weights[PATTERNS * EIGENPROBES] = {0};
    scatter(probe, PIXELS, 2);
    ff_eigenprobes_begin(eigenprobes, EIGENPROBES, probe, ROWS, COLUMNS, 4);
    memcpy(first, eigenprobes, sizeof first);
    ff_eigenprobes_normalise(probe, eigenprobes, weights, PATTERNS, EIGENPROBES, PIXELS, &change);
    for (size_t i = 0; i < EIGENPROBES * PIXELS; i++)
        assert_true(cabsf(eigenprobes[i] - first[i]) <= 0);
    for (size_t n = 0; n < PATTERNS; n++)
        weights[n * EIGENPROBES + 1] = n % 2 == 0 ? 1 : -1;
    ff_eigenprobes_normalise(probe, eigenprobes, weights, PATTERNS, EIGENPROBES, PIXELS, &change);
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(cabsf(eigenprobes[PIXELS + i] - first[i]) < 1e-5F);
    for (size_t n = 0; n < PATTERNS; n++)
        assert_true(fabs(weights[n * EIGENPROBES + 1]) <= 0);
}

/* Terms of eigenprobes that are far from orthogonal, made of known changes: repeated, half the way each time leads to
 * these, and never past them. */
static void test_weights_are_found_together(void **state)
{
    (void)state;
    enum { PATTERNS = 5, COUNT = 3, WIDTH = COUNT + COUNT * (COUNT + 1) / 2 };
    const double gram[COUNT][COUNT] = {{1, 0.95, 0.9}, {0.95, 1, 0.95}, {0.9, 0.95, 1}};
    double truth[PATTERNS * COUNT];
    double weights[PATTERNS * COUNT] = {0};
    struct ff_random random = ff_random_seed(5);
    for (size_t i = 0; i < PATTERNS * COUNT; i++)
        truth[i] = 2 * ff_random_unit(&random) - 1;
    double last = INFINITY;
    for (int round = 0; round < 200; round++) {
        double terms[PATTERNS * WIDTH];
        double apart = 0;
        for (size_t n = 0; n < PATTERNS; n++) {
            double *row = terms + n * WIDTH;
            double *pair = row + COUNT;
            for (size_t c = 0; c < COUNT; c++) {
                row[c] = 0;
                for (size_t d = 0; d < COUNT; d++) {
                    double rest = truth[n * COUNT + d] - weights[n * COUNT + d];
                    row[c] += gram[c][d] * rest;
                    apart += gram[c][d] * rest * (truth[n * COUNT + c] - weights[n * COUNT + c]);
                    if (d <= c)
                        *pair++ = gram[c][d];
                }
            }
        }
        assert_true(apart <= last);
        last = apart;
        ff_eigenprobes_weigh(weights, terms, PATTERNS, COUNT, COUNT);
    }
    for (size_t i = 0; i < PATTERNS * COUNT; i++)
        assert_true(fabs(weights[i] - truth[i]) < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object_constraints),
        cmocka_unit_test(test_a_probe_off_its_middle_is_brought_back),
        cmocka_unit_test(test_a_support_bounds_the_probe),
        cmocka_unit_test(test_scales_find_the_brightness_of_each),
        cmocka_unit_test(test_the_form_of_eigenprobes_changes_no_probe),
        cmocka_unit_test(test_first_eigenprobes_are_independent),
        cmocka_unit_test(test_an_eigenprobe_without_weights_keeps_its_shape),
        cmocka_unit_test(test_weights_are_found_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
