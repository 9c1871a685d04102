/* The pieces of a comparison against what is known: ramps, shifts, factors, twins, noise. */
#include "tests/unit/check.h"

#include "functions/reconstruct/metrics/comparison.h"
#include "functions/reconstruct/metrics/fourier.h"
#include "functions/reconstruct/metrics/region.h"
#include "functions/reconstruct/metrics/ssim.h"

#include <complex.h>
#include <math.h>

enum { ROWS = 120, COLUMNS = 132, WINDOW = 32, GRID = 7, PATTERNS = GRID * GRID, MODES = 2 };

static uint64_t random_state;

static double next_unit(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

static double next_normal(void)
{
    return sqrt(-2 * log(next_unit() + 1e-300)) * cos(2 * M_PI * next_unit());
}

static void seed(uint64_t value)
{
    random_state = value * 0x9e3779b97f4a7c15u;
}

/* Bumps, so that the value between pixels is known by formula; nothing repeats. */
static ff_complex_double object_at(double y, double x)
{
    static const double bumps[][4] = {
        {40, 44, 5, 0.9}, {62, 50, 3.5, -0.7}, {52, 78, 7, 0.6},  {78, 84, 4, 1.1},
        {84, 40, 6, 0.5}, {36, 92, 4, -0.9},   {66, 66, 3, 0.8},  {70, 100, 5, 0.7},
        {48, 60, 3, 1},   {90, 70, 4.5, -0.6}, {58, 34, 4, 0.75}, {30, 64, 5, 0.65},
    };
    double phase = 0;
    double dark = 0;
    for (size_t i = 0; i < sizeof bumps / sizeof bumps[0]; i++) {
        double square =
            (y - bumps[i][0]) * (y - bumps[i][0]) + (x - bumps[i][1]) * (x - bumps[i][1]);
        double bump = bumps[i][3] * exp(-0.5 * square / (bumps[i][2] * bumps[i][2]));
        phase += bump;
        dark += 0.2 * fabs(bump);
    }
    return exp(-dark) * ff_turn(phase);
}

static ff_complex_double probe_at(size_t mode, double y, double x)
{
    double square = (y * y + x * x) / 30;
    return (mode == 0 ? 1 : 0.12 * x) * exp(-square) * ff_turn(0.4 * square);
}

/* What makes an estimate differ from the truth without being wrong. */
struct change {
    double shift[2], ramp[2];
    ff_complex_double factor;
    double zoom;    /* size of its pixels in those of the truth */
    size_t more[2]; /* pixels in front of the truth's first, and as many more in all */
    bool twin;
};

/* Exit waves are those of the truth: O'(x) = c e^{ik·x} O(x - s), P'(u) = P(u - s) e^{-ik·u} / c. */
static struct ff_estimate estimate_of(struct change change)
{
    struct ff_error error = {0};
    struct ff_estimate estimate = {.pixel_m = {1e-8 * change.zoom, 1e-8 * change.zoom}};
    size_t rows = ROWS + change.more[0];
    size_t columns = COLUMNS + change.more[1];
    assert_ok(ff_image_create(&estimate.object, rows, columns, &error), error);
    for (size_t i = 0; i < rows * columns; i++) {
        double y = (double)(i / columns) - (double)change.more[0];
        double x = (double)(i % columns) - (double)change.more[1];
        estimate.object.values[i] =
            change.factor * ff_turn(change.ramp[0] * y + change.ramp[1] * x) *
            object_at(y * change.zoom - change.shift[0], x * change.zoom - change.shift[1]);
    }
    estimate.count = PATTERNS;
    estimate.positions = calloc(2 * PATTERNS, sizeof(double));
    assert_non_null(estimate.positions);
    for (size_t n = 0; n < 2 * PATTERNS; n++) {
        size_t step = n % 2 == 0 ? n / 2 / GRID : n / 2 % GRID;
        double middle = 46 + 7.0 * (double)step + 1.5 * sin((double)(n * n));
        estimate.positions[n] = middle / change.zoom - WINDOW / 2 + (double)change.more[n % 2];
    }
    estimate.modes = MODES;
    estimate.probe_rows = estimate.probe_columns = WINDOW;
    struct ff_image probe;
    assert_ok(ff_image_create(&probe, MODES * WINDOW, WINDOW, &error), error);
    for (size_t i = 0; i < MODES * WINDOW * WINDOW; i++) {
        double y = (double)(i / WINDOW % WINDOW) - WINDOW / 2;
        double x = (double)(i % WINDOW) - WINDOW / 2;
        probe.values[i] = probe_at(i / WINDOW / WINDOW, y * change.zoom - change.shift[0],
                                   x * change.zoom - change.shift[1]) *
                          ff_turn(-change.ramp[0] * y - change.ramp[1] * x) / change.factor;
    }
    estimate.probe = probe.values;
    if (change.twin)
        ff_estimate_twin(&estimate);
    return estimate;
}

static const struct change nothing = {.factor = 1, .zoom = 1};

static void add_noise(struct ff_image *image, double sigma)
{
    for (size_t i = 0; i < image->rows * image->columns; i++)
        image->values[i] +=
            sigma * M_SQRT1_2 * (next_normal() + next_normal() * (ff_complex_double)I);
}

static struct ff_comparison compare(struct change change, double noise,
                                    struct ff_comparison_options options)
{
    struct ff_error error = {0};
    struct ff_comparison comparison;
    struct ff_estimate reference = estimate_of(nothing);
    struct ff_estimate estimate = estimate_of(change);
    seed(7);
    add_noise(&estimate.object, noise);
    assert_ok(ff_compare(&estimate, &reference, &options, &comparison, &error), error);
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&reference);
    return comparison;
}

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance))
        fail_msg("%.9g where %.9g is wanted to %.3g", value, wanted, tolerance);
}

