/* Positions: which belongs to which frame, those within an exposure, in tables and in any unit. */
#include "tests/unit/functions/reconstruct/formats/made_npz.h"
#include "tests/unit/functions/reconstruct/formats/made_scan.h"

#include "functions/reconstruct/formats/store.h"

#define POSITIONS_Y "/entry/measurement/pseudo/y"
#define POSITIONS_X "/entry/measurement/pseudo/x"

static void write_description(struct made_place *place, const char *text)
{
    struct ff_error error = {0};
    char *path = made_path(place, "format.yaml");
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
    made_set(place, "format", path);
    free(path);
}

static void write_text(struct made_place *place, const char *name, const char *text)
{
    struct ff_error error = {0};
    char *path = made_path(place, name);
    assert_ok(ff_file_write(path, ff_span_of(text), 0600, &error), error);
    free(path);
}

/* A file with frames alone, and the geometry by settings. */
static void write_frames(struct made_place *place)
{
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    H5Fclose(file);
    made_set_geometry(place);
}

/* Frames and positions carry numbers; some of each were lost. */
static void test_lost_frames_and_positions(void **state)
{
    struct made_place *place = *state;
    static const int32_t frame_ids[MADE_N] = {3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 99};
    int32_t ids[MADE_N + 2];
    double y[MADE_N + 2];
    double x[MADE_N + 2];
    for (size_t k = 0; k < MADE_N + 2; k++) { /* numbers 16 … 3, backwards */
        size_t id = 16 - k;
        ids[k] = (int32_t)id;
        y[k] = 1e-7 * (double)id;
        x[k] = 2e-7 * (double)(id % 3);
    }
    const hsize_t frames[] = {MADE_N};
    const hsize_t places[] = {MADE_N + 2};
    hid_t file = made_file(place->path);
    made_put_frames(file, "/frames");
    made_put(file, "/trigger", H5T_NATIVE_INT32, 1, frames, frame_ids);
    made_put(file, "/number", H5T_NATIVE_INT32, 1, places, ids);
    made_put(file, "/y", H5T_NATIVE_DOUBLE, 1, places, y);
    made_put(file, "/x", H5T_NATIVE_DOUBLE, 1, places, x);
    H5Fclose(file);
    made_set_geometry(place);
    write_description(place, "frames: /frames\npositions_y: /y m\npositions_x: /x m\n");
    made_assert_refused(place, "14 positions and there are 12 frames", "trigger");
    write_description(place, "frames: /frames\npositions_y: /y m\npositions_x: /x m\n"
                             "frame_ids: /trigger\nposition_ids: /number\n");
    made_read(place);
    const struct ff_measurement *measurement = &place->measurement;
    assert_int_equal(measurement->patterns, MADE_N - 1);
    made_assert_notes(place, "1 of 12 frames have no position of their number (first: frame 11)");
    made_assert_notes(place, "3 of 14 positions have no frame");
    for (size_t n = 0; n < MADE_N - 1; n++) {
        made_assert_frame(measurement, n, n);
        assert_true(fabs(measurement->positions_m[2 * n] - 1e-7 * frame_ids[n]) < 1e-13);
        assert_true(fabs(measurement->positions_m[2 * n + 1] - 2e-7 * (frame_ids[n] % 3)) < 1e-13);
    }
}

