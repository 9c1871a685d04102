/* The result file: what is written is read back, equal results are equal files, and a failure
 * leaves nothing behind. */
#include "tests/unit/check.h"

#include "functions/reconstruct/outputs.h"
#include "protocol/core/file.h"

#include <complex.h>
#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

enum { ROWS = 40, COLUMNS = 44, WINDOW = 16, PATTERNS = 9, MODES = 2, EPOCHS = 3 };

/* Smooth values that differ everywhere. */
static ff_complex object[ROWS * COLUMNS];
static ff_complex probe[MODES * WINDOW * WINDOW];
static double positions[2 * PATTERNS];
static double positions_m[2 * PATTERNS];
static const double costs[EPOCHS] = {2, 1, 0.5};

static struct ff_problem problem = {
    .patterns = PATTERNS,
    .fly = 1,
    .rows = WINDOW,
    .columns = WINDOW,
    .probe_rows = WINDOW,
    .probe_columns = WINDOW,
    .positions = positions,
    .positions_m = positions_m,
    .object_rows = ROWS,
    .object_columns = COLUMNS,
    .modes = MODES,
    .geometry = {1e-10, 1.4e-15, 2, {75e-6, 75e-6}, {2e-8, 3e-8}},
    .source = (char *)"/data/scan.cxi",
    .format = (char *)"cxi",
    .total_counts = 900,
};

static const struct ff_result_content content = {
    .problem = &problem,
    .object = object,
    .probe = probe,
    .modes = MODES,
    .costs = costs,
    .epochs = EPOCHS,
    .cost = 0.5,
    .r = 0.25,
    .stopped = "done",
    .settings = "{\"epochs\":3}",
    .device = "cpu: 1 thread",
    .iterate_seconds = 1.5,
};

static void fill(void)
{
    float *parts = (float *)object;
    for (size_t i = 0; i < 2 * ROWS * COLUMNS; i++)
        parts[i] = 1 + 0.2f * sinf((float)i);
    parts = (float *)probe;
    for (size_t i = 0; i < 2 * MODES * WINDOW * WINDOW; i++)
        parts[i] = cosf((float)i);
    for (size_t n = 0; n < PATTERNS; n++)
        for (size_t axis = 0; axis < 2; axis++) {
            size_t step = axis == 0 ? n / 3 : n % 3;
            positions[2 * n + axis] = 8 + 4.25 * (double)step;
            positions_m[2 * n + axis] =
                1e-6 + positions[2 * n + axis] * problem.geometry.object_pixel_m[axis];
        }
}

static size_t count_entries(const char *folder)
{
    DIR *opened = opendir(folder);
    assert_non_null(opened);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(opened);
    return count;
}

static int set_up(void **state)
{
    fill();
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
    char *path = ff_path_join(*state, "result.h5");
    struct ff_error error = {0};
    assert_ok(ff_result_write(path, &content, &error), error);
    struct ff_product *product = ff_product_read(path, &error);
    if (product == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(product->rows, ROWS);
    assert_int_equal(product->columns, COLUMNS);
    assert_int_equal(product->modes, MODES);
    assert_int_equal(product->probe_rows, WINDOW);
    assert_memory_equal(product->object, object, sizeof object);
    assert_memory_equal(product->probe, probe, sizeof probe);
    assert_int_equal(product->epochs, EPOCHS);
    assert_memory_equal(product->costs, costs, sizeof costs);
    assert_int_equal(product->patterns, PATTERNS);
    for (size_t i = 0; i < 2 * PATTERNS; i++)
        assert_true(fabs(product->positions[i] - positions[i]) < 1e-6);
    assert_string_equal(product->input, "/data/scan.cxi");
    assert_string_equal(product->settings, "{\"epochs\":3}");
    assert_string_equal(product->stopped, "done");
    assert_true(fabs(product->r - 0.25) < 1e-12);
    ff_product_destroy(product);
    free(path);
}

/* The shape of a dataset as text, "9 x 1" say, so that a difference can be read. */
static void assert_shape(hid_t file, const char *name, H5T_class_t class, const char *expected)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        fail_msg("there is no dataset %s", name);
    hid_t space = H5Dget_space(dataset);
    hid_t type = H5Dget_type(dataset);
    hsize_t extent[H5S_MAX_RANK];
    char shape[128] = "";
    int rank = H5Sget_simple_extent_dims(space, extent, NULL);
    for (int i = 0; i < rank; i++) {
        size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%d", i > 0 ? " x " : "", (int)extent[i]);
    }
    assert_string_equal(shape, expected);
    assert_int_equal(H5Tget_class(type), class);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(dataset);
}

