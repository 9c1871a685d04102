/* Reading scans: what is good gives the numbers that were written, what is bad is refused with file,
 * dataset, value and remedy. */
#include "tests/unit/functions/reconstruct/scan_file.h"

#include "functions/reconstruct/build.h"
#include "functions/reconstruct/formats/listing.h"

#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

struct place {
    char *folder, *path;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    place->folder = make_folder();
    place->path = ff_path_join(place->folder, "scan.cxi");
    scan_write(place->path);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    struct ff_error error;
    int result = ff_folder_remove(place->folder, &error);
    free(place->folder);
    free(place->path);
    free(place);
    return result;
}

static struct ff_problem *read_scan(const char *path, size_t crop, struct ff_error *error)
{
    struct ff_buffer notes;
    struct ff_settings *settings = ff_settings_create(error);
    assert_non_null(settings);
    assert_ok(ff_options_set(&ff_settings_table, settings, "input", path, error), *error);
    settings->crop = (int64_t)crop;
    ff_buffer_init(&notes, FF_NOTES_BYTES_MAX);
    struct ff_problem *problem = ff_problem_create(settings, &notes, error);
    ff_buffer_dispose(&notes);
    ff_settings_destroy(settings);
    return problem;
}

static void assert_refused(const char *path, const char *what, const char *remedy)
{
    struct ff_error error = {0};
    struct ff_problem *problem = read_scan(path, 0, &error);
    assert_null(problem);
    assert_true(error.code == FF_INPUT_INVALID || error.code == FF_INPUT_MISSING);
    assert_int_equal(ff_error_exit_status(error.code), 1);
    if (strstr(error.message, path) == NULL || strstr(error.message, what) == NULL ||
        strstr(error.hint, remedy) == NULL)
        fail_msg("\"%s\" (%s) does not say \"%s\" and \"%s\"", error.message, error.hint, what,
                 remedy);
}

