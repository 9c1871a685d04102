#include "functions/reconstruct/formats/layout.h"

#include "functions/reconstruct/constants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_ELEMENTS_MAX = 1 << 28, PROBE_MODES_MAX = 64 };

/* What is physically sensible; outside lie wrong units. */
struct range {
    const char *what;
    const char *unit;
    double low, high;
    const char *hint;
};

static const struct range energy_range = {
    "a photon energy", "J", 1e-20, 1e-12,
    "energies are in joules here: 1 eV is 1.602e-19 J (or give the dataset a units attribute)"};
static const struct range wavelength_range = {"a wavelength", "m", 1e-13, 2e-5,
                                              "wavelengths are in metres here"};
static const struct range distance_range = {"a distance from sample to detector", "m", 1e-5, 1e4,
                                            "distances are positive and in metres here"};
static const struct range pixel_range = {"a pixel size of a detector", "m", 1e-8, 1e-1,
                                         "pixel sizes are positive and in metres here"};

static int check_range(const struct ff_hdf5_file *file, const char *path, double value,
                       const struct range *range, struct ff_error *error)
{
    if (value >= range->low && value <= range->high)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: %s is %g, which is not %s in %s (%g … %g)",
            ff_hdf5_path(file), path, value, range->what, range->unit, range->low, range->high);
    return ff_hint(error, "%s", range->hint);
}

/* *value stays NaN where the file has none of the paths. */
static int read_number(const struct ff_hdf5_file *file, const struct ff_layout_number *number,
                       const struct range *range, double *value, struct ff_error *error)
{
    const char *path = number->paths != NULL ? ff_hdf5_first(file, number->paths) : NULL;
    *value = NAN;
    if (path == NULL)
        return 0;
    if (ff_hdf5_read_number(file, path, number->unit, value, error) < 0)
        return -1;
    return check_range(file, path, *value, range, error);
}

static int refuse_missing(const struct ff_hdf5_file *file, const struct ff_layout_number *number,
                          const char *what, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s has no %s: there is no dataset %s", ff_hdf5_path(file),
            what, number->paths[0]);
    return ff_hint(error, "write it there, in SI units");
}

static int read_beam(const struct ff_hdf5_file *file, const struct ff_layout *layout,
                     struct ff_measurement *measurement, struct ff_error *error)
{
    double energy;
    double wavelength;
    if (read_number(file, &layout->energy, &energy_range, &energy, error) < 0 ||
        read_number(file, &layout->wavelength, &wavelength_range, &wavelength, error) < 0)
        return -1;
    if (isnan(energy) && isnan(wavelength))
        return refuse_missing(file, &layout->energy, "photon energy or wavelength", error);
    if (isnan(energy))
        energy = FF_PLANCK_J_S * FF_LIGHT_M_S / wavelength;
    double of_energy = FF_PLANCK_J_S * FF_LIGHT_M_S / energy;
    if (isnan(wavelength))
        wavelength = of_energy;
    if (fabs(wavelength - of_energy) > 0.01 * wavelength) {
        ff_fail(
            error, FF_INPUT_INVALID,
            "%s: the energy %g J (%.6g eV) belongs to a wavelength of %g m, and the file says %g m",
            ff_hdf5_path(file), energy, energy / FF_ELECTRON_V_J, of_energy, wavelength);
        return ff_hint(error, "correct or remove the one that is wrong: %s or %s",
                       ff_hdf5_first(file, layout->energy.paths),
                       ff_hdf5_first(file, layout->wavelength.paths));
    }
    measurement->energy_J = energy;
    measurement->wavelength_m = wavelength;
    return 0;
}

static int read_detector(const struct ff_hdf5_file *file, const struct ff_layout *layout,
                         struct ff_measurement *measurement, struct ff_error *error)
{
    double *pixel = measurement->detector_pixel_m;
    if (read_number(file, &layout->distance, &distance_range, &measurement->distance_m, error) <
            0 ||
        read_number(file, &layout->pixel_rows, &pixel_range, &pixel[0], error) < 0 ||
        read_number(file, &layout->pixel_columns, &pixel_range, &pixel[1], error) < 0)
        return -1;
    if (isnan(measurement->distance_m))
        return refuse_missing(file, &layout->distance, "distance from sample to detector", error);
    if (isnan(pixel[0]) && isnan(pixel[1]))
        return refuse_missing(file, &layout->pixel_columns, "pixel size of the detector", error);
    if (isnan(pixel[0]))
        pixel[0] = pixel[1];
    if (isnan(pixel[1]))
        pixel[1] = pixel[0];
    return 0;
}

