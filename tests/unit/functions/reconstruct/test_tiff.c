/* Images of numbers: written and read back, unwrapped, and hostile files refused. */
#include "tests/unit/check.h"

#include "functions/reconstruct/picture/tiff.h"
#include "functions/reconstruct/picture/unwrap.h"
#include "protocol/core/file.h"

#include <math.h>

enum { ROWS = 90, COLUMNS = 70, PAGES = 2 };

static int set_up(void **state)
{
    *state = make_folder();
    return 0;
}

static int tear_down(void **state)
{
    struct ff_error error;
    int result = ff_folder_remove(*state, &error);
    free(*state);
    return result;
}

static void test_what_is_written_is_read_back(void **state)
{
    static float values[PAGES * ROWS * COLUMNS];
    struct ff_error error = {0};
    struct ff_tiff image = {PAGES, ROWS, COLUMNS, values, {2.8e-8, 3.1e-8}};
    struct ff_tiff found;
    struct ff_buffer bytes;
    char *path = ff_path_join(*state, "image.tif");
    for (size_t i = 0; i < PAGES * ROWS * COLUMNS; i++)
        values[i] = sinf((float)i);
    ff_buffer_init(&bytes, 1 << 20);
    assert_ok(ff_tiff_encode(&image, "sines", &bytes, &error), error);
    assert_ok(ff_file_write(path, ff_buffer_span(&bytes), 0600, &error), error);
    assert_ok(ff_tiff_read(path, &found, &error), error);
    assert_int_equal(found.rows, ROWS);
    assert_int_equal(found.columns, COLUMNS);
    assert_memory_equal(found.values, values, ROWS * COLUMNS * sizeof(float));
    assert_true(fabs(found.pixel_m[0] / 2.8e-8 - 1) < 1e-5);
    assert_true(fabs(found.pixel_m[1] / 3.1e-8 - 1) < 1e-5);
    free(found.values);

    /* Cut off anywhere it is refused or read, and never more. */
    for (size_t size = 0; size < bytes.size; size += 997) {
        assert_ok(ff_file_write(path, (struct ff_span){bytes.data, size}, 0600, &error), error);
        if (ff_tiff_read(path, &found, &error) == 0)
            free(found.values);
        else
            assert_int_equal(error.code, FF_INPUT_INVALID);
    }
    ff_buffer_dispose(&bytes);
    free(path);
}

/* A steep hill of many turns, with noise below half a turn between neighbours. */
static void test_a_wrapped_phase_is_unwrapped(void **state)
{
    (void)state;
    static float phase[ROWS * COLUMNS];
    static double wanted[ROWS * COLUMNS];
    struct ff_error error = {0};
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        double y = (double)(i / COLUMNS) - 40;
        double x = (double)(i % COLUMNS) - 30;
        wanted[i] = 35 * exp(-(y * y + x * x) / 700) + 0.3 * sin((double)(i * i)) + 0.2 * x;
        phase[i] = (float)remainder(wanted[i], 2 * M_PI);
    }
    assert_ok(ff_unwrap(phase, ROWS, COLUMNS, &error), error);
    double offset = wanted[0] - (double)phase[0];
    double mean = 0;
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        assert_true(fabs(wanted[i] - (double)phase[i] - offset) < 1e-4);
        mean += (double)phase[i] / (ROWS * COLUMNS);
    }
    assert_true(fabs(remainder(offset, 2 * M_PI)) < 1e-4);
    assert_true(fabs(mean) <= M_PI + 1e-4);
}

/* A vortex cannot be unwrapped; what comes out still differs from what went in by whole turns. */
static void test_a_vortex_keeps_its_values_but_for_turns(void **state)
{
    (void)state;
    static float phase[ROWS * COLUMNS];
    static float before[ROWS * COLUMNS];
    struct ff_error error = {0};
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        phase[i] = before[i] =
            (float)atan2((double)(i / COLUMNS) - 40.5, (double)(i % COLUMNS) - 30.5);
    assert_ok(ff_unwrap(phase, ROWS, COLUMNS, &error), error);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        assert_true(fabs(remainder((double)phase[i] - (double)before[i], 2 * M_PI)) < 1e-4);
    assert_ok(ff_unwrap(phase, 1, COLUMNS, &error), error);
    assert_ok(ff_unwrap(phase, 1, 1, &error), error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_written_is_read_back, set_up, tear_down),
        cmocka_unit_test(test_a_wrapped_phase_is_unwrapped),
        cmocka_unit_test(test_a_vortex_keeps_its_values_but_for_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