static void test_repeated_numbers(void **state)
{
    struct made_place *place = *state;
    struct ff_buffer text;
    char *table = made_path(place, "samples.csv");
    ff_buffer_init(&text, 1 << 16);
    ff_buffer_append_text(&text, "# frame, y, x\n");
    for (size_t n = 0; n < MADE_N; n++) /* the middle one lies 6 nm beside the mean of the ends */
        for (int k = -1; k <= 1; k++)
            ff_buffer_printf(&text, "%zu, %.6f, %.6f\n", n, 1e9 * made_y(n) + (k == 0 ? 6 : 2 * k),
                             1e9 * made_x(n) + 5 * k);
    write_text(place, "samples.csv", ff_buffer_text(&text));
    write_frames(place);
    made_set(place, "positions_file", table);
    const char *start =
        "frames: /dp\npositions_y: /y nm\npositions_x: /x nm\nposition_ids: /frame\n";
    write_description(place, start);
    made_assert_refused(place, "3 positions have the number 0", "repeated_ids");
    char description[512];
    snprintf(description, sizeof description, "%srepeated_ids: ends\n", start);
    write_description(place, description);
    made_read(place);
    made_assert_scan(place, 1e-14);
    snprintf(description, sizeof description, "%srepeated_ids: mean\n", start);
    write_description(place, description);
    made_read(place);
    made_assert_scan(place, 1e-14); /* all are 2 nm aside, which is common */
    assert_true(fabs(place->measurement.positions_m[0] - (made_y(0) + 2e-9)) < 1e-14);
    ff_buffer_dispose(&text);
    free(table);
}

/* Three positions within each exposure: (N, 3, 2), and the same in one list of 3 N. */
static void test_fly_scans(void **state)
{
    struct made_place *place = *state;
    double yx[MADE_N * 3 * 2];
    for (size_t i = 0; i < 3 * (size_t)MADE_N; i++) {
        yx[2 * i] = made_y(i / 3) + 1e-9 * (double)(i % 3);
        yx[2 * i + 1] = made_x(i / 3) - 2e-9 * (double)(i % 3);
    }
    const hsize_t within[] = {MADE_N, 3, 2};
    const hsize_t list[] = {(hsize_t)3 * MADE_N, 2};
    for (int one_list = 0; one_list < 2; one_list++) {
        hid_t file = made_file(place->path);
        made_put_frames(file, "/dp");
        made_put(file, "/yx", H5T_NATIVE_DOUBLE, one_list ? 2 : 3, one_list ? list : within, yx);
        H5Fclose(file);
        made_set_geometry(place);
        write_description(place, "frames: /dp\npositions: /yx m\nposition_columns: y x\n");
        if (one_list) {
            made_assert_refused(place, "36 positions and there are 12 frames", "fly=3");
            made_set(place, "fly", "3");
        }
        made_read(place);
        assert_int_equal(place->measurement.fly, 3);
        assert_int_equal(place->measurement.patterns, MADE_N);
        for (size_t i = 0; i < 6 * (size_t)MADE_N; i++)
            assert_true(fabs(place->measurement.positions_m[i] - yx[i]) < 1e-15);
    }
}

/* One position a frame: those within the exposure lie on the path, and not on the jump back at the end of a line. */
static void test_fly_positions_along_the_path(void **state)
{
    struct made_place *place = *state;
    double y[MADE_N];
    double x[MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        y[n] = 1e-7 * (double)(n / 6);
        x[n] = 1e-7 * (double)(n % 6);
    }
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    made_put(file, "/ppY", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){MADE_N}, y);
    made_put(file, "/ppX", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){MADE_N}, x);
    H5Fclose(file);
    made_set_geometry(place);
    made_set(place, "fly", "4");
    made_read(place);
    assert_int_equal(place->measurement.fly, 4);
    made_assert_notes(place, "4 positions within each exposure");
    for (size_t n = 0; n < MADE_N; n++)
        for (size_t k = 0; k < 4; k++) {
            const double *at = place->measurement.positions_m + 2 * (4 * n + k);
            assert_true(fabs(at[0] - y[n]) < 1e-15);
            assert_true(fabs(at[1] - (x[n] + 1e-7 * ((double)k + 0.5 - 2) / 4)) < 1e-15);
        }
}

