/* The files of a simulation, in every format: they hold the same frames whatever the layout, the
 * packing and the threads, and what was ended or had no room leaves nothing. */
#include "tests/unit/functions/simulate/simulated.h"

#include "functions/reconstruct/formats/hdf5.h"
#include "functions/simulate/format.h"
#include "functions/simulate/pack.h"
#include "functions/simulate/plan.h"
#include "functions/simulate/write.h"
#include "protocol/core/file.h"

#include <dirent.h>
#include <lz4.h>
#include <signal.h>
#include <sys/resource.h>
#include <zlib.h>

static bool on_step(void *user, size_t done)
{
    const size_t *limit = user;
    return limit == NULL || done < *limit;
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

struct place {
    struct ff_simulate_settings settings;
    struct ff_simulation *simulation;
    char *folder, *path;
};

static struct place begin(const char *assignments)
{
    struct place place = {.folder = make_folder()};
    place.simulation = simulated(&place.settings, assignments);
    place.path = ff_path_join(place.folder, "scan.out");
    return place;
}

static void end(struct place *place)
{
    struct ff_error error = {0};
    assert_ok(ff_folder_remove(place->folder, &error), error);
    simulated_end(place->simulation, &place->settings);
    free(place->folder);
    free(place->path);
}

static char *format_of(size_t number, const char *more)
{
    char *text = NULL;
    assert_true(asprintf(&text, "format=%s frames_per_file=5 %s", ff_simulate_format_names[number],
                         more) > 0);
    return text;
}

static void test_each_name_is_a_format(void **state)
{
    (void)state;
    size_t count = 0;
    while (ff_simulate_format_names[count] != NULL) {
        const struct ff_simulate_format *format = ff_simulate_format((int)count++);
        assert_non_null(format->ending);
        assert_true(format->frames != NULL || format->linked != NULL);
    }
    assert_int_equal(count, FF_SIMULATE_FORMAT_COUNT);
}

static void test_what_was_ended_leaves_nothing_in_any_format(void **state)
{
    (void)state;
    static const char *const more[] = {"", "compression=gzip", "compression=bitshuffle"};
    for (size_t f = 0; f < FF_SIMULATE_FORMAT_COUNT; f++)
        for (size_t m = 0; m < 3; m++) {
            if (m > 0 && ff_simulate_format((int)f)->container == FF_SIMULATE_NPZ)
                continue;
            struct ff_error error = {0};
            size_t limit = 7;
            char *assignments = format_of(f, more[m]);
            struct place place = begin(assignments);
            assert_int_equal(
                ff_simulation_write(place.simulation, place.path, on_step, &limit, &error), -1);
            assert_int_equal(error.code, FF_TASK_CANCELLED);
            assert_int_equal(count_entries(place.folder), 0);
            end(&place);
            free(assignments);
        }
}

/* The limit on the size of files stands for a disk that is full. */
static void test_what_has_no_room_leaves_nothing_in_any_format(void **state)
{
    (void)state;
    static const rlim_t limits[] = {100, 3000, 9000};
    static const char *const more[] = {"counts=1e7", "counts=1e7 compression=gzip"};
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (size_t f = 0; f < FF_SIMULATE_FORMAT_COUNT; f++)
        for (size_t i = 0; i < 6; i++) {
            if (i >= 3 && ff_simulate_format((int)f)->container == FF_SIMULATE_NPZ)
                continue;
            struct ff_error error = {0};
            char *assignments = format_of(f, more[i / 3]);
            struct place place = begin(assignments);
            struct rlimit small = {limits[i % 3], before.rlim_max};
            setrlimit(RLIMIT_FSIZE, &small);
            int result = ff_simulation_write(place.simulation, place.path, on_step, NULL, &error);
            setrlimit(RLIMIT_FSIZE, &before);
            if (result == 0 && limits[i % 3] == 9000)
                assert_true(count_entries(place.folder) > 0); /* small files of a series */
            else {
                assert_int_equal(result, -1);
                assert_int_equal(error.code, FF_OUTPUT_FAILED);
                assert_non_null(strstr(error.message, "scan"));
                assert_int_equal(count_entries(place.folder), 0);
            }
            end(&place);
            free(assignments);
        }
}

/* --- what is in them --- */

static uint16_t *read_frames(const char *path, const char *dataset, size_t frames)
{
    const char *const names[] = {dataset, NULL};
    struct ff_error error = {0};
    struct ff_hdf5_dataset found;
    size_t pixels = SIMULATED_SIZE * SIMULATED_SIZE;
    uint16_t *values = calloc(frames * pixels, sizeof *values);
    struct ff_hdf5_file *file = ff_hdf5_open(path, &error);
    if (file == NULL)
        fail_msg("%s", error.message);
    assert_ok(ff_hdf5_find(file, names, &found, &error), error);
    assert_int_equal(found.shape[0], frames);
    assert_ok(ff_hdf5_read_slabs(&found, 0, frames, H5T_NATIVE_UINT16, values, &error), error);
    ff_hdf5_dataset_close(&found);
    ff_hdf5_close(file);
    return values;
}

static void test_packing_and_threads_change_no_number(void **state)
{
    (void)state;
    static const char *const ways[] = {"threads=1", "threads=3", "compression=chunks threads=2",
                                       "compression=gzip threads=2"};
    static const char frames[] = "/entry_1/data_1/data";
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct ff_error error = {0};
        struct place place = begin(ways[i]);
        size_t pixels = SIMULATED_SIZE * SIMULATED_SIZE;
        uint16_t expected[SIMULATED_SIZE * SIMULATED_SIZE];
        assert_ok(ff_simulation_write(place.simulation, place.path, on_step, NULL, &error), error);
        uint16_t *found = read_frames(place.path, frames, SIMULATED_PATTERNS);
        for (size_t n = 0; n < SIMULATED_PATTERNS; n++) {
            ff_simulation_pattern(place.simulation, n, expected);
            assert_memory_equal(found + n * pixels, expected, sizeof expected);
        }
        free(found);
        end(&place);
    }
}