static void test_what_cannot_be_known_is_removed(void **state)
{
    (void)state;
    const struct change changes[] = {
        nothing,
        {.shift = {0.37, -0.81}, .factor = 1, .zoom = 1},
        {.ramp = {0.11, -0.043}, .factor = 1, .zoom = 1},
        {.shift = {3.6, -5.25}, .ramp = {-0.31, 0.52}, .factor = 0.4 + 0.7 * I, .zoom = 1},
        {.shift = {-1.2, 2.7}, .ramp = {0.02, 0.01}, .factor = -2, .zoom = 1, .more = {9, 14}},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *change = &changes[i];
        struct ff_comparison found =
            compare(*change, 0, (struct ff_comparison_options){.region = FF_REGION_SCANNED});
        assert_near(found.object.relative, 0, 2e-3);
        assert_near(found.object.phase, 0, 2e-3);
        assert_near(found.ssim, 1, 1e-3);
        assert_false(found.twin);
        assert_true(found.frc.reaches_nyquist);
        assert_true(found.has_probe);
        assert_near(found.probe.relative, 0, 2e-2);
        assert_near(found.probe.power_ratio, 1, 1e-2);
        for (size_t axis = 0; axis < 2; axis++) {
            assert_near(found.removed.shift_px[axis],
                        -change->shift[axis] - (double)change->more[axis], 3e-3);
            assert_near(found.apart_px[axis], -change->shift[axis], 3e-3);
            assert_near(found.removed.ramp[axis], -change->ramp[axis], 1e-4);
        }
        assert_near(cabs(found.removed.factor) * cabs(change->factor), 1, 1e-3);
        ff_comparison_dispose(&found);
    }
}

static void test_the_twin_is_named_and_can_be_left_alone(void **state)
{
    (void)state;
    struct change change = {.shift = {0.4, 0.3}, .ramp = {0.1, 0}, .factor = I, .zoom = 1};
    change.twin = true;
    struct ff_comparison found =
        compare(change, 0, (struct ff_comparison_options){.region = FF_REGION_SCANNED});
    assert_true(found.twin);
    assert_true(found.twin_ratio > 10);
    assert_near(found.object.relative, 0, 2e-3);
    assert_near(found.probe.relative, 0, 2e-2);
    ff_comparison_dispose(&found);
    found = compare(change, 0, (struct ff_comparison_options){.keep_hand = true});
    assert_false(found.twin);
    assert_true(found.object.relative > 0.2);
    ff_comparison_dispose(&found);
}

