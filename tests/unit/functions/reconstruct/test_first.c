/* What a reconstruction begins with: the probe from optics, in a smaller window, of a near field; the object of an
 * earlier result. */
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/first_object.h"
#include "functions/reconstruct/place.h"
#include "functions/reconstruct/result.h"

#include <complex.h>

enum { SIDE = 64, PATTERNS = 9 };

#define WAVELENGTH_M (FF_PLANCK_J_S * FF_LIGHT_M_S / (MADE_ENERGY_EV * FF_ELECTRON_V_J))

/* A scan of flat frames on a grid of 3 × 3. */
static struct ff_measurement flat_scan(void)
{
    struct ff_error error = {0};
    struct ff_measurement measurement = {
        .patterns = PATTERNS,
        .fly = 1,
        .rows = SIDE,
        .columns = SIDE,
        .wavelength_m = WAVELENGTH_M,
        .energy_J = MADE_ENERGY_EV * FF_ELECTRON_V_J,
        .distance_m = MADE_DISTANCE_M,
        .detector_pixel_m = {MADE_PIXEL_M, MADE_PIXEL_M},
    };
    double step = 8 * WAVELENGTH_M * MADE_DISTANCE_M / (SIDE * MADE_PIXEL_M);
    uint16_t *counts = ff_array_create(PATTERNS * SIDE * SIDE, sizeof *counts, "counts", &error);
    measurement.positions_m = ff_array_create(PATTERNS, 2 * sizeof(double), "positions", &error);
    for (size_t i = 0; i < PATTERNS * SIDE * SIDE; i++)
        counts[i] = 5;
    for (size_t n = 0; n < PATTERNS; n++) {
        measurement.positions_m[2 * n] = step * (double)(n / 3);
        measurement.positions_m[2 * n + 1] = step * (double)(n % 3);
    }
    measurement.counts.u16 = counts;
    measurement.total_counts = 5.0 * PATTERNS * SIDE * SIDE;
    return measurement;
}

static struct ff_problem *build(struct made_place *place, struct ff_measurement *measurement)
{
    struct ff_error error = {0};
    struct ff_problem *problem =
        ff_problem_of_measurement(measurement, place->path, place->settings, &error);
    if (problem == NULL)
        fail_msg("%s (%s)", error.message, error.hint);
    assert_ok(ff_problem_check(problem, &error), error);
    return problem;
}

static double power_of(const ff_complex *values, size_t count)
{
    double power = 0;
    for (size_t i = 0; i < count; i++)
        power += pow((double)cabsf(values[i]), 2);
    return power;
}

/* The mean distance of the light from the middle, in pixels. */
static double radius_of(const struct ff_problem *problem)
{
    double sum = 0;
    double moment = 0;
    size_t columns = problem->probe_columns;
    for (size_t i = 0; i < problem->probe_rows * columns; i++) {
        double light = pow((double)cabsf(problem->probe[i]), 2);
        sum += light;
        moment += light * hypot((double)(i / columns) - (double)(problem->probe_rows / 2),
                                (double)(i % columns) - (double)(columns / 2));
    }
    return moment / sum;
}

/* How much of the light falls within so many pixels of the middle. */
static double share_within(const struct ff_problem *problem, double radius)
{
    double inside = 0;
    size_t columns = problem->probe_columns;
    for (size_t i = 0; i < problem->probe_rows * columns; i++)
        if (hypot((double)(i / columns) - (double)(problem->probe_rows / 2),
                  (double)(i % columns) - (double)(columns / 2)) < radius)
            inside += pow((double)cabsf(problem->probe[i]), 2);
    return inside / power_of(problem->probe, problem->probe_rows * columns);
}

/* A defocus z spreads the light over a cone: the rim of the pupil, under the angle λ / (2 Δr), lands at z λ / (2 Δr),
 * and a disc of that radius has its light in the mean at two thirds of it. */
static void test_a_zone_plate_out_of_focus(void **state)
{
    struct made_place *place = *state;
    struct ff_measurement measurement = flat_scan();
    double pixel = WAVELENGTH_M * MADE_DISTANCE_M / (SIDE * MADE_PIXEL_M);
    double zone_m = 1.5 * pixel;
    double rim_px = 20;
    double defocus_m = rim_px * pixel * 2 * zone_m / WAVELENGTH_M;
    char text[64];
    made_set(place, "zone_plate_um", "200");
    snprintf(text, sizeof text, "%.9g", 1e9 * zone_m);
    made_set(place, "outer_zone_nm", text);
    struct ff_problem *focus = build(place, &measurement);
    snprintf(text, sizeof text, "%.9g", 1e6 * defocus_m);
    made_set(place, "defocus_um", text);
    measurement = flat_scan();
    struct ff_problem *spread = build(place, &measurement);
    assert_true(radius_of(focus) < 8);
    assert_true(fabs(radius_of(spread) / (2 * rim_px / 3) - 1) < 0.12);
    /* With a stop of half the diameter the middle of the cone is dark. */
    made_set(place, "central_stop_um", "100");
    measurement = flat_scan();
    struct ff_problem *ring = build(place, &measurement);
    assert_true(fabs(share_within(spread, rim_px / 2) - 0.25) < 0.05);
    assert_true(share_within(ring, rim_px / 2) < 0.1);
    double wanted = 5.0 * SIDE * SIDE;
    assert_true(fabs(power_of(ring->probe, SIDE * SIDE) / wanted - 1) < 1e-5);
    ff_problem_destroy(focus);
    ff_problem_destroy(spread);
    ff_problem_destroy(ring);
}

