#include "functions/reconstruct/formats/hdf5.h"

#include "functions/reconstruct/formats/hdf5_internal.h"
#include "functions/reconstruct/formats/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTE_BYTES_MAX = 1 << 20, SERIES_MAX = 1 << 24 };

double ff_hdf5_unit(const struct ff_hdf5_dataset *dataset, double otherwise)
{
    char *name = NULL;
    if (ff_hdf5_attribute_text(dataset->file, dataset->name, "units", &name) < 0)
        return otherwise;
    double unit = otherwise;
    bool in_pixels;
    if (!ff_unit_of(name, &unit, &in_pixels) || in_pixels)
        unit = otherwise;
    free(name);
    return unit;
}

static int refuse_read(const struct ff_hdf5_dataset *dataset, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s: %s cannot be read; the file is damaged",
            dataset->file->path, dataset->name);
    return ff_hint(error, "copy the file again from where it was measured");
}

static int check_limit(const struct ff_hdf5_dataset *dataset, size_t limit, struct ff_error *error)
{
    if (dataset->elements == 0)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s is empty", dataset->file->path,
                       dataset->name);
    if (dataset->elements > limit)
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: %s has %zu elements; at most %zu make sense there", dataset->file->path,
                       dataset->name, dataset->elements, limit);
    return 0;
}

int ff_hdf5_read_doubles(const struct ff_hdf5_dataset *dataset, size_t limit, double **values,
                         struct ff_error *error)
{
    if (dataset->kind != FF_HDF5_INTEGER && dataset->kind != FF_HDF5_FLOAT)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s holds no real numbers", dataset->file->path,
                       dataset->name);
    if (check_limit(dataset, limit, error) < 0)
        return -1;
    double *block = ff_array_create(dataset->elements, sizeof *block, dataset->name, error);
    if (block == NULL)
        return -1;
    if (H5Dread(dataset->id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0) {
        free(block);
        return refuse_read(dataset, error);
    }
    *values = block;
    return 0;
}

hid_t ff_hdf5_complex_type(void)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(float));
    H5Tinsert(type, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(type, "i", sizeof(float), H5T_NATIVE_FLOAT);
    return type;
}

/* Members are matched by name when HDF5 converts, so the memory type carries the names of the file.
 */
static hid_t complex_type_of(const struct ff_hdf5_dataset *dataset)
{
    hid_t stored = H5Dget_type(dataset->id);
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(float));
    for (unsigned i = 0; i < 2; i++) {
        char *name = H5Tget_member_name(stored, i);
        H5Tinsert(type, name != NULL ? name : "", i * sizeof(float), H5T_NATIVE_FLOAT);
        H5free_memory(name);
    }
    H5Tclose(stored);
    return type;
}

/* Reals are read into the first half and spread from the end, each to the place of its own pair. */
static void spread_reals(ff_complex *values, size_t count)
{
    const float *reals = (const float *)values;
    for (size_t i = count; i-- > 0;) {
        float real = reals[i];
        values[i] = real;
    }
}

int ff_hdf5_read_complex(const struct ff_hdf5_dataset *dataset, size_t limit, ff_complex **values,
                         struct ff_error *error)
{
    bool complex_stored = dataset->kind == FF_HDF5_COMPLEX;
    if (!complex_stored && dataset->kind != FF_HDF5_FLOAT && dataset->kind != FF_HDF5_INTEGER)
        return ff_fail(error, FF_INPUT_INVALID, "%s: %s holds no complex numbers",
                       dataset->file->path, dataset->name);
    if (check_limit(dataset, limit, error) < 0)
        return -1;
    ff_complex *block = ff_array_create(dataset->elements, sizeof *block, dataset->name, error);
    if (block == NULL)
        return -1;
    hid_t type = complex_stored ? complex_type_of(dataset) : H5Tcopy(H5T_NATIVE_FLOAT);
    herr_t status = H5Dread(dataset->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block);
    H5Tclose(type);
    if (status < 0) {
        free(block);
        return refuse_read(dataset, error);
    }
    if (!complex_stored)
        spread_reals(block, dataset->elements);
    *values = block;
    return 0;
}

