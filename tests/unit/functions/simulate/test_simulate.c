/* Simulated scans: counts are Poisson's, the same seed gives the same file, and what was ended
 * leaves nothing. */
#include "tests/unit/functions/reconstruct/scan_file.h"

#include "functions/simulate/draw.h"
#include "functions/simulate/objects.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static void test_counts_have_mean_and_variance_of_poisson(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    static const double means[] = {0, 0.01, 1, 9.9, 10.1, 70, 3000};
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        struct ff_random random = ff_random_seed(i);
        double sum = 0;
        double squares = 0;
        for (int k = 0; k < DRAWS; k++) {
            double count = ff_simulate_poisson(&random, means[i]);
            assert_true(count >= 0 && count == floor(count));
            sum += count;
            squares += count * count;
        }
        double mean = sum / DRAWS;
        double variance = squares / DRAWS - mean * mean;
        double deviation = sqrt(means[i] / DRAWS);
        assert_true(fabs(mean - means[i]) <= 5 * deviation);
        /* The variance of the variance of a Poisson variate is about (m + 2 m²) / n. */
        assert_true(fabs(variance - means[i]) <=
                    5 * sqrt((means[i] + 2 * means[i] * means[i]) / DRAWS));
    }
}

static void test_a_pattern_does_not_depend_on_the_order(void **state)
{
    (void)state;
    uint16_t first[SCAN_SIZE * SCAN_SIZE];
    uint16_t again[SCAN_SIZE * SCAN_SIZE];
    struct ff_simulation *a = scan_simulation();
    struct ff_simulation *b = scan_simulation();
    ff_simulation_pattern(a, 0, first);
    ff_simulation_pattern(a, 7, first);
    ff_simulation_pattern(b, 7, again);
    assert_memory_equal(first, again, sizeof first);
    ff_simulation_pattern(b, 8, again);
    assert_memory_not_equal(first, again, sizeof first);
    ff_simulation_destroy(a);
    ff_simulation_destroy(b);
}

static void test_the_light_is_as_bright_as_asked(void **state)
{
    (void)state;
    uint16_t frame[SCAN_SIZE * SCAN_SIZE];
    struct ff_simulation *simulation = scan_simulation();
    for (size_t i = 0; i < simulation->rows * simulation->columns; i++)
        simulation->object[i] = 1;
    ff_simulation_pattern(simulation, 0, frame);
    double sum = 0;
    for (size_t i = 0; i < SCAN_SIZE * SCAN_SIZE; i++)
        sum += frame[i];
    assert_true(fabs(sum - 1e5) < 5 * sqrt(1e5));
    ff_simulation_destroy(simulation);
}

static size_t count_entries(const char *folder)
{
    DIR *opened = opendir(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(opened);
    return count;
}

static void test_what_was_ended_leaves_nothing(void **state)
{
    (void)state;
    struct ff_error error = {0};
    size_t limit = 5;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "scan.cxi");
    struct ff_simulation *simulation = scan_simulation();
    assert_int_equal(ff_simulation_write(simulation, path, scan_step, &limit, &error), -1);
    assert_int_equal(error.code, FF_TASK_CANCELLED);
    assert_int_equal(count_entries(folder), 0);
    char *absent = ff_path_join(folder, "no/such/scan.cxi");
    assert_int_equal(ff_simulation_write(simulation, absent, scan_step, NULL, &error), -1);
    assert_int_equal(error.code, FF_OUTPUT_FAILED);
    ff_simulation_destroy(simulation);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(absent);
    free(path);
    free(folder);
}

/* The limit on the size of files stands for a disk that is full: in the middle of what HDF5 writes,
 * and of the frames. */
static void test_what_has_no_room_leaves_nothing(void **state)
{
    (void)state;
    static const rlim_t limits[] = {1000, 12000, 60000};
    struct rlimit before;
    char *folder = make_folder();
    char *path = ff_path_join(folder, "scan.cxi");
    struct ff_simulation *simulation = scan_simulation();
    struct ff_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit small = {limits[i], before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        int result = ff_simulation_write(simulation, path, scan_step, NULL, &error);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(result, -1);
        assert_int_equal(error.code, FF_OUTPUT_FAILED);
        assert_non_null(strstr(error.message, path));
        assert_int_equal(count_entries(folder), 0);
    }
    ff_simulation_destroy(simulation);
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
}

static void test_objects_transmit_no_more_than_everything(void **state)
{
    (void)state;
    static const char *const names[] = {"siemens", "coins"};
    for (size_t i = 0; i < 2; i++) {
        struct ff_error error = {0};
        ff_complex *object = ff_simulate_object(names[i], 90, 70, 3, &error);
        assert_non_null(object);
        const float *parts = (const float *)object;
        size_t changed = 0;
        for (size_t k = 0; k < 2 * 90 * 70; k += 2) {
            float size = hypotf(parts[k], parts[k + 1]);
            assert_true(size <= 1.0001f && size > 0.5f);
            changed += fabsf(parts[k + 1]) > 0.1f;
        }
        assert_true(changed > 300);
        free(object);
    }
}

static void test_an_object_that_is_no_picture_is_refused(void **state)
{
    (void)state;
    struct ff_error error = {0};
    char *folder = make_folder();
    char *path = ff_path_join(folder, "face.png");
    assert_null(ff_simulate_object(path, 50, 50, 0, &error));
    assert_int_equal(error.code, FF_INPUT_MISSING);
    assert_ok(ff_file_write(path, ff_span_of("no picture"), 0600, &error), error);
    assert_null(ff_simulate_object(path, 50, 50, 0, &error));
    assert_int_equal(error.code, FF_INPUT_INVALID);
    assert_non_null(strstr(error.message, path));
    assert_ok(ff_folder_remove(folder, &error), error);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_have_mean_and_variance_of_poisson),
        cmocka_unit_test(test_a_pattern_does_not_depend_on_the_order),
        cmocka_unit_test(test_the_light_is_as_bright_as_asked),
        cmocka_unit_test(test_what_was_ended_leaves_nothing),
        cmocka_unit_test(test_what_has_no_room_leaves_nothing),
        cmocka_unit_test(test_objects_transmit_no_more_than_everything),
        cmocka_unit_test(test_an_object_that_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