static void test_optics_that_cannot_be(void **state)
{
    struct made_place *place = *state;
    static const struct {
        const char *key, *value, *what;
    } cases[] = {
        {"outer_zone_nm", "3", "outermost zones of 3 nm"},
        {"central_stop_um", "300", "'central_stop_um' is 300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        struct ff_measurement measurement = flat_scan();
        made_set(place, "zone_plate_um", "200");
        made_set(place, "outer_zone_nm", "100");
        made_set(place, cases[i].key, cases[i].value);
        assert_null(ff_problem_of_measurement(&measurement, "scan", place->settings, &error));
        if (strstr(error.message, cases[i].what) == NULL)
            fail_msg("%s", error.message);
    }
}

/* The window is cut out of the middle, its pixel stays, and the object ends where the window does. */
static void test_a_window_smaller_than_a_frame(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    struct ff_measurement measurement = flat_scan();
    ff_complex *given = ff_array_create(SIDE * SIDE, sizeof *given, "a probe", &error);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        given[i] = (float)(1 + i / SIDE) + (float)(i % SIDE) / 100;
    measurement.probe = given;
    measurement.probe_modes = 1;
    measurement.probe_rows = measurement.probe_columns = SIDE;
    made_set(place, "pad", "24");
    struct ff_problem *problem = build(place, &measurement);
    assert_int_equal(problem->rows, SIDE);
    assert_int_equal(problem->probe_rows, SIDE - 24);
    double pixel = WAVELENGTH_M * MADE_DISTANCE_M / (SIDE * MADE_PIXEL_M);
    assert_true(fabs(problem->geometry.object_pixel_m[0] / pixel - 1) < 1e-12);
    assert_int_equal(problem->object_rows, SIDE - 24 + 16 + 2 * FF_OBJECT_MARGIN);
    float ratio = crealf(problem->probe[7 * (SIDE - 24) + 5]) / (float)(1 + 19 + 0.17);
    float other = crealf(problem->probe[30 * (SIDE - 24) + 22]) / (float)(1 + 42 + 0.34);
    assert_true(fabsf(ratio / other - 1) < 1e-5F);
    ff_problem_destroy(problem);
    measurement = flat_scan();
    made_set(place, "pad", "60");
    assert_null(ff_problem_of_measurement(&measurement, "scan", place->settings, &error));
    assert_non_null(strstr(error.message, "'pad' is 60"));
}

/* A flat image comes from a flat wave, whatever lies between; its pixel is that of the detector. */
static void test_the_probe_of_a_near_field(void **state)
{
    struct made_place *place = *state;
    struct ff_measurement measurement = flat_scan();
    measurement.near_field = true;
    double side = MADE_PIXEL_M / 50;
    measurement.detector_pixel_m[0] = measurement.detector_pixel_m[1] = side;
    for (size_t n = 0; n < PATTERNS; n++) {
        measurement.positions_m[2 * n] = 4 * side * (double)(n / 3);
        measurement.positions_m[2 * n + 1] = 4 * side * (double)(n % 3);
    }
    struct ff_problem *problem = build(place, &measurement);
    assert_true(fabs(problem->geometry.object_pixel_m[1] / side - 1) < 1e-12);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_true(fabsf(cabsf(problem->probe[i]) - sqrtf(5)) < 1e-3F);
    ff_problem_destroy(problem);
}

/* An object written by one run begins another, though that has another pixel and another margin. */
static void test_the_object_of_a_result(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    struct ff_measurement measurement = flat_scan();
    struct ff_problem *problem = build(place, &measurement);
    size_t rows = problem->object_rows;
    size_t columns = problem->object_columns;
    problem->object = ff_array_create(rows * columns, sizeof(ff_complex), "an object", &error);
    assert_non_null(problem->object);
    for (size_t i = 0; i < rows * columns; i++) /* a plane, which interpolation keeps */
        problem->object[i] = 1 + 0.01F * (float)(i / columns) + 0.03F * (float)(i % columns);
    char *path = made_path(place, "result.h5");
    const double cost[] = {1};
    const struct ff_result_content content = {.problem = problem,
                                              .object = problem->object,
                                              .probe = problem->probe,
                                              .modes = 1,
                                              .costs = cost,
                                              .epochs = 1,
                                              .stopped = "done",
                                              .settings = "{}",
                                              .device = "cpu"};
    assert_ok(ff_result_write(path, &content, &error), error);
    measurement = flat_scan();
    measurement.object_pixel_m[0] = measurement.object_pixel_m[1] =
        problem->geometry.object_pixel_m[0] / 2;
    made_set(place, "initial_object", path);
    struct ff_problem *again = build(place, &measurement);
    assert_ok(ff_first_object_read(path, again, &error), error);
    /* The same place: the middle of the first patch, and 6 coarse pixels from it. */
    size_t window = SIDE / 2;
    const size_t coarse[2] = {(size_t)problem->positions[0] + window,
                              (size_t)problem->positions[1] + window};
    const size_t fine[2] = {(size_t)again->positions[0] + window,
                            (size_t)again->positions[1] + window};
    for (size_t k = 0; k < 6; k++) {
        ff_complex there = problem->object[(coarse[0] + k) * columns + coarse[1] + 2 * k];
        ff_complex here =
            again->object[(fine[0] + 2 * k) * again->object_columns + fine[1] + 4 * k];
        assert_true(cabsf(there - here) < 1e-4F);
    }
    ff_problem_destroy(problem);
    ff_problem_destroy(again);
    free(path);
}

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_a_zone_plate_out_of_focus),     MADE_TEST(test_optics_that_cannot_be),
        MADE_TEST(test_a_window_smaller_than_a_frame), MADE_TEST(test_the_probe_of_a_near_field),
        MADE_TEST(test_the_object_of_a_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