int ff_hdf5_read_slabs(const struct ff_hdf5_dataset *dataset, size_t first, size_t count,
                       hid_t memory_type, void *values, struct ff_error *error)
{
    hsize_t start[FF_HDF5_RANK_MAX] = {first};
    hsize_t extent[FF_HDF5_RANK_MAX] = {count};
    for (int i = 1; i < dataset->rank; i++)
        extent[i] = dataset->shape[i];
    hid_t space = H5Dget_space(dataset->id);
    hid_t memory = H5Screate_simple(dataset->rank, extent, NULL);
    herr_t status = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL);
    if (status >= 0)
        status = H5Dread(dataset->id, memory_type, memory, space, H5P_DEFAULT, values);
    H5Sclose(memory);
    H5Sclose(space);
    if (status >= 0)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: %s cannot be read at entry %zu; the file is damaged",
            dataset->file->path, dataset->name, first);
    return ff_hint(error, "copy the file again from where it was measured");
}

int ff_hdf5_read_number(const struct ff_hdf5_file *file, const char *path, double unit,
                        double *value, struct ff_error *error)
{
    const char *const paths[] = {path, NULL};
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    double *series = NULL;
    int result = ff_hdf5_read_doubles(&dataset, SERIES_MAX, &series, error);
    /* Some writers repeat the number for each frame. */
    for (size_t i = 1; result == 0 && i < dataset.elements; i++)
        if (!(fabs(series[i] - series[0]) <= 1e-6 * fabs(series[0])))
            result = ff_fail(error, FF_INPUT_INVALID,
                             "%s: %s changes within the scan, from %g to %g at entry %zu",
                             file->path, path, series[0], series[i], i);
    if (result == 0)
        *value = series[0] * ff_hdf5_unit(&dataset, unit);
    free(series);
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static hid_t open_attribute(const struct ff_hdf5_file *file, const char *path, const char *name)
{
    if (!ff_hdf5_exists(file, path) || H5Aexists_by_name(file->id, path, name, H5P_DEFAULT) <= 0)
        return -1;
    return H5Aopen_by_name(file->id, path, name, H5P_DEFAULT, H5P_DEFAULT);
}

int ff_hdf5_attribute_number(const struct ff_hdf5_file *file, const char *path, const char *name,
                             double *value)
{
    hid_t attribute = open_attribute(file, path, name);
    if (attribute < 0)
        return -1;
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    enum ff_hdf5_kind kind = ff_hdf5_kind_of(type);
    bool usable = (kind == FF_HDF5_FLOAT || kind == FF_HDF5_INTEGER) &&
                  H5Sget_simple_extent_npoints(space) == 1;
    if (usable)
        usable = H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return usable ? 0 : -1;
}

static char *read_variable_text(hid_t attribute, hid_t type)
{
    char *shared = NULL;
    hid_t memory = H5Tcopy(type);
    char *copy = NULL;
    if (H5Aread(attribute, memory, &shared) >= 0 && shared != NULL &&
        strlen(shared) <= ATTRIBUTE_BYTES_MAX)
        copy = strdup(shared);
    H5free_memory(shared);
    H5Tclose(memory);
    return copy;
}

static char *read_fixed_text(hid_t attribute, hid_t type)
{
    size_t size = H5Tget_size(type);
    char *text = size <= ATTRIBUTE_BYTES_MAX ? calloc(1, size + 1) : NULL;
    if (text != NULL && H5Aread(attribute, type, text) < 0) {
        free(text);
        text = NULL;
    }
    return text;
}

int ff_hdf5_attribute_text(const struct ff_hdf5_file *file, const char *path, const char *name,
                           char **text)
{
    hid_t attribute = open_attribute(file, path, name);
    if (attribute < 0)
        return -1;
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    char *read = NULL;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1)
        read = H5Tis_variable_str(type) > 0 ? read_variable_text(attribute, type)
                                            : read_fixed_text(attribute, type);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    if (read == NULL)
        return -1;
    *text = read;
    return 0;
}