static void test_the_same_scan_is_the_same_file(void **state)
{
    (void)state;
    char *data[2];
    size_t size[2];
    for (size_t i = 0; i < 2; i++) {
        struct ff_error error = {0};
        struct place place = begin(i == 0 ? "modes=2 threads=1" : "modes=2 threads=4");
        assert_ok(ff_simulation_write(place.simulation, place.path, on_step, NULL, &error), error);
        assert_ok(ff_file_read(place.path, 1 << 24, &data[i], &size[i], &error), error);
        end(&place);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    free(data[0]);
    free(data[1]);
}

static void test_a_series_is_named_after_the_output(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct place place = begin("format=velociprobe frames_per_file=5");
    char *master = ff_path_join(place.folder, "fly_master.h5");
    assert_ok(ff_simulation_write(place.simulation, master, on_step, NULL, &error), error);
    char *first = ff_path_join(place.folder, "fly_data_000001.h5");
    char *table = ff_path_join(place.folder, "fly.csv");
    char *expected = ff_simulate_table_path(&place.settings, master);
    assert_string_equal(table, expected);
    assert_int_equal(count_entries(place.folder), 5);
    uint16_t *direct = read_frames(first, "/entry/data/data", 5);
    uint16_t *linked = read_frames(master, "/entry/data/data_000001", 5);
    assert_memory_equal(direct, linked, 5 * SIMULATED_SIZE * SIMULATED_SIZE * sizeof *direct);
    free(direct);
    free(linked);
    free(expected);
    free(table);
    free(first);
    free(master);
    end(&place);
}

static void test_too_many_files_are_refused(void **state)
{
    (void)state;
    struct ff_error error = {0};
    struct place place = begin("format=aps-2idd frames_per_file=1 patterns=1000");
    assert_int_equal(ff_simulation_write(place.simulation, place.path, on_step, NULL, &error), -1);
    assert_int_equal(error.code, FF_INVALID_SETTING);
    assert_non_null(strstr(error.hint, "frames_per_file"));
    assert_int_equal(count_entries(place.folder), 0);
    end(&place);
}

/* --- packing --- */

enum { COUNT = 5003 }; /* no multiple of eight, and more than a block */

static void fill(uint16_t *values)
{
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (uint16_t)(i * i % 977);
}

static void test_shuffled_and_deflated(void **state)
{
    (void)state;
    uint16_t values[COUNT];
    uint8_t inflated[sizeof values];
    uLongf size = sizeof inflated;
    fill(values);
    uint8_t *packed = malloc(ff_pack_room(FF_SIMULATE_GZIP, sizeof values));
    size_t bytes = ff_pack(FF_SIMULATE_GZIP, values, sizeof values, 2, packed);
    assert_true(bytes > 0 && bytes < sizeof values);
    assert_int_equal(uncompress(inflated, &size, packed, bytes), Z_OK);
    assert_int_equal(size, sizeof values);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(inflated[i] | inflated[COUNT + i] << 8, values[i]);
    free(packed);
}

static uint64_t big_endian(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* By the description of the format: header, then blocks with their lengths, then the last few. */
static void test_bits_shuffled_and_packed(void **state)
{
    (void)state;
    uint16_t values[COUNT];
    fill(values);
    uint8_t *packed = malloc(ff_pack_room(FF_SIMULATE_BITSHUFFLE, sizeof values));
    size_t bytes = ff_pack(FF_SIMULATE_BITSHUFFLE, values, sizeof values, 2, packed);
    assert_int_equal(big_endian(packed, 8), sizeof values);
    size_t block = (size_t)big_endian(packed + 8, 4) / 2;
    size_t at = 12;
    size_t done = 0;
    while (COUNT - done >= 8) {
        uint8_t bits[8192];
        size_t count = COUNT - done < block ? (COUNT - done) / 8 * 8 : block;
        size_t length = (size_t)big_endian(packed + at, 4);
        assert_int_equal(LZ4_decompress_safe((const char *)packed + at + 4, (char *)bits,
                                             (int)length, sizeof bits),
                         2 * count);
        for (size_t i = 0; i < count; i++) {
            unsigned value = 0;
            for (size_t bit = 0; bit < 16; bit++)
                value |= (unsigned)(bits[bit * (count / 8) + i / 8] >> (i % 8) & 1) << bit;
            assert_int_equal(value, values[done + i]);
        }
        at += 4 + length;
        done += count;
    }
    assert_int_equal(COUNT - done, 3);
    assert_memory_equal(packed + at, values + done, 2 * (COUNT - done));
    assert_int_equal(bytes, at + 2 * (COUNT - done));
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_name_is_a_format),
        cmocka_unit_test(test_what_was_ended_leaves_nothing_in_any_format),
        cmocka_unit_test(test_what_has_no_room_leaves_nothing_in_any_format),
        cmocka_unit_test(test_packing_and_threads_change_no_number),
        cmocka_unit_test(test_the_same_scan_is_the_same_file),
        cmocka_unit_test(test_a_series_is_named_after_the_output),
        cmocka_unit_test(test_too_many_files_are_refused),
        cmocka_unit_test(test_shuffled_and_deflated),
        cmocka_unit_test(test_bits_shuffled_and_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