static void test_a_written_scan_is_read_as_it_was_meant(void **state)
{
    const struct place *place = *state;
    struct ff_error error = {0};
    struct ff_simulation *truth = scan_simulation();
    struct ff_problem *problem = read_scan(place->path, 0, &error);
    if (problem == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(problem->patterns, SCAN_PATTERNS);
    assert_int_equal(problem->rows, SCAN_SIZE);
    assert_non_null(problem->counts.u16);
    assert_true(fabs(problem->geometry.object_pixel_m[0] / truth->object_pixel_m - 1) < 1e-6);
    for (size_t i = 2; i < 2 * SCAN_PATTERNS; i++) { /* apart from a common shift */
        double there = truth->positions[i] - truth->positions[i % 2];
        double here = problem->positions[i] - problem->positions[i % 2];
        assert_true(fabs(there - here) < 1e-6);
    }
    uint16_t frame[SCAN_SIZE * SCAN_SIZE];
    ff_simulation_pattern(truth, 3, frame);
    const uint16_t *read = problem->counts.u16 + 3 * SCAN_SIZE * SCAN_SIZE;
    assert_int_equal(read[0], frame[SCAN_SIZE / 2 * SCAN_SIZE + SCAN_SIZE / 2]);
    assert_int_equal(read[5 * SCAN_SIZE + 7],
                     frame[(SCAN_SIZE / 2 + 5) * SCAN_SIZE + SCAN_SIZE / 2 + 7]);
    ff_problem_destroy(problem);
    ff_simulation_destroy(truth);
}

static void test_cropping_keeps_the_middle(void **state)
{
    const struct place *place = *state;
    struct ff_error error = {0};
    struct ff_problem *whole = read_scan(place->path, 0, &error);
    struct ff_problem *problem = read_scan(place->path, 16, &error);
    assert_non_null(whole);
    assert_non_null(problem);
    assert_int_equal(problem->rows, 16);
    assert_int_equal(problem->counts.u16[0], whole->counts.u16[0]);
    assert_int_equal(problem->counts.u16[3], whole->counts.u16[3]);
    assert_true(fabs(problem->geometry.object_pixel_m[1] / whole->geometry.object_pixel_m[1] - 2) <
                1e-9);
    assert_null(read_scan(place->path, 64, &error));
    assert_int_equal(error.code, FF_INVALID_SETTING);
    ff_problem_destroy(whole);
    ff_problem_destroy(problem);
}

static void test_files_that_are_no_scan(void **state)
{
    const struct place *place = *state;
    struct ff_error error = {0};
    char *text = ff_path_join(place->folder, "text.cxi");
    char *none = ff_path_join(place->folder, "none.cxi");
    char *plain = ff_path_join(place->folder, "plain.h5");
    assert_ok(ff_file_write(text, ff_span_of("this is text\n"), 0600, &error), error);
    H5Fclose(H5Fcreate(plain, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    assert_refused(none, "No such file", "path");
    assert_refused(place->folder, "folder", "file inside");
    assert_refused(text, "begins with the text \"this is text", "HDF5");
    assert_refused(plain, "none of the layouts", "/entry_1");
    assert_ok(ff_file_write(text, ff_span_of(""), 0600, &error), error);
    assert_refused(text, "empty", "");
    free(text);
    free(none);
    free(plain);
}

static void test_a_truncated_file(void **state)
{
    const struct place *place = *state;
    assert_int_equal(truncate(place->path, 30000), 0);
    assert_refused(place->path, "truncated", "copy it again");
    assert_int_equal(truncate(place->path, 300), 0);
    assert_refused(place->path, "", "copy it again");
}

static void test_bad_positions(void **state)
{
    const struct place *place = *state;
    double values[3 * SCAN_PATTERNS];
    scan_read_positions(place->path, values);
    const hsize_t fewer[] = {SCAN_PATTERNS - 1, 3};
    const hsize_t all[] = {SCAN_PATTERNS, 3};
    const hsize_t flat[] = {3 * SCAN_PATTERNS};
    const hid_t type = H5T_NATIVE_DOUBLE;
    scan_replace(place->path, SCAN_TRANSLATION, type, 2, fewer, values);
    assert_refused(place->path, "24 positions and there are 25 frames", "trigger");
    scan_replace(place->path, SCAN_TRANSLATION, type, 1, flat, values);
    assert_refused(place->path, "wanted is positions × coordinates", "(x, y, z)");
    values[3 * 17 + 1] = NAN;
    scan_replace(place->path, SCAN_TRANSLATION, type, 2, all, values);
    assert_refused(place->path, "position 17 is", "leave out");
    values[3 * 17 + 1] = 3; /* metres */
    scan_replace(place->path, SCAN_TRANSLATION, type, 2, all, values);
    assert_refused(place->path, "position 17", "");
    values[3 * 17 + 1] = values[3 * 16 + 1];
    for (size_t i = 0; i < 3 * SCAN_PATTERNS; i++)
        values[i] *= 1e6;
    scan_replace(place->path, SCAN_TRANSLATION, type, 2, all, values);
    assert_refused(place->path, "do not overlap", "micrometres");
    memset(values, 0, sizeof values);
    scan_replace(place->path, SCAN_TRANSLATION, type, 2, all, values);
    assert_refused(place->path, "less than an object pixel", "metres");
}

static void test_bad_geometry(void **state)
{
    const struct place *place = *state;
    static const struct {
        const char *dataset;
        double bad;
        const char *what, *remedy;
    } cases[] = {
        {SCAN_SOURCE "energy", -1e-15, "energy is -1e-15", "joules"},
        {SCAN_SOURCE "energy", 8800, "energy is 8800", "joules"},
        {SCAN_SOURCE "energy", 2.8e-15, "belongs to a wavelength", "correct or remove"},
        {SCAN_SOURCE "energy", (double)NAN, "energy is", "joules"},
        {SCAN_DETECTOR "distance", 0, "distance is 0", "metres"},
        {SCAN_DETECTOR "x_pixel_size", 75, "x_pixel_size is 75", "metres"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scan_replace_number(place->path, cases[i].dataset, cases[i].bad);
        assert_refused(place->path, cases[i].what, cases[i].remedy);
        scan_write(place->path);
    }
}

static void test_bad_frames(void **state)
{
    const struct place *place = *state;
    const hsize_t shape[] = {SCAN_PATTERNS, SCAN_SIZE, SCAN_SIZE};
    static float values[SCAN_PATTERNS * SCAN_SIZE * SCAN_SIZE];
    const char *data = SCAN_DETECTOR "data";
    scan_replace(place->path, data, H5T_NATIVE_FLOAT, 3, shape, values);
    assert_refused(place->path, "hold no counts", "shutter");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        values[i] = -1;
    scan_replace(place->path, data, H5T_NATIVE_FLOAT, 3, shape, values);
    assert_refused(place->path, "negative", "dark subtraction");
    scan_replace(place->path, data, H5T_NATIVE_FLOAT, 2, shape, values);
    assert_refused(place->path, "25 × 32", "");
    const hsize_t none[] = {0, SCAN_SIZE, SCAN_SIZE};
    scan_replace(place->path, data, H5T_NATIVE_FLOAT, 3, none, NULL);
    assert_refused(place->path, "no frames", "first frame");
}

/* A pixel that is no number in one frame is left out everywhere, and the rest is used. */
static void test_a_few_bad_pixels_are_masked(void **state)
{
    const struct place *place = *state;
    const hsize_t shape[] = {SCAN_PATTERNS, SCAN_SIZE, SCAN_SIZE};
    static float values[SCAN_PATTERNS * SCAN_SIZE * SCAN_SIZE];
    struct ff_error error = {0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        values[i] = 2;
    values[5 * SCAN_SIZE * SCAN_SIZE] = NAN; /* frame 5, corner */
    scan_replace(place->path, SCAN_DETECTOR "data", H5T_NATIVE_FLOAT, 3, shape, values);
    struct ff_problem *problem = read_scan(place->path, 0, &error);
    assert_non_null(problem);
    assert_non_null(problem->measured);
    size_t at = SCAN_SIZE / 2 * SCAN_SIZE + SCAN_SIZE / 2;
    assert_int_equal(problem->measured[at], 0);
    assert_int_equal(problem->measured[at + 1], 1);
    assert_int_equal(problem->counts.u16[at], 0);
    ff_problem_destroy(problem);
}

/* The largest value of a detector's type says that it could not count, for each type that counts come in. */
static void test_the_top_of_an_integer_type_is_no_count(void **state)
{
    const struct place *place = *state;
    const hsize_t shape[] = {SCAN_PATTERNS, SCAN_SIZE, SCAN_SIZE};
    static int64_t values[SCAN_PATTERNS * SCAN_SIZE * SCAN_SIZE];
    const struct {
        hid_t type;
        int64_t top;
    } cases[] = {
        {H5T_STD_U8LE, UINT8_MAX},  {H5T_STD_I8LE, INT8_MAX},    {H5T_STD_U16LE, UINT16_MAX},
        {H5T_STD_I16LE, INT16_MAX}, {H5T_STD_U16BE, UINT16_MAX}, {H5T_STD_U32LE, UINT32_MAX},
        {H5T_STD_I32LE, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ff_error error = {0};
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++)
            values[k] = 2;
        values[5 * SCAN_SIZE * SCAN_SIZE] = cases[i].top; /* frame 5, corner */
        values[5 * SCAN_SIZE * SCAN_SIZE + 1] =
            cases[i].top < UINT16_MAX ? cases[i].top - 1 : 65534;
        scan_replace_as(place->path, SCAN_DETECTOR "data", cases[i].type, 3, shape,
                        H5T_NATIVE_INT64, values);
        struct ff_problem *problem = read_scan(place->path, 0, &error);
        if (problem == NULL)
            fail_msg("%s", error.message);
        size_t at = SCAN_SIZE / 2 * SCAN_SIZE + SCAN_SIZE / 2;
        assert_non_null(problem->measured);
        assert_int_equal(problem->measured[at], 0);
        assert_int_equal(problem->measured[at + 1], 1);
        assert_non_null(problem->counts.u16);
        ff_problem_destroy(problem);
    }
}

/* Two gigabytes claimed, nothing stored: refused before anything is allocated. */
static void test_claims_are_not_believed(void **state)
{
    const struct place *place = *state;
    const hsize_t shape[] = {SCAN_PATTERNS, 8192, 5242};
    struct rusage before;
    struct rusage after;
    scan_replace(place->path, SCAN_DETECTOR "data", H5T_STD_U16LE, 3, shape, NULL);
    getrusage(RUSAGE_SELF, &before);
    assert_refused(place->path, "claims 2.15 GB of values and only 0 bytes are stored", "damaged");
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 64 << 10);
    const hsize_t endless[] = {(hsize_t)1 << 40, (hsize_t)1 << 20, (hsize_t)1 << 20};
    hid_t file = H5Fopen(place->path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, SCAN_DETECTOR "data", H5P_DEFAULT) >= 0);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 3, (const hsize_t[]){1, 64, 64});
    hid_t space = H5Screate_simple(3, endless, NULL);
    hid_t id =
        H5Dcreate2(file, SCAN_DETECTOR "data", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    H5Sclose(space);
    if (id >= 0) {
        H5Dclose(id);
        H5Fclose(file);
        assert_refused(place->path, "claims", "");
    } else {
        H5Fclose(file);
    }
}

/* The library converts what a type says, in bounds or not: so only the usual types are taken. */
static void test_odd_types_are_not_converted(void **state)
{
    const struct place *place = *state;
    const hsize_t shape[] = {SCAN_SIZE, SCAN_SIZE};
    hid_t padded = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(padded, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(padded, "i", 8, H5T_NATIVE_FLOAT);
    scan_replace(place->path, SCAN_SOURCE "illumination", padded, 2, shape, NULL);
    assert_refused(place->path, "illumination", "");
    H5Tclose(padded);
    scan_write(place->path);
    hid_t narrow = H5Tcopy(H5T_STD_U16LE);
    H5Tset_precision(narrow, 11);
    H5Tset_offset(narrow, 3);
    const hsize_t frames[] = {SCAN_PATTERNS, SCAN_SIZE, SCAN_SIZE};
    static const uint16_t counts[SCAN_PATTERNS * SCAN_SIZE * SCAN_SIZE];
    scan_replace(place->path, SCAN_DETECTOR "data", narrow, 3, frames, counts);
    assert_refused(place->path, "no real numbers", "");
    H5Tclose(narrow);
}

static void test_what_is_missing_is_named(void **state)
{
    const struct place *place = *state;
    static const struct {
        const char *link, *what;
    } cases[] = {
        {"/entry_1/sample_1", "translation"},
        {SCAN_DETECTOR "distance", "distance"},
        {SCAN_DETECTOR "data", "data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hid_t file = H5Fopen(place->path, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(H5Ldelete(file, cases[i].link, H5P_DEFAULT) >= 0);
        H5Fclose(file);
        assert_refused(place->path, cases[i].what, "");
        scan_write(place->path);
    }
}

static void test_the_listing_names_every_dataset(void **state)
{
    const struct place *place = *state;
    struct ff_error error = {0};
    struct ff_hdf5_file *file = ff_hdf5_open(place->path, &error);
    assert_non_null(file);
    json_t *list = ff_hdf5_listing(file, &error);
    assert_non_null(list);
    bool found = false;
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry)
    {
        const char *path = json_string_value(json_object_get(entry, "path"));
        json_t *shape = json_object_get(entry, "shape");
        if (strcmp(path, SCAN_DETECTOR "data") == 0)
            found = json_integer_value(json_array_get(shape, 0)) == SCAN_PATTERNS;
    }
    assert_true(found);
    json_decref(list);
    ff_hdf5_close(file);
}

#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        SCAN_TEST(test_a_written_scan_is_read_as_it_was_meant),
        SCAN_TEST(test_cropping_keeps_the_middle),
        SCAN_TEST(test_files_that_are_no_scan),
        SCAN_TEST(test_a_truncated_file),
        SCAN_TEST(test_bad_positions),
        SCAN_TEST(test_bad_geometry),
        SCAN_TEST(test_bad_frames),
        SCAN_TEST(test_a_few_bad_pixels_are_masked),
        SCAN_TEST(test_the_top_of_an_integer_type_is_no_count),
        SCAN_TEST(test_claims_are_not_believed),
        SCAN_TEST(test_odd_types_are_not_converted),
        SCAN_TEST(test_what_is_missing_is_named),
        SCAN_TEST(test_the_listing_names_every_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
