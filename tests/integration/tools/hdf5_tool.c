/*
 * hdf5_tool: what the process tests need of HDF5 files, for Python has no reader of them.
 *
 *     hdf5_tool digest FILE DATASET     SHA-256 of the elements of a dataset, as they are stored
 *     hdf5_tool difference FILE OTHER DATASET
 *                                       ‖a − b‖ / ‖b‖ of two datasets of floats or pairs of them
 *     hdf5_tool damage FILE HOW         changes one thing of a CXI file in place: see `damages`
 */
#include "protocol/core/digest.h"

#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char positions_path[] = "/entry_1/sample_1/geometry_1/translation";
static const char energy_path[] = "/entry_1/instrument_1/source_1/energy";

static int complain(const char *what, const char *name)
{
    fprintf(stderr, "hdf5_tool: %s: %s\n", what, name);
    return 1;
}

/* The elements of a dataset as they are stored; the caller frees. NULL, with a complaint, when they cannot be read. */
static void *read_elements(const char *path, const char *name, size_t *size)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = file >= 0 ? H5Dopen2(file, name, H5P_DEFAULT) : -1;
    if (set < 0) {
        complain("no such dataset", name);
        return NULL;
    }
    hid_t type = H5Dget_type(set);
    hid_t space = H5Dget_space(set);
    *size = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
    void *data = malloc(*size + 1);
    if (data == NULL || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        complain("cannot be read", name);
        free(data);
        data = NULL;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    H5Fclose(file);
    return data;
}

static int digest(const char *path, const char *name)
{
    size_t size;
    void *data = read_elements(path, name, &size);
    if (data == NULL)
        return 1;
    struct ff_digest sum;
    struct ff_error error;
    int result = ff_digest_of((struct ff_span){data, size}, &sum, &error);
    free(data);
    if (result < 0)
        return complain("cannot be summed", error.message);
    char text[FF_DIGEST_TEXT_SIZE];
    ff_digest_text(&sum, text);
    puts(text);
    return 0;
}

/* Of complex numbers of single precision, which are pairs of floats. */
static int difference(const char *path, const char *other_path, const char *name)
{
    size_t size;
    size_t other_size;
    float *values = read_elements(path, name, &size);
    float *others = read_elements(other_path, name, &other_size);
    double apart = 0;
    double norm = 0;
    bool comparable = values != NULL && others != NULL && size == other_size;
    for (size_t i = 0; comparable && i < size / sizeof *values; i++) {
        apart += ((double)values[i] - (double)others[i]) * ((double)values[i] - (double)others[i]);
        norm += (double)others[i] * (double)others[i];
    }
    free(values);
    free(others);
    if (!comparable)
        return complain("cannot be compared", name);
    printf("%.9g\n", sqrt(apart / norm));
    return 0;
}

/* The positions, (N, 3) doubles; the caller frees. */
static double *read_positions(hid_t file, hsize_t shape[2])
{
    hid_t set = H5Dopen2(file, positions_path, H5P_DEFAULT);
    hid_t space = H5Dget_space(set);
    if (set < 0 || H5Sget_simple_extent_ndims(space) != 2)
        return NULL;
    H5Sget_simple_extent_dims(space, shape, NULL);
    double *values = malloc(shape[0] * shape[1] * sizeof *values);
    if (values != NULL)
        H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Sclose(space);
    H5Dclose(set);
    return values;
}

static int write_position(hid_t file, hsize_t row, double x)
{
    hsize_t shape[2];
    double *values = read_positions(file, shape);
    if (values == NULL)
        return -1;
    values[row * shape[1]] = x;
    hid_t set = H5Dopen2(file, positions_path, H5P_DEFAULT);
    herr_t status = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    free(values);
    return status;
}

static int nan_position(hid_t file)
{
    return write_position(file, 17, NAN);
}

/* A metre away from the others, which lie within micrometres. */
static int far_position(hid_t file)
{
    return write_position(file, 17, 1.0);
}

static int few_positions(hid_t file)
{
    hsize_t shape[2];
    double *values = read_positions(file, shape);
    if (values == NULL || H5Ldelete(file, positions_path, H5P_DEFAULT) < 0)
        return -1;
    shape[0] -= 3;
    hid_t space = H5Screate_simple(2, shape, NULL);
    hid_t set = H5Dcreate2(file, positions_path, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT,
                           H5P_DEFAULT);
    herr_t status = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
    free(values);
    return status;
}

static int write_energy(hid_t file, double joules)
{
    hid_t set = H5Dopen2(file, energy_path, H5P_DEFAULT);
    herr_t status = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &joules);
    H5Dclose(set);
    return status;
}

static int negative_energy(hid_t file)
{
    return write_energy(file, -1.4e-15);
}

static int absurd_energy(hid_t file)
{
    return write_energy(file, 1.4e15);
}

static int no_data(hid_t file)
{
    return H5Ldelete(file, "/entry_1/instrument_1/detector_1/data", H5P_DEFAULT);
}

static const struct damage {
    const char *name;
    int (*make)(hid_t file);
} damages[] = {
    {"nan-position", nan_position},   {"far-position", far_position},
    {"few-positions", few_positions}, {"negative-energy", negative_energy},
    {"absurd-energy", absurd_energy}, {"no-data", no_data},
};

static int damage(const char *path, const char *how)
{
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        if (strcmp(damages[i].name, how) != 0)
            continue;
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        if (file < 0 || damages[i].make(file) < 0 || H5Fclose(file) < 0)
            return complain("cannot be damaged so", how);
        return 0;
    }
    return complain("no such damage", how);
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], "digest") == 0)
        return digest(words[2], words[3]);
    if (count == 5 && strcmp(words[1], "difference") == 0)
        return difference(words[2], words[3], words[4]);
    if (count == 4 && strcmp(words[1], "damage") == 0)
        return damage(words[2], words[3]);
    return complain("digest FILE DATASET, difference FILE OTHER DATASET, or damage FILE HOW",
                    "wrong use");
}