static double attribute(hid_t file, const char *owner, const char *name)
{
    double value = NAN;
    hid_t id = H5Aopen_by_name(file, owner, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Aread(id, H5T_NATIVE_DOUBLE, &value) < 0)
        fail_msg("%s has no number %s", owner, name);
    H5Aclose(id);
    return value;
}

static void read_doubles(hid_t file, const char *name, double *values)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
}

/* What ptychodus reads, by its names and rules and without the reader of this tree. */
static void test_the_layout_is_the_product_of_ptychodus(void **state)
{
    char *path = ff_path_join(*state, "result.h5");
    struct ff_error error = {0};
    assert_ok(ff_result_write(path, &content, &error), error);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_shape(file, "object", H5T_COMPOUND, "1 x 40 x 44");
    assert_shape(file, "probe", H5T_COMPOUND, "1 x 2 x 16 x 16");
    assert_shape(file, "opr_weights", H5T_FLOAT, "9 x 1");
    assert_shape(file, "object_layer_spacing_m", H5T_FLOAT, "0");
    assert_shape(file, "probe_position_indexes", H5T_INTEGER, "9");
    assert_shape(file, "probe_position_x_m", H5T_FLOAT, "9");
    assert_shape(file, "probe_position_y_m", H5T_FLOAT, "9");
    assert_shape(file, "loss_epochs", H5T_INTEGER, "3");
    assert_shape(file, "loss_values", H5T_FLOAT, "3");
    assert_true(H5Aexists(file, "name") > 0 && H5Aexists(file, "comments") > 0);
    assert_true(fabs(attribute(file, "/", "detector_object_distance_m") - 2) < 1e-12);
    assert_true(fabs(attribute(file, "/", "probe_energy_eV") - 1.4e-15 / 1.602176634e-19) < 1e-6);
    assert_true(fabs(attribute(file, "/", "probe_photon_count") - 100) < 1e-9);
    static const char *const unknown[] = {"exposure_time_s", "mass_attenuation_m2_kg",
                                          "tomography_angle_deg"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_true(fabs(attribute(file, "/", unknown[i])) <= 0);
    assert_true(fabs(attribute(file, "probe", "pixel_height_m") - 2e-8) < 1e-15);
    assert_true(fabs(attribute(file, "probe", "pixel_width_m") - 3e-8) < 1e-15);
    double y[PATTERNS];
    double x[PATTERNS];
    read_doubles(file, "probe_position_y_m", y);
    read_doubles(file, "probe_position_x_m", x);
    for (size_t n = 0; n < PATTERNS; n++) { /* pixels of the middle of the patch */
        double row = (y[n] - attribute(file, "object", "center_y_m")) /
                         attribute(file, "object", "pixel_height_m") +
                     ROWS / 2.0;
        double column = (x[n] - attribute(file, "object", "center_x_m")) /
                            attribute(file, "object", "pixel_width_m") +
                        COLUMNS / 2.0;
        assert_true(fabs(row - WINDOW / 2.0 - positions[2 * n]) < 1e-6);
        assert_true(fabs(column - WINDOW / 2.0 - positions[2 * n + 1]) < 1e-6);
    }
    H5Fclose(file);
    free(path);
}

/* Two positions a pattern, corrected; two eigenprobes of the first mode; light that flickers. */
static void test_what_only_some_runs_have_is_read_back(void **state)
{
    enum { FLY = 3, EIGENPROBES = 2, PLANE = WINDOW * WINDOW };
    struct ff_error error = {0};
    char *path = ff_path_join(*state, "result.h5");
    struct ff_problem fly = problem;
    struct ff_result_content more = content;
    double corrected[2 * PATTERNS];
    double weights[PATTERNS / FLY * EIGENPROBES];
    double scales[PATTERNS / FLY];
    fly.patterns = PATTERNS / FLY;
    fly.fly = FLY;
    more.problem = &fly;
    for (size_t i = 0; i < 2 * PATTERNS; i++)
        corrected[i] = positions[i] + 0.01 * (double)i;
    for (size_t i = 0; i < PATTERNS / FLY * EIGENPROBES; i++)
        weights[i] = 0.1 * (double)i;
    for (size_t n = 0; n < PATTERNS / FLY; n++)
        scales[n] = (double)(n + 1);
    more.positions = corrected;
    more.eigenprobe_count = EIGENPROBES;
    more.varied_modes = 1;
    more.eigenprobes = probe; /* any two planes */
    more.opr_weights = weights;
    more.scales = scales;
    more.orientation = "transposed";
    more.loss = "poisson";
    assert_ok(ff_result_write(path, &more, &error), error);
    struct ff_product *product = ff_product_read(path, &error);
    if (product == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(product->patterns, PATTERNS / FLY);
    assert_int_equal(product->fly, FLY);
    for (size_t i = 0; i < 2 * PATTERNS; i++) {
        assert_true(fabs(product->positions[i] - corrected[i]) < 1e-6);
        assert_true(fabs(product->input_positions[i] - positions[i]) < 1e-6);
    }
    assert_int_equal(product->eigenprobes, EIGENPROBES);
    assert_int_equal(product->modes, MODES);
    assert_memory_equal(product->probe, probe, sizeof probe);
    for (size_t c = 0; c < EIGENPROBES; c++) {
        const ff_complex *plane = product->probe + (1 + c) * MODES * PLANE;
        assert_memory_equal(plane, probe + c * PLANE, PLANE * sizeof *plane);
        for (size_t i = 0; i < PLANE; i++)
            assert_true(cabsf(plane[PLANE + i]) <= 0);
    }
    for (size_t n = 0; n < PATTERNS / FLY; n++) {
        const double *row = product->opr_weights + n * (1 + EIGENPROBES);
        assert_true(fabs(row[0] - (double)(n + 1)) < 1e-12);
        for (size_t c = 0; c < EIGENPROBES; c++)
            assert_true(fabs(row[1 + c] - scales[n] * weights[n * EIGENPROBES + c]) < 1e-12);
    }
    assert_string_equal(product->orientation, "transposed");
    assert_string_equal(product->loss, "poisson");
    ff_product_destroy(product);
    free(path);
}

static void test_one_position_and_one_probe_leave_the_additions_out(void **state)
{
    static const char *const additions[] = {"farfield_fly", "farfield_orientation",
                                            "farfield_loss"};
    struct ff_error error = {0};
    char *path = ff_path_join(*state, "result.h5");
    assert_ok(ff_result_write(path, &content, &error), error);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (size_t i = 0; i < sizeof additions / sizeof additions[0]; i++)
        assert_int_equal(H5Aexists(file, additions[i]), 0);
    assert_int_equal(H5Lexists(file, "input_position_y_m", H5P_DEFAULT), 0);
    H5Fclose(file);
    struct ff_product *product = ff_product_read(path, &error);
    if (product == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(product->fly, 1);
    assert_int_equal(product->eigenprobes, 0);
    assert_null(product->opr_weights);
    assert_null(product->input_positions);
    ff_product_destroy(product);
    free(path);
}

static void test_equal_results_are_equal_files(void **state)
{
    struct ff_error error = {0};
    char *bytes[2];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        char *path = ff_path_join(*state, i == 0 ? "a.h5" : "b.h5");
        assert_ok(ff_result_write(path, &content, &error), error);
        assert_ok(ff_file_read(path, 1 << 24, &bytes[i], &sizes[i], &error), error);
        free(path);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
}

static void test_pictures_lie_beside_the_result(void **state)
{
    struct ff_error error = {0};
    struct ff_buffer notes;
    ff_buffer_init(&notes, 1 << 16);
    char *path = ff_path_join(*state, "scan.1.h5");
    json_t *pictures = json_array();
    assert_ok(ff_outputs_write(path, &content, pictures, &notes, &error), error);
    assert_string_equal(ff_buffer_text(&notes), "");
    assert_int_equal(json_array_size(pictures), 4);
    assert_int_equal(count_entries(*state), 5);
    const char *name = json_string_value(json_array_get(pictures, 0));
    assert_string_equal(name + strlen(name) - strlen("/scan.1-phase.png"), "/scan.1-phase.png");
    json_decref(pictures);
    ff_buffer_dispose(&notes);
    free(path);
}

/* The limit on the size of files stands for a disk that is full. */
static void test_what_cannot_be_written_leaves_nothing_behind(void **state)
{
    struct ff_error error = {0};
    struct rlimit before;
    char *path = ff_path_join(*state, "result.h5");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit small = {1000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int result = ff_result_write(path, &content, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(result, -1);
    assert_int_equal(error.code, FF_OUTPUT_FAILED);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.hint, "output"));
    assert_int_equal(count_entries(*state), 0);
    free(path);
}

static void assert_no_place(const char *path, const char *input, const char *word)
{
    struct ff_error error = {0};
    assert_int_equal(ff_outputs_check(path, input, &error), -1);
    assert_int_equal(error.code, FF_OUTPUT_FAILED);
    assert_int_equal(ff_error_exit_status(error.code), 1);
    assert_non_null(strstr(error.message, word));
    assert_true(error.hint[0] != '\0');
}

static void test_a_place_that_cannot_be_is_refused_before_the_work(void **state)
{
    struct ff_error error = {0};
    char *absent = ff_path_join(*state, "no/such/result.h5");
    char *file = ff_path_join(*state, "scan.cxi");
    char *fresh = ff_path_join(*state, "result.h5");
    assert_ok(ff_file_write(file, ff_span_of("scan"), 0600, &error), error);
    assert_no_place(absent, file, "folder");
    assert_no_place(*state, file, "is a folder");
    assert_no_place(file, file, "the input itself");
    assert_ok(ff_outputs_check(fresh, file, &error), error);
    free(absent);
    free(file);
    free(fresh);
}

static void test_what_is_no_result_is_refused(void **state)
{
    struct ff_error error = {0};
    char *path = ff_path_join(*state, "text.h5");
    assert_ok(ff_file_write(path, ff_span_of("no result"), 0600, &error), error);
    assert_null(ff_product_read(path, &error));
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_non_null(strstr(error.message, path));
    free(path);
}

#define RESULT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESULT_TEST(test_what_is_written_is_read_back),
        RESULT_TEST(test_the_layout_is_the_product_of_ptychodus),
        RESULT_TEST(test_what_only_some_runs_have_is_read_back),
        RESULT_TEST(test_one_position_and_one_probe_leave_the_additions_out),
        RESULT_TEST(test_equal_results_are_equal_files),
        RESULT_TEST(test_pictures_lie_beside_the_result),
        RESULT_TEST(test_what_cannot_be_written_leaves_nothing_behind),
        RESULT_TEST(test_a_place_that_cannot_be_is_refused_before_the_work),
        RESULT_TEST(test_what_is_no_result_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