static void test_pixels_of_nearly_one_size_are_brought_to_one(void **state)
{
    (void)state;
    struct change change = {.shift = {0.4, 0.3}, .factor = 1, .zoom = 1.03};
    struct ff_comparison found =
        compare(change, 0, (struct ff_comparison_options){.region = FF_REGION_SCANNED});
    assert_near(found.scale[0], 1 / 1.03, 1e-9);
    assert_near(found.object.relative, 0, 5e-3);
    assert_near(found.probe.relative, 0, 3e-2);
    ff_comparison_dispose(&found);

    struct ff_error error = {0};
    struct ff_estimate reference = estimate_of(nothing);
    change.zoom = 1.2;
    struct ff_estimate estimate = estimate_of(change);
    struct ff_comparison_options options = {.region = FF_REGION_SCANNED};
    assert_int_equal(ff_compare(&estimate, &reference, &options, &found, &error), -1);
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_non_null(strstr(error.message, "12 nm"));
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&reference);
}

/* White noise of σ on both parts together: the error is σ √N / |O|, less six numbers of freedom. */
static void test_the_error_is_that_of_the_noise(void **state)
{
    (void)state;
    const double sigma = 0.1;
    struct change change = {.shift = {0.4, 0.3}, .ramp = {0.1, 0}, .factor = 1, .zoom = 1};
    struct ff_comparison found =
        compare(change, sigma, (struct ff_comparison_options){.region = FF_REGION_SCANNED});
    double power = 0;
    size_t pixels = 0;
    for (size_t r = found.box.from[0]; r < found.box.to[0]; r++)
        for (size_t c = found.box.from[1]; c < found.box.to[1]; c++, pixels++)
            power += ff_power(object_at((double)r, (double)c));
    double expected = sigma / sqrt(power / (double)pixels);
    assert_near(found.object.relative, expected, 0.06 * expected);
    assert_near(found.object.amplitude, expected / M_SQRT2, 0.06 * expected);
    for (size_t axis = 0; axis < 2; axis++)
        assert_near(found.removed.shift_px[axis], -change.shift[axis], 0.03);
    ff_comparison_dispose(&found);
}

static void test_a_region_can_be_given(void **state)
{
    (void)state;
    struct ff_comparison found = compare(
        nothing, 0.05,
        (struct ff_comparison_options){.region = FF_REGION_BOX, .box = {{40, 50}, {80, 101}}});
    assert_int_equal(found.pixels, 40 * 51);
    assert_int_equal(found.box.from[1], 50);
    ff_comparison_dispose(&found);
    found = compare(nothing, 0.05, (struct ff_comparison_options){.region = FF_REGION_ALL});
    assert_int_equal(found.pixels, ROWS * COLUMNS);
    ff_comparison_dispose(&found);
}

static void assert_refused(struct ff_estimate *estimate, struct ff_estimate *reference,
                           struct ff_comparison_options options)
{
    struct ff_error error = {0};
    struct ff_comparison found;
    assert_int_equal(ff_compare(estimate, reference, &options, &found, &error), -1);
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_true(error.message[0] != '\0');
}

static void test_what_cannot_be_compared_is_refused(void **state)
{
    (void)state;
    struct ff_estimate estimate = estimate_of(nothing);
    struct ff_estimate reference = estimate_of(nothing);
    assert_refused(
        &estimate, &reference,
        (struct ff_comparison_options){.region = FF_REGION_BOX, .box = {{500, 500}, {600, 600}}});
    assert_refused(
        &estimate, &reference,
        (struct ff_comparison_options){.region = FF_REGION_BOX, .box = {{40, 40}, {42, 90}}});
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        estimate.object.values[i] = 0;
    assert_refused(&estimate, &reference, (struct ff_comparison_options){.keep_hand = false});
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&reference);

    ff_complex values[64] = {0};
    struct ff_error error = {0};
    values[13] = NAN;
    const struct ff_estimate_source source = {.object = values, .rows = 8, .columns = 8};
    assert_int_equal(ff_estimate_create(&estimate, &source, &error), -1);
    assert_non_null(strstr(error.message, "row 1, column 5"));
}

