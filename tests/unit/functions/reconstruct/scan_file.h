/*
 * tests/unit/functions/reconstruct/scan_file.h: a small simulated scan as a file, and ways to spoil
 * it.
 */
#ifndef FF_TESTS_SCAN_FILE_H
#define FF_TESTS_SCAN_FILE_H

#include "tests/unit/check.h"

#include "functions/reconstruct/settings.h"
#include "functions/simulate/write.h"
#include "protocol/core/file.h"

#include <hdf5.h>

enum { SCAN_SIZE = 32, SCAN_PATTERNS = 25 };

#define SCAN_DETECTOR    "/entry_1/instrument_1/detector_1/"
#define SCAN_SOURCE      "/entry_1/instrument_1/source_1/"
#define SCAN_TRANSLATION "/entry_1/sample_1/geometry_1/translation"

static inline bool scan_step(void *user, size_t done)
{
    const size_t *limit = user;
    return limit == NULL || done < *limit;
}

/* A simulation of a few small patterns. */
static inline struct ff_simulation *scan_simulation(void)
{
    static struct ff_simulate_settings settings;
    struct ff_error error = {0};
    ff_options_dispose(&ff_simulate_table, &settings);
    assert_ok(ff_options_init(&ff_simulate_table, &settings, &error), error);
    settings.size = SCAN_SIZE;
    settings.patterns = SCAN_PATTERNS;
    settings.counts = 1e5;
    struct ff_simulation *simulation = ff_simulation_create(&settings, &error);
    if (simulation == NULL)
        fail_msg("%s", error.message);
    return simulation;
}

static inline void scan_write(const char *path)
{
    struct ff_error error = {0};
    struct ff_simulation *simulation = scan_simulation();
    assert_ok(ff_simulation_write(simulation, path, scan_step, NULL, &error), error);
    ff_simulation_destroy(simulation);
}

/* Replaces a dataset of the file by one of `rank` axes, from values of another type. */
static inline void scan_replace_as(const char *path, const char *dataset, hid_t type, int rank,
                                   const hsize_t *shape, hid_t given, const void *values)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Ldelete(file, dataset, H5P_DEFAULT) >= 0);
    hid_t space = rank > 0 ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Dcreate2(file, dataset, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(id >= 0);
    if (values != NULL)
        assert_true(H5Dwrite(id, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Fclose(file);
}

static inline void scan_replace(const char *path, const char *dataset, hid_t type, int rank,
                                const hsize_t *shape, const void *values)
{
    scan_replace_as(path, dataset, type, rank, shape, type, values);
}

static inline void scan_replace_number(const char *path, const char *dataset, double value)
{
    scan_replace(path, dataset, H5T_NATIVE_DOUBLE, 0, NULL, &value);
}

/* The positions, (SCAN_PATTERNS, 3), into `values`. */
static inline void scan_read_positions(const char *path, double *values)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t id = H5Dopen2(file, SCAN_TRANSLATION, H5P_DEFAULT);
    assert_true(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Fclose(file);
}

#endif