static void test_signs(void **state)
{
    struct made_place *place = *state;
    static const struct {
        const char *keys;
        double y, x;
    } cases[] = {
        {"", 1, 1},
        {"flip_positions: rows\n", -1, 1},
        {"flip_positions: columns\n", 1, -1},
        {"flip_positions: both\n", -1, -1},
        {"moves: sample\n", -1, -1},
        {"moves: sample\nflip_positions: columns\n", -1, 1},
    };
    hid_t file = made_file(place->path);
    made_put_frames(file, "/dp");
    made_put_line(file, "/ppY", made_y, 1);
    made_put_line(file, "/ppX", made_x, 1);
    H5Fclose(file);
    made_set_geometry(place);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "frames: /dp\npositions_y: /ppY m\npositions_x: /ppX m\n%s",
                 cases[i].keys);
        write_description(place, text);
        made_read(place);
        const double *at = place->measurement.positions_m + 2 * 7;
        assert_true(fabs(at[0] - cases[i].y * made_y(7)) < 1e-15);
        assert_true(fabs(at[1] - cases[i].x * made_x(7)) < 1e-15);
    }
}

/* The dataset's own attribute counts more than a description, and the setting more than both. */
static void test_units(void **state)
{
    struct made_place *place = *state;
    for (int attribute = 0; attribute < 2; attribute++) {
        hid_t file = made_file(place->path);
        made_put_frames(file, "/entry/measurement/eiger1m/frames");
        made_put_line(file, POSITIONS_Y, made_y, attribute ? 1e-3 : 1e-6);
        made_put_line(file, POSITIONS_X, made_x, attribute ? 1e-3 : 1e-6);
        for (int i = 0; attribute && i < 2; i++) {
            hid_t text = H5Tcopy(H5T_C_S1);
            hid_t space = H5Screate(H5S_SCALAR);
            hid_t object = H5Oopen(file, i == 0 ? POSITIONS_Y : POSITIONS_X, H5P_DEFAULT);
            H5Tset_size(text, 3);
            hid_t id = H5Acreate2(object, "units", text, space, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(id, text, "mm");
            H5Aclose(id);
            H5Oclose(object);
            H5Sclose(space);
            H5Tclose(text);
        }
        H5Fclose(file);
        made_set_geometry(place);
        made_read(place);
        made_assert_scan(place, 1e-14);
    }
    made_set(place, "positions_unit", "um");
    made_read(place);
    assert_true(fabs(place->measurement.positions_m[2] / (1e-3 * made_y(1)) - 1) < 1e-9);
}

static void test_pixels_are_those_of_whole_frames(void **state)
{
    struct made_place *place = *state;
    hid_t file = made_file(place->path);
    double yx[2 * MADE_N];
    for (size_t n = 0; n < MADE_N; n++) {
        yx[2 * n] = made_y(n) / made_object_pixel(0);
        yx[2 * n + 1] = made_x(n) / made_object_pixel(1);
    }
    made_put_frames(file, "/dp");
    made_put(file, "/yx", H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){MADE_N, 2}, yx);
    H5Fclose(file);
    made_set_geometry(place);
    made_set(place, "crop", "8");
    write_description(place, "frames: /dp\npositions: /yx px\nposition_columns: y x\n");
    made_read(place);
    made_assert_positions(&place->measurement, 1e-14);
    assert_true(fabs(place->measurement.object_pixel_m[0] / (2 * made_object_pixel(0)) - 1) < 1e-6);
}

static void test_positions_in_npy(void **state)
{
    struct made_place *place = *state;
    struct ff_error error = {0};
    struct ff_buffer bytes;
    float yx[2 * MADE_N]; /* FORTRAN order: all y, then all x */
    for (size_t n = 0; n < MADE_N; n++) {
        yx[n] = (float)(1e6 * made_y(n));
        yx[MADE_N + n] = (float)(1e6 * made_x(n));
    }
    const struct made_member member = {"", "<f4", "(12, 2)", yx, sizeof yx, true, false};
    ff_buffer_init(&bytes, 1 << 16);
    made_append_npy(&bytes, &member);
    char *path = made_path(place, "positions.npy");
    assert_ok(ff_file_write(path, ff_buffer_span(&bytes), 0600, &error), error);
    write_frames(place);
    made_set(place, "positions_file", path);
    write_description(place, "frames: /dp\npositions: /array um\nposition_columns: y x\n");
    made_read(place);
    made_assert_scan(place, 1e-12);
    made_set(place, "format", "auto");
    made_set(place, "positions_columns", "array");
    made_set(place, "positions_unit", "um");
    made_read(place); /* as x, y, z unless a description says otherwise */
    assert_true(fabs(place->measurement.positions_m[2] - made_x(1)) < 1e-12);
    ff_buffer_dispose(&bytes);
    free(path);
}