/* Positions far outside of the array tell nothing: neither where the other lies, nor what is lit. */
static void test_absurd_positions_are_no_region(void **state)
{
    (void)state;
    struct ff_estimate estimate = estimate_of(nothing);
    struct ff_estimate reference = estimate_of(nothing);
    for (size_t i = 0; i < 2 * PATTERNS; i++)
        estimate.positions[i] = 1e300;
    assert_refused(&estimate, &reference,
                   (struct ff_comparison_options){.region = FF_REGION_SCANNED});
    ff_estimate_dispose(&estimate);
    ff_estimate_dispose(&reference);
}

/* A constant has no structure by which it could be shifted: nothing is invented. */
static void test_flat_objects_agree(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_estimate sides[2] = {estimate_of(nothing), estimate_of(nothing)};
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        sides[0].object.values[i] = 1;
        sides[1].object.values[i] = 2;
    }
    struct ff_comparison found;
    const struct ff_comparison_options options = {.region = FF_REGION_SCANNED};
    assert_ok(ff_compare(&sides[0], &sides[1], &options, &found, &error), error);
    assert_near(found.object.relative, 0, 1e-9);
    assert_near(found.removed.shift_px[0], 0, 1e-6);
    assert_near(cabs(found.removed.factor), 2, 1e-9);
    assert_true(isnan(found.ssim));
    ff_comparison_dispose(&found);
    ff_estimate_dispose(&sides[0]);
    ff_estimate_dispose(&sides[1]);
}

/* --- Fourier ring correlation --- */

static struct ff_frc frc_of_halves(size_t rows, size_t columns, double ratio)
{
    struct ff_error error = {0};
    struct ff_image halves[2];
    struct ff_map mask;
    struct ff_map window;
    struct ff_frc frc;
    assert_ok(ff_map_create(&mask, rows, columns, &error), error);
    assert_ok(ff_map_create(&window, rows, columns, &error), error);
    assert_ok(ff_image_create(&halves[0], rows, columns, &error), error);
    assert_ok(ff_image_create(&halves[1], rows, columns, &error), error);
    ff_region_fill(&(struct ff_box){{0, 0}, {rows, columns}}, &mask);
    assert_ok(ff_region_window(&mask, 16, &window, &error), error);
    seed(11);
    add_noise(&halves[0], 1); /* the signal they share: white */
    ff_image_place(&halves[0], (const long[]){0, 0}, &halves[1]);
    add_noise(&halves[0], sqrt(1 / ratio));
    add_noise(&halves[1], sqrt(1 / ratio));
    assert_ok(ff_frc_create(&halves[0], &halves[1], &window, (const double[]){1, 1}, &frc, &error),
              error);
    ff_image_dispose(&halves[0]);
    ff_image_dispose(&halves[1]);
    ff_map_dispose(&mask);
    ff_map_dispose(&window);
    return frc;
}

/* With a power ratio R of signal to noise in each half the expectation is R / (R + 1) at every
 * frequency. Half a bit in the sum of both is R = √2 - 1 there, half of that in
 * each. */
static void test_the_ring_correlation_is_that_of_theory(void **state)
{
    (void)state;
    static const double ratios[] = {0.1, 2, 8};
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++) {
        struct ff_frc frc = frc_of_halves(240, 256, ratios[i]);
        double mean = 0;
        size_t counted = 0;
        for (size_t k = 8; k < frc.rings; k++, counted++)
            mean += frc.correlation[k];
        assert_near(mean / (double)counted, ratios[i] / (1 + ratios[i]), 0.02);
        assert_true(frc.frequency[frc.rings - 1] <= 0.5 + 1e-9);
        assert_int_equal(frc.reaches_nyquist, ratios[i] > 1);
        ff_frc_dispose(&frc);
    }
}

/* The threshold is a half bit for many values, and the spread of a ring is that of its values. */
static void test_the_threshold_counts_independent_values(void **state)
{
    (void)state;
    double half_bit = (sqrt(2) - 1) / 2;
    assert_near(ff_frc_threshold(1e12), half_bit / (1 + half_bit), 2e-4);
    assert_near(ff_frc_threshold(1), 1, 1e-12);
    struct ff_frc frc = frc_of_halves(200, 200, 1e-9);
    double squares = 0;
    double expected = 0;
    for (size_t k = 10; k < frc.rings; k++) {
        /* Of n complex values the real part of the mean product varies by 1 / 2n; n is read from
         * the threshold. */
        double t = frc.threshold[k];
        double root = (1.9102 - 0.9102 * t) / (1.2071 * t - 0.2071);
        squares += frc.correlation[k] * frc.correlation[k];
        expected += 1 / (2 * root * root);
    }
    assert_near(squares / expected, 1, 0.3);
    ff_frc_dispose(&frc);
}

