/*
 * tests/unit/functions/reconstruct/formats/made_scan.h: a scan of a few small frames with known
 * values, written by hand in whatever layout a test wants, and read again.
 *
 * Frames have more columns than rows, and one pixel whose value tells the number of the frame, so
 * that a frame that is turned, mirrored, shifted or exchanged is seen.
 */
#ifndef FF_TESTS_MADE_SCAN_H
#define FF_TESTS_MADE_SCAN_H

#include "tests/unit/check.h"

#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/formats/format.h"
#include "protocol/core/file.h"

#include <hdf5.h>
#include <math.h>
#include <stdbool.h>

enum { MADE_N = 12, MADE_H = 16, MADE_W = 20, MADE_PIXELS = MADE_H * MADE_W };
enum { MADE_ROW = 3, MADE_COLUMN = 5 }; /* of the pixel that tells the frame */

#define MADE_ENERGY_EV   8000.0
#define MADE_DISTANCE_M  2.0
#define MADE_PIXEL_M     50e-6
#define MADE_PROBE_VALUE 3.0f

/* Row-major (N, H, W). */
static inline uint16_t made_count(size_t n, size_t r, size_t c)
{
    if (r == MADE_ROW && c == MADE_COLUMN)
        return (uint16_t)(100 + n);
    return r == MADE_H / 2 && c == MADE_W / 2 ? 900 : (uint16_t)((r * 7 + c * 3) % 11);
}

static inline const uint16_t *made_frames(void)
{
    static uint16_t frames[MADE_N * MADE_PIXELS];
    for (size_t i = 0; i < MADE_N * MADE_PIXELS; i++)
        frames[i] = made_count(i / MADE_PIXELS, i % MADE_PIXELS / MADE_W, i % MADE_W);
    return frames;
}

/* Where the probe was, in metres; no symmetry exchanges rows and columns or reverses them. */
static inline double made_y(size_t n)
{
    return 2e-7 * (double)(n / 4) + 1e-8 * (double)(n * n);
}

static inline double made_x(size_t n)
{
    return 3e-7 * (double)(n % 4) + 2e-8 * (double)n;
}

static inline double made_object_pixel(size_t axis)
{
    double wavelength = FF_PLANCK_J_S * FF_LIGHT_M_S / (MADE_ENERGY_EV * FF_ELECTRON_V_J);
    return wavelength * MADE_DISTANCE_M / (MADE_PIXEL_M * (axis == 0 ? MADE_H : MADE_W));
}

/* --- HDF5 --- */

static inline hid_t made_file(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static inline void made_put(hid_t file, const char *path, hid_t type, int rank,
                            const hsize_t *shape, const void *values)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t space = rank > 0 ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(id >= 0);
    if (values != NULL)
        assert_true(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(links);
}

static inline void made_put_number(hid_t file, const char *path, double value)
{
    made_put(file, path, H5T_NATIVE_DOUBLE, 0, NULL, &value);
}

static inline void made_put_attribute(hid_t file, const char *path, const char *name, double value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    hid_t id = H5Acreate2(object, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(id >= 0 && H5Awrite(id, H5T_NATIVE_DOUBLE, &value) >= 0);
    H5Aclose(id);
    H5Oclose(object);
    H5Sclose(space);
}

static inline void made_put_frames(hid_t file, const char *path)
{
    made_put(file, path, H5T_NATIVE_UINT16, 3, (const hsize_t[]){MADE_N, MADE_H, MADE_W},
             made_frames());
}

/* One coordinate in units of `unit`, times `sign`. */
static inline void made_put_line(hid_t file, const char *path, double (*at)(size_t), double unit)
{
    double values[MADE_N];
    for (size_t n = 0; n < MADE_N; n++)
        values[n] = at(n) / unit;
    made_put(file, path, H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){MADE_N}, values);
}

/* (N, 2) as (y, x). */
static inline void made_put_yx(hid_t file, const char *path, double unit)
{
    double values[2 * MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        values[2 * n] = made_y(n) / unit;
        values[2 * n + 1] = made_x(n) / unit;
    }
    made_put(file, path, H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){MADE_N, 2}, values);
}

/* --- reading --- */

struct made_place {
    char *folder, *path;
    struct ff_settings *settings;
    struct ff_measurement measurement;
    struct ff_buffer notes;
    char format[FF_FORMAT_NAME_SIZE];
};

static inline int made_set_up(void **state)
{
    struct made_place *place = calloc(1, sizeof *place);
    struct ff_error error = {0};
    place->folder = make_folder();
    place->path = ff_path_join(place->folder, "scan.h5");
    place->settings = ff_settings_create(&error);
    assert_non_null(place->settings);
    assert_ok(ff_options_set(&ff_settings_table, place->settings, "input", place->path, &error),
              error);
    ff_buffer_init(&place->notes, FF_NOTES_BYTES_MAX);
    *state = place;
    return 0;
}