static void test_bad_tables(void **state)
{
    struct made_place *place = *state;
    static const struct {
        const char *text, *what, *remedy;
    } cases[] = {
        {"1,2\n3,4\n5\n", "line 3: 1 numbers where the rows before have 2", "cut off"},
        {"1,2\n3,four\n", "line 2 is no row of numbers: \"3,four\"", "#"},
        {"x,y\n", "no row of numbers", "commas"},
        {"", "table.csv holds no row of numbers", "commas"},
        {"1,2\n3,nan\n", "position 1 is (nan, 3)", "not recorded"},
        {"0,0\n1,1\n", "2 positions and there are 12 frames", "partner"},
    };
    char *table = made_path(place, "table.csv");
    write_frames(place);
    made_set(place, "positions_file", table);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_text(place, "table.csv", cases[i].text);
        made_assert_refused(place, cases[i].what, cases[i].remedy);
    }
    write_text(place, "table.csv", "1,2\n");
    made_set(place, "positions_columns", "2,7");
    made_assert_refused(place, "has no positions: there is no dataset /2 or /7", "columns");
    free(table);
}

static void test_bad_descriptions(void **state)
{
    struct made_place *place = *state;
    static const struct {
        const char *text, *what, *remedy;
    } cases[] = {
        {"frams: /dp\n", "line 1: a format description has no setting 'frams'", "frames"},
        {"frames: /dp\ndistance: 2 furlongs\n", "line 2: '2 furlongs'", "units are"},
        {"frames: /dp\nflip_frames: row\n", "'flip_frames' cannot be 'row'", "rows"},
        {"frames: /dp\nframe_axes: frame row\n", "'frame_axes' cannot be 'frame row'", "column"},
        {"frames: /dp\nposition_columns: a b\n", "'position_columns'", "y and x"},
        {"distance: 2 m\n", "does not say where the frames are", "frames"},
        {"frames: [/dp, *a]\n", "", ""},
        {"frames:\n  deep:\n    er: 1\n", "nested too deep", ""},
    };
    write_frames(place);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_description(place, cases[i].text);
        made_assert_refused(place, cases[i].what, cases[i].remedy);
    }
    made_set(place, "format", "lynxx");
    made_assert_refused(place, "'format' cannot be 'lynxx'", "lynx");
    made_set(place, "format", "product");
    made_assert_refused(place, "has no frames", "positions_file");
}

/* A few bytes that claim gigabytes: refused before anything is allocated. */
static void test_claims_in_npz(void **state)
{
    struct made_place *place = *state;
    static const uint8_t few[64];
    const struct made_member lies[] = {
        {"patterns", "<u2", "(65536, 128, 128)", few, sizeof few, false, false},
        {"patterns", "<u2", "(65536, 128, 128)", few, sizeof few, true, true},
        {"patterns", "<u2", "(18446744073709551615, 3)", few, sizeof few, false, false},
        {"patterns", "|O", "(4,)", few, sizeof few, false, false},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct ff_error error = {0};
        made_npz(place->path, &lies[i], 1);
        assert_int_equal(made_try(place, &error), -1);
        assert_int_equal(error.code, FF_INPUT_INVALID);
        if (i < 2 && strstr(error.message, "claims 2147483648 bytes") == NULL)
            fail_msg("%s", error.message);
    }
}

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        MADE_TEST(test_lost_frames_and_positions),
        MADE_TEST(test_repeated_numbers),
        MADE_TEST(test_fly_scans),
        MADE_TEST(test_fly_positions_along_the_path),
        MADE_TEST(test_signs),
        MADE_TEST(test_units),
        MADE_TEST(test_pixels_are_those_of_whole_frames),
        MADE_TEST(test_positions_in_npy),
        MADE_TEST(test_bad_tables),
        MADE_TEST(test_bad_descriptions),
        MADE_TEST(test_claims_in_npz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