/* A signal up to a frequency, noise everywhere: the cut-off is found there. */
static void test_the_cut_off_is_where_the_signal_ends(void **state)
{
    (void)state;
    enum { SIDE = 256 };
    const double limit = 0.3; /* cycles per pixel */
    struct ff_error error = {0};
    struct ff_image halves[2];
    struct ff_map window;
    struct ff_frc frc;
    struct ff_fourier *fourier = ff_fourier_create(SIDE, SIDE, &error);
    assert_non_null(fourier);
    assert_ok(ff_map_create(&window, SIDE, SIDE, &error), error);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        window.values[i] = 1;
    seed(3);
    for (size_t h = 0; h < 2; h++)
        assert_ok(ff_image_create(&halves[h], SIDE, SIDE, &error), error);
    add_noise(&halves[0], 1);
    ff_fourier_forward(fourier, halves[0].values);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        if (hypot(ff_fourier_frequency(i / SIDE, SIDE), ff_fourier_frequency(i % SIDE, SIDE)) >
            limit)
            halves[0].values[i] = 0;
    ff_fourier_inverse(fourier, halves[0].values);
    ff_image_place(&halves[0], (const long[]){0, 0}, &halves[1]);
    add_noise(&halves[0], 0.5);
    add_noise(&halves[1], 0.5);
    assert_ok(ff_frc_create(&halves[0], &halves[1], &window, (const double[]){1, 1}, &frc, &error),
              error);
    assert_false(frc.reaches_nyquist);
    assert_near(frc.resolution_px, 0.5 / limit, 0.03);
    ff_frc_dispose(&frc);
    ff_image_dispose(&halves[0]);
    ff_image_dispose(&halves[1]);
    ff_map_dispose(&window);
    ff_fourier_destroy(fourier);
}

/* --- pieces --- */

static void test_a_peak_between_pixels_is_found(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct ff_image terms;
    assert_ok(ff_image_create(&terms, 30, 41, &error), error);
    for (size_t i = 0; i < 30 * 41; i++)
        terms.values[i] = ff_turn(
            -2 * M_PI *
            (ff_fourier_frequency(i / 41, 30) * 0.73 - ff_fourier_frequency(i % 41, 41) * 0.21));
    double place[2] = {1, 0};
    assert_ok(ff_fourier_peak(&terms, FF_PEAK_OF_SPECTRUM, place, &error), error);
    assert_near(place[0], 0.73, 2e-3);
    assert_near(place[1], -0.21, 2e-3);
    for (size_t i = 0; i < 30 * 41; i++)
        terms.values[i] = ff_turn(0.07 * (double)(i / 41) - 0.5 * (double)(i % 41));
    place[0] = 0;
    place[1] = -2 * M_PI * 3 / 41;
    assert_ok(ff_fourier_peak(&terms, FF_PEAK_OF_IMAGE, place, &error), error);
    assert_near(place[0], 0.07, 1e-3);
    assert_near(place[1], -0.5, 1e-3);
    ff_image_dispose(&terms);
}

static void test_sizes_have_small_factors(void **state)
{
    (void)state;
    assert_int_equal(ff_fourier_size(1), 1);
    assert_int_equal(ff_fourier_size(121), 125);
    assert_int_equal(ff_fourier_size(128), 128);
    assert_int_equal(ff_fourier_size(1021), 1024);
}

static double ssim_of(const struct ff_map *a, const struct ff_map *b, const struct ff_map *mask)
{
    struct ff_error error = {0};
    double ssim;
    assert_ok(ff_ssim(a, b, mask, &ssim, &error), error);
    return ssim;
}

