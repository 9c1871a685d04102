#include "functions/reconstruct/compare/input.h"

#include "functions/reconstruct/compare/npy.h"
#include "functions/reconstruct/formats/store.h"
#include "functions/reconstruct/picture/tiff.h"
#include "functions/reconstruct/result.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENTS_MAX = 1 << 30, POSITIONS_MAX = 1 << 27, SIDE_MAX = 1 << 20 };

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);
    size_t size = strlen(end);
    return length >= size && strcasecmp(name + length - size, end) == 0;
}

/* --- HDF5 --- */

/* An array of two or more axes: the planes of its last two, and how many there are. */
struct planes {
    ff_complex *values;
    size_t count, rows, columns;
};

static int read_planes(const struct ff_hdf5_file *file, const char *path, struct planes *planes,
                       struct ff_error *error)
{
    const char *const paths[] = {path, NULL};
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    int result = 0;
    if (dataset.rank < 2 || dataset.elements == 0 || dataset.shape[dataset.rank - 1] > SIDE_MAX ||
        dataset.shape[dataset.rank - 2] > SIDE_MAX) {
        char shape[128];
        ff_hdf5_shape_text(&dataset, shape, sizeof shape);
        result = ff_fail(error, FF_INPUT_INVALID, "%s: %s has the shape %s; an image is wanted",
                         ff_hdf5_path(file), path, shape);
    }
    if (result == 0)
        result = ff_hdf5_read_complex(&dataset, ELEMENTS_MAX, &planes->values, error);
    if (result == 0) {
        planes->rows = dataset.shape[dataset.rank - 2];
        planes->columns = dataset.shape[dataset.rank - 1];
        planes->count = dataset.elements / planes->rows / planes->columns;
    }
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static double pixel_of(const struct ff_hdf5_file *file, const char *path, const char *name)
{
    double value = NAN;
    return ff_hdf5_attribute_number(file, path, name, &value) == 0 && value > 0 ? value : NAN;
}

static int read_dataset(const struct ff_hdf5_file *file, const char *path,
                        struct ff_estimate *estimate, struct ff_error *error)
{
    struct planes object = {0};
    if (read_planes(file, path, &object, error) < 0)
        return -1;
    const double pixel_m[2] = {pixel_of(file, path, "pixel_height_m"),
                               pixel_of(file, path, "pixel_width_m")};
    const struct ff_estimate_source source = {
        .object = object.values,
        .rows = object.rows,
        .columns = object.columns,
        .pixel_m = pixel_m,
    };
    int result = ff_estimate_create(estimate, &source, error);
    free(object.values);
    return result;
}

/* (N, 2), as `farfield simulate` keeps the truth. */
static int read_true_positions(const struct ff_hdf5_file *file, double **positions, size_t *count,
                               struct ff_error *error)
{
    static const char *const paths[] = {"/simulation/positions_px", NULL};
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    int result = ff_hdf5_expect(&dataset, 2, (const size_t[]){0, 2}, error);
    if (result == 0)
        result = ff_hdf5_read_doubles(&dataset, POSITIONS_MAX, positions, error);
    if (result == 0)
        *count = dataset.shape[0];
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static int read_truth(const struct ff_hdf5_file *file, struct ff_estimate *estimate,
                      struct ff_error *error)
{
    struct planes object = {0};
    struct planes probe = {0};
    double *positions = NULL;
    size_t count = 0;
    double pixel_m[2] = {NAN, NAN};
    if (ff_hdf5_exists(file, "/simulation/object_pixel_m") &&
        ff_hdf5_read_number(file, "/simulation/object_pixel_m", 1, pixel_m, error) < 0)
        return -1;
    pixel_m[1] = pixel_m[0];
    int result = read_planes(file, "/simulation/object", &object, error);
    if (result == 0)
        result = read_planes(file, "/simulation/probe", &probe, error);
    if (result == 0)
        result = read_true_positions(file, &positions, &count, error);
    const struct ff_estimate_source source = {
        .object = object.values,
        .rows = object.rows,
        .columns = object.columns,
        .pixel_m = pixel_m,
        .positions = positions,
        .count = count,
        .probe = probe.values,
        .modes = probe.count,
        .probe_rows = probe.rows,
        .probe_columns = probe.columns,
    };
    if (result == 0)
        result = ff_estimate_create(estimate, &source, error);
    free(object.values);
    free(probe.values);
    free(positions);
    return result;
}

/* A fly scan stands for its middles here, one position a pattern. */
static void take_means(struct ff_product *product)
{
    for (size_t i = 0; i < 2 * product->patterns; i++) {
        double sum = 0;
        for (size_t k = 0; k < product->fly; k++)
            sum += product->positions[(i / 2 * product->fly + k) * 2 + i % 2];
        product->positions[i] = sum / (double)product->fly;
    }
}

static int read_result(const char *path, struct ff_estimate *estimate, struct ff_error *error)
{
    struct ff_product *product = ff_product_read(path, error);
    if (product == NULL)
        return -1;
    if (product->positions != NULL && product->fly > 1)
        take_means(product);
    const struct ff_estimate_source source = {
        .object = product->object,
        .rows = product->rows,
        .columns = product->columns,
        .pixel_m = product->pixel_m,
        .positions = product->positions,
        .count = product->patterns,
        .probe = product->probe,
        .modes = product->modes,
        .probe_rows = product->probe_rows,
        .probe_columns = product->probe_columns,
    };
    int result = ff_estimate_create(estimate, &source, error);
    ff_product_destroy(product);
    return result;
}

static int read_hdf5(const char *path, const char *inside, struct ff_estimate *estimate,
                     struct ff_error *error)
{
    struct ff_hdf5_file *file = ff_store_open(path, error); /* HDF5, or NPZ as such */
    if (file == NULL)
        return error == NULL || error->code != FF_INPUT_INVALID
                   ? -1
                   : ff_hint(error,
                             "compare takes a result or a simulated scan (HDF5, NPZ), an .npy of "
                             "the object, or a .tiff of its phase or amplitude");
    bool is_result = !ends_with(path, ".npz") && ff_hdf5_exists(file, "/object") &&
                     ff_hdf5_exists(file, "/probe");
    int result = -1;
    if (inside != NULL)
        result = read_dataset(file, inside, estimate, error);
    else if (!is_result && ff_hdf5_exists(file, "/simulation/object"))
        result = read_truth(file, estimate, error);
    else if (!is_result) {
        ff_fail(error, FF_INPUT_INVALID, "%s holds neither a result nor a simulation", path);
        ff_hint(error, "name the dataset of the object: %s::/PATH; farfield inspect shows them",
                path);
    }
    ff_hdf5_close(file);
    return is_result && inside == NULL ? read_result(path, estimate, error) : result;
}

/* --- arrays and images --- */

static int read_npy(const char *path, struct ff_estimate *estimate, struct ff_error *error)
{
    struct ff_estimate_source source = {0};
    ff_complex *values = NULL;
    if (ff_npy_read(path, &source.rows, &source.columns, &values, error) < 0)
        return -1;
    source.object = values;
    int result = ff_estimate_create(estimate, &source, error);
    free(values);
    return result;
}

/* "X-phase.tif" → "X-amplitude.tif" and back, in a block that the caller frees; NULL for others.
 * Also tells whether the path is that of an amplitude. */
static char *partner_of(const char *path, bool *is_amplitude)
{
    static const char *const words[] = {"-phase.", "-amplitude."};
    *is_amplitude = false;
    for (size_t i = 0; i < 2; i++) {
        const char *end = strrchr(path, '.');
        size_t length = strlen(words[i]);
        if (end == NULL || (size_t)(end + 1 - path) < length ||
            strncmp(end + 1 - length, words[i], length) != 0)
            continue;
        char *partner = NULL;
        *is_amplitude = i == 1;
        if (asprintf(&partner, "%.*s%s%s", (int)(end + 1 - path - (long)length), path, words[1 - i],
                     end + 1) < 0)
            return NULL;
        return partner;
    }
    return NULL;
}

static ff_complex wave(const struct ff_tiff *phase, const struct ff_tiff *amplitude, size_t i)
{
    double angle = phase->values != NULL ? (double)phase->values[i] : 0;
    double size = amplitude->values != NULL ? (double)amplitude->values[i] : 1;
    return (ff_complex)(size * ff_turn(angle));
}

static int join(const char *path, const struct ff_tiff *phase, const struct ff_tiff *amplitude,
                struct ff_estimate *estimate, struct ff_error *error)
{
    const struct ff_tiff *given = phase->values != NULL ? phase : amplitude;
    if (phase->values != NULL && amplitude->values != NULL &&
        (phase->rows != amplitude->rows || phase->columns != amplitude->columns))
        return ff_fail(error, FF_INPUT_INVALID,
                       "%s: phase and amplitude have %zu × %zu and %zu × %zu pixels", path,
                       phase->rows, phase->columns, amplitude->rows, amplitude->columns);
    size_t count = given->rows * given->columns;
    ff_complex *values = ff_array_create(count, sizeof *values, "the object", error);
    if (values == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        values[i] = wave(phase, amplitude, i);
    const struct ff_estimate_source source = {
        .object = values,
        .rows = given->rows,
        .columns = given->columns,
        .pixel_m = given->pixel_m,
    };
    int result = ff_estimate_create(estimate, &source, error);
    free(values);
    return result;
}

static int read_tiffs(const char *path, struct ff_estimate *estimate, struct ff_error *error)
{
    struct ff_tiff images[2] = {{0}, {0}}; /* the one named, its partner */
    bool is_amplitude;
    char *partner = partner_of(path, &is_amplitude);
    int result = ff_tiff_read(path, &images[0], error);
    if (result == 0 && partner != NULL && access(partner, F_OK) == 0)
        result = ff_tiff_read(partner, &images[1], error);
    if (result == 0)
        result = join(path, &images[is_amplitude], &images[!is_amplitude], estimate, error);
    free(images[0].values);
    free(images[1].values);
    free(partner);
    return result;
}

/* "FILE.h5::/PATH": the dataset, and *path cut before it. */
static const char *split(char *name)
{
    char *colons = strstr(name, "::");
    if (colons == NULL)
        return NULL;
    *colons = '\0';
    return colons + 2;
}

int ff_compare_input(const char *name, struct ff_estimate *estimate, struct ff_error *error)
{
    char *path = strdup(name);
    if (path == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a name");
    const char *inside = split(path);
    int result;
    if (ends_with(path, ".npy"))
        result = read_npy(path, estimate, error);
    else if (ends_with(path, ".tif") || ends_with(path, ".tiff"))
        result = read_tiffs(path, estimate, error);
    else
        result = read_hdf5(path, inside, estimate, error);
    if (result < 0 && error != NULL && strstr(error->message, path) == NULL)
        ff_fail_prefix(error, "%s: ", path);
    free(path);
    return result;
}