/* The unit vectors of the rows and the columns of a frame in the axes of the positions. */
static int read_axes(const struct ff_hdf5_file *file, const struct ff_layout *layout,
                     double axes[2][3], struct ff_error *error)
{
    memcpy(axes, (const double[2][3]){{0, 1, 0}, {1, 0, 0}}, sizeof(double[2][3]));
    if (layout->basis_vectors == NULL || ff_hdf5_first(file, layout->basis_vectors) == NULL)
        return 0;
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, layout->basis_vectors, &dataset, error) < 0)
        return -1;
    double *values = NULL;
    int result = ff_hdf5_expect(&dataset, 2, (const size_t[]){2, 3}, error);
    if (result == 0)
        result = ff_hdf5_read_doubles(&dataset, 6, &values, error);
    for (int i = 0; result == 0 && i < 2; i++) {
        const double *vector = values + 3 * i;
        double length = sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]);
        if (!(length > 0) || !isfinite(length))
            result = ff_fail(error, FF_INPUT_INVALID,
                             "%s: row %d of %s is (%g, %g, %g), which has no direction",
                             ff_hdf5_path(file), i, dataset.name, vector[0], vector[1], vector[2]);
        for (int j = 0; result == 0 && j < 3; j++)
            axes[i][j] = vector[j] / length;
    }
    double along = axes[0][0] * axes[1][0] + axes[0][1] * axes[1][1] + axes[0][2] * axes[1][2];
    if (result == 0 && fabs(along) > 0.99)
        result = ff_fail(error, FF_INPUT_INVALID, "%s: the two rows of %s point the same way",
                         ff_hdf5_path(file), dataset.name);
    free(values);
    ff_hdf5_dataset_close(&dataset);
    return result;
}

static int check_positions(const struct ff_hdf5_dataset *dataset, size_t patterns,
                           struct ff_error *error)
{
    const char *path = ff_hdf5_path(dataset->file);
    char shape[128];
    ff_hdf5_shape_text(dataset, shape, sizeof shape);
    if (dataset->rank != 2 || (dataset->shape[1] != 2 && dataset->shape[1] != 3)) {
        ff_fail(error, FF_INPUT_INVALID, "%s: %s has the shape %s; wanted is %zu × 3", path,
                dataset->name, shape, patterns);
        return ff_hint(error, "positions are expected as one (x, y, z) for each frame");
    }
    if (dataset->shape[0] == patterns)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu positions and there are %zu frames", path,
            dataset->name, dataset->shape[0], patterns);
    return ff_hint(
        error,
        "pair frames and positions by their trigger number, and leave out what has no partner");
}

static int convert_positions(const struct ff_hdf5_dataset *dataset, const struct ff_layout *layout,
                             const double *values, double axes[2][3], double *positions_m,
                             struct ff_error *error)
{
    double unit = layout->direction * ff_hdf5_unit(dataset, layout->positions.unit);
    size_t width = dataset->shape[1];
    for (size_t n = 0; n < dataset->shape[0]; n++) {
        const double *from = values + n * width;
        for (size_t axis = 0; axis < 2; axis++) {
            double sum = from[0] * axes[axis][0] + from[1] * axes[axis][1];
            if (width == 3)
                sum += from[2] * axes[axis][2];
            positions_m[2 * n + axis] = unit * sum;
            if (isfinite(sum))
                continue;
            ff_fail(error, FF_INPUT_INVALID, "%s: %s: position %zu is (%g, %g)",
                    ff_hdf5_path(dataset->file), dataset->name, n, from[0], from[1]);
            return ff_hint(error, "leave out the frames whose position was not recorded");
        }
    }
    return 0;
}

static int read_positions(const struct ff_hdf5_file *file, const struct ff_layout *layout,
                          struct ff_measurement *measurement, struct ff_error *error)
{
    double axes[2][3];
    struct ff_hdf5_dataset dataset;
    if (read_axes(file, layout, axes, error) < 0 ||
        ff_hdf5_find(file, layout->positions.paths, &dataset, error) < 0)
        return -1;
    double *values = NULL;
    int result = check_positions(&dataset, measurement->patterns, error);
    if (result == 0)
        result = ff_hdf5_read_doubles(&dataset, dataset.elements, &values, error);
    if (result == 0) {
        measurement->positions_m =
            ff_array_create(measurement->patterns, 2 * sizeof(double), "the positions", error);
        result = measurement->positions_m == NULL
                     ? -1
                     : convert_positions(&dataset, layout, values, axes, measurement->positions_m,
                                         error);
    }
    free(values);
    ff_hdf5_dataset_close(&dataset);
    return result;
}