static void test_similarity(void **state)
{
    (void)state;
    enum { SIDE = 48 };
    struct ff_error error = {0};
    struct ff_map a, b, mask;
    assert_ok(ff_map_create(&a, SIDE, SIDE, &error), error);
    assert_ok(ff_map_create(&b, SIDE, SIDE, &error), error);
    assert_ok(ff_map_create(&mask, SIDE, SIDE, &error), error);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        b.values[i] = (i / SIDE / 2 + i % SIDE / 2) % 2 ? 5.5 : 4.5;
        a.values[i] = b.values[i];
        mask.values[i] = i % SIDE >= 8;
    }
    assert_near(ssim_of(&a, &b, &mask), 1, 1e-12);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        if (!(mask.values[i] > 0))
            a.values[i] = NAN; /* outside the mask nothing counts */
    assert_near(ssim_of(&a, &b, &mask), 1, 1e-12);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        a.values[i] = 10 - b.values[i];
    assert_true(ssim_of(&a, &b, &mask) < 0);
    /* Constant images: only the luminance differs, by formula. */
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        b.values[i] = i == 9 ? 2 : 1; /* L = 1, by one pixel */
        a.values[i] = 3;
    }
    double far = (2 * 3 * 1 + 1e-4) / (9 + 1 + 1e-4);
    assert_near(ssim_of(&a, &b, &mask), far, 0.02);
    ff_map_dispose(&a);
    ff_map_dispose(&b);
    ff_map_dispose(&mask);
}

/* Modes mixed by a unitary matrix are the same probe; another mode is another one. */
static void test_mixed_modes_are_one_probe(void **state)
{
    (void)state;
    enum { SIDE = 16, PIXELS = SIDE * SIDE };
    struct ff_error error = {0};
    static ff_complex_double wanted[2 * PIXELS], mixed[2 * PIXELS];
    for (size_t i = 0; i < 2 * PIXELS; i++)
        wanted[i] = probe_at(i / PIXELS, (double)(i / SIDE % SIDE) - 8, (double)(i % SIDE) - 8);
    for (size_t i = 0; i < PIXELS; i++) {
        mixed[i] = 0.6 * wanted[i] + 0.8 * I * wanted[PIXELS + i];
        mixed[PIXELS + i] = 0.8 * I * wanted[i] + 0.6 * wanted[PIXELS + i];
    }
    const struct ff_probe_view reference = {wanted, 2, SIDE, SIDE};
    const struct ff_probe_view probe = {mixed, 2, SIDE, SIDE};
    const struct ff_probe_view first = {wanted, 1, SIDE, SIDE};
    struct ff_probe_error found;
    assert_ok(ff_probe_error(&probe, &reference, &found, &error), error);
    assert_near(found.relative, 0, 1e-7);
    assert_near(found.power_ratio, 1, 1e-12);
    assert_near(found.first_overlap, 1, 1e-5);
    assert_near(found.shares[0][1], found.shares[1][1], 1e-5);
    double share = found.shares[1][1];
    assert_ok(ff_probe_error(&first, &reference, &found, &error), error);
    double cosine = (1 - share) / sqrt((1 - share) * (1 - share) + share * share);
    assert_near(found.relative, sqrt(1 - cosine * cosine), 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_cannot_be_known_is_removed),
        cmocka_unit_test(test_the_twin_is_named_and_can_be_left_alone),
        cmocka_unit_test(test_pixels_of_nearly_one_size_are_brought_to_one),
        cmocka_unit_test(test_the_error_is_that_of_the_noise),
        cmocka_unit_test(test_a_region_can_be_given),
        cmocka_unit_test(test_what_cannot_be_compared_is_refused),
        cmocka_unit_test(test_absurd_positions_are_no_region),
        cmocka_unit_test(test_flat_objects_agree),
        cmocka_unit_test(test_the_ring_correlation_is_that_of_theory),
        cmocka_unit_test(test_the_threshold_counts_independent_values),
        cmocka_unit_test(test_the_cut_off_is_where_the_signal_ends),
        cmocka_unit_test(test_a_peak_between_pixels_is_found),
        cmocka_unit_test(test_sizes_have_small_factors),
        cmocka_unit_test(test_similarity),
        cmocka_unit_test(test_mixed_modes_are_one_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