static inline int made_tear_down(void **state)
{
    struct made_place *place = *state;
    struct ff_error error;
    ff_measurement_dispose(&place->measurement);
    ff_settings_destroy(place->settings);
    ff_buffer_dispose(&place->notes);
    int result = ff_folder_remove(place->folder, &error);
    free(place->folder);
    free(place->path);
    free(place);
    return result;
}

static inline void made_set(struct made_place *place, const char *key, const char *value)
{
    struct ff_error error = {0};
    assert_ok(ff_options_set(&ff_settings_table, place->settings, key, value, &error), error);
}

/* The name of a file in the test's folder, to be freed. */
static inline char *made_path(const struct made_place *place, const char *name)
{
    char *path = ff_path_join(place->folder, name);
    assert_non_null(path);
    return path;
}

static inline void made_set_path(struct made_place *place, const char *key, const char *name)
{
    char *path = made_path(place, name);
    made_set(place, key, path);
    free(path);
}

static inline void made_set_geometry(struct made_place *place)
{
    made_set(place, "energy_eV", "8000");
    made_set(place, "distance_m", "2");
    made_set(place, "detector_pixel_um", "50");
}

static inline int made_try(struct made_place *place, struct ff_error *error)
{
    ff_measurement_dispose(&place->measurement);
    ff_buffer_clear(&place->notes);
    return ff_format_read(place->settings, place->format, &place->measurement, &place->notes,
                          error);
}

static inline void made_read(struct made_place *place)
{
    struct ff_error error = {0};
    if (made_try(place, &error) < 0)
        fail_msg("%s (%s)", error.message, error.hint);
}

static inline void made_assert_refused(struct made_place *place, const char *what,
                                       const char *remedy)
{
    struct ff_error error = {0};
    assert_int_equal(made_try(place, &error), -1);
    if (strstr(error.message, what) == NULL || strstr(error.hint, remedy) == NULL)
        fail_msg("\"%s\" (%s) does not say \"%s\" and \"%s\"", error.message, error.hint, what,
                 remedy);
}

static inline double made_value(const struct ff_measurement *measurement, size_t n, size_t r,
                                size_t c)
{
    size_t at = (n * measurement->rows + r) * measurement->columns + c;
    return measurement->counts.u16 != NULL ? (double)measurement->counts.u16[at]
                                           : (double)measurement->counts.f32[at];
}

/* All of a frame, DC at the corner. */
static inline void made_assert_frame(const struct ff_measurement *measurement, size_t n,
                                     size_t frame)
{
    for (size_t r = 0; r < MADE_H; r++)
        for (size_t c = 0; c < MADE_W; c++) {
            double value =
                made_value(measurement, n, (r + MADE_H / 2) % MADE_H, (c + MADE_W / 2) % MADE_W);
            if (fabs(value - made_count(frame, r, c)) > 1e-9)
                fail_msg("pattern %zu, row %zu, column %zu is %g, not %u", n, r, c, value,
                         (unsigned)made_count(frame, r, c));
        }
}

/* Positions but for a common shift, within `within` metres. */
static inline void made_assert_positions(const struct ff_measurement *measurement, double within)
{
    for (size_t n = 0; n < MADE_N; n++) {
        double y = measurement->positions_m[2 * n] - measurement->positions_m[0];
        double x = measurement->positions_m[2 * n + 1] - measurement->positions_m[1];
        if (fabs(y - (made_y(n) - made_y(0))) > within ||
            fabs(x - (made_x(n) - made_x(0))) > within)
            fail_msg("position %zu is (%g, %g), not (%g, %g)", n, y, x, made_y(n) - made_y(0),
                     made_x(n) - made_x(0));
    }
}

static inline void made_assert_scan(const struct made_place *place, double within)
{
    const struct ff_measurement *measurement = &place->measurement;
    assert_int_equal(measurement->patterns, MADE_N);
    assert_int_equal(measurement->rows, MADE_H);
    assert_int_equal(measurement->columns, MADE_W);
    assert_non_null(measurement->counts.u16);
    for (size_t n = 0; n < MADE_N; n++)
        made_assert_frame(measurement, n, n);
    made_assert_positions(measurement, within);
}

static inline void made_assert_geometry(const struct made_place *place)
{
    const struct ff_measurement *measurement = &place->measurement;
    assert_true(fabs(measurement->energy_J / FF_ELECTRON_V_J / MADE_ENERGY_EV - 1) < 1e-6);
    assert_true(fabs(measurement->distance_m / MADE_DISTANCE_M - 1) < 1e-9);
    for (size_t axis = 0; axis < 2; axis++) {
        assert_true(fabs(measurement->detector_pixel_m[axis] / MADE_PIXEL_M - 1) < 1e-9);
        assert_true(fabs(measurement->object_pixel_m[axis] / made_object_pixel(axis) - 1) < 1e-6);
    }
}

static inline void made_assert_notes(struct made_place *place, const char *words)
{
    if (strstr(ff_buffer_text(&place->notes), words) == NULL)
        fail_msg("the notes do not say \"%s\": %s", words, ff_buffer_text(&place->notes));
}

#define MADE_TEST(name) cmocka_unit_test_setup_teardown(name, made_set_up, made_tear_down)

#endif