/* *mask stays NULL where the file has none. */
static int read_mask(const struct ff_hdf5_file *file, const struct ff_layout *layout,
                     const struct ff_hdf5_dataset *data, uint8_t **mask, struct ff_error *error)
{
    if (layout->mask == NULL || ff_hdf5_first(file, layout->mask) == NULL || data->rank != 3)
        return 0;
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, layout->mask, &dataset, error) < 0)
        return -1;
    double *values = NULL;
    uint8_t *block = NULL;
    int result = ff_hdf5_expect(&dataset, 2, data->shape + 1, error);
    if (result == 0)
        result = ff_hdf5_read_doubles(&dataset, dataset.elements, &values, error);
    if (result == 0 && (block = ff_array_create(dataset.elements, 1, "the mask", error)) == NULL)
        result = -1;
    for (size_t i = 0; result == 0 && i < dataset.elements; i++)
        block[i] = layout->may_use(values[i]);
    free(values);
    ff_hdf5_dataset_close(&dataset);
    if (result == 0)
        *mask = block;
    return result;
}

static int check_probe(const struct ff_hdf5_dataset *dataset, const ff_complex *probe,
                       struct ff_error *error)
{
    const char *path = ff_hdf5_path(dataset->file);
    const float *parts = (const float *)probe;
    double power = 0;
    for (size_t i = 0; i < 2 * dataset->elements; i++) {
        if (!isfinite(parts[i]))
            return ff_fail(error, FF_INPUT_INVALID, "%s: %s is not finite at element %zu", path,
                           dataset->name, i / 2);
        power += (double)parts[i] * (double)parts[i];
    }
    if (power > 0 && isfinite(power))
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: the probe %s has no power", path, dataset->name);
    return ff_hint(error, "remove it to begin with an estimate");
}

int ff_layout_read_probe(const struct ff_hdf5_file *file, const char *const *paths,
                         struct ff_measurement *measurement, struct ff_error *error)
{
    struct ff_hdf5_dataset dataset;
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    int rank = dataset.rank;
    size_t modes = rank >= 3 ? dataset.shape[rank - 3] : 1;
    char shape[128];
    ff_hdf5_shape_text(&dataset, shape, sizeof shape);
    ff_complex *probe = NULL;
    int result = 0;
    /* Of four axes the first counts eigenprobes, which stand behind the probe itself. */
    if (rank < 2 || rank > 4 || dataset.elements == 0 || modes < 1 || modes > PROBE_MODES_MAX)
        result = ff_fail(error, FF_INPUT_INVALID,
                         "%s: the probe %s has the shape %s; wanted is rows × columns, or modes × "
                         "rows × columns",
                         ff_hdf5_path(file), dataset.name, shape);
    if (result == 0)
        result = ff_hdf5_read_complex(&dataset, PROBE_ELEMENTS_MAX, &probe, error);
    if (result == 0)
        result = check_probe(&dataset, probe, error);
    if (result == 0) {
        free(measurement->probe);
        measurement->probe = probe;
        measurement->probe_modes = modes;
        measurement->probe_rows = dataset.shape[rank - 2];
        measurement->probe_columns = dataset.shape[rank - 1];
    } else {
        free(probe);
    }
    ff_hdf5_dataset_close(&dataset);
    return result;
}

int ff_layout_read(const struct ff_hdf5_file *file, const struct ff_layout *layout, size_t crop,
                   struct ff_measurement *measurement, struct ff_buffer *notes,
                   struct ff_error *error)
{
    /* What is small comes first, so that most refusals cost nothing. */
    struct ff_hdf5_dataset data;
    if (read_beam(file, layout, measurement, error) < 0 ||
        read_detector(file, layout, measurement, error) < 0 ||
        ff_hdf5_find(file, layout->data, &data, error) < 0)
        return -1;
    measurement->patterns = data.rank > 0 ? data.shape[0] : 0;
    uint8_t *mask = NULL;
    int result = 0;
    if (measurement->patterns > 0)
        result = read_positions(file, layout, measurement, error);
    if (result == 0 && layout->probe != NULL && ff_hdf5_first(file, layout->probe) != NULL)
        result = ff_layout_read_probe(file, layout->probe, measurement, error);
    if (result == 0)
        result = read_mask(file, layout, &data, &mask, error);
    if (result == 0)
        result = ff_counts_read(&data, mask, crop, measurement, notes, error);
    free(mask);
    ff_hdf5_dataset_close(&data);
    return result;
}
