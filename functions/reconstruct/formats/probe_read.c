/* The first guess of a probe that a file offers. */
#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_ELEMENTS_MAX = 1 << 28, PROBE_MODES_MAX = 64 };

/* Of a probe's greatest amplitude: within these its squares, too, are float numbers. */
#define AMPLITUDE_MIN 1e-15
#define AMPLITUDE_MAX 1e15

static int check_probe(const struct ff_hdf5_dataset *dataset, const ff_complex *probe,
                       struct ff_error *error)
{
    const char *path = ff_hdf5_path(dataset->file);
    const float *parts = (const float *)probe;
    double greatest = 0;
    for (size_t i = 0; i < 2 * dataset->elements; i++) {
        if (!isfinite(parts[i]))
            return ff_fail(error, FF_INPUT_INVALID, "%s: %s is not finite at element %zu", path,
                           dataset->name, i / 2);
        greatest = fmax(greatest, fabs((double)parts[i]));
    }
    if (!(greatest > 0)) {
        ff_fail(error, FF_INPUT_INVALID, "%s: the probe %s has no power", path, dataset->name);
        return ff_hint(error, "remove it to begin with an estimate");
    }
    if (greatest >= AMPLITUDE_MIN && greatest <= AMPLITUDE_MAX)
        return 0;
    ff_fail(error, FF_INPUT_INVALID,
            "%s: the amplitudes of the probe %s are at most %.3g, too %s for single precision",
            path, dataset->name, greatest, greatest < AMPLITUDE_MIN ? "small" : "large");
    return ff_hint(error,
                   "multiply it by any number: only its shape counts, its power is made that "
                   "of the patterns");
}

/* (rows, columns) in place, for each mode. */
static int transpose(ff_complex *probe, size_t modes, size_t rows, size_t columns,
                     struct ff_error *error)
{
    ff_complex *turned = ff_array_create(rows * columns, sizeof *turned, "the probe", error);
    if (turned == NULL)
        return -1;
    for (size_t m = 0; m < modes; m++) {
        ff_complex *mode = probe + m * rows * columns;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                turned[r * columns + c] = mode[c * rows + r];
        memcpy(mode, turned, rows * columns * sizeof *turned);
    }
    free(turned);
    return 0;
}

/* (h, w), (M, h, w), or with more axes in front, of which the first entry counts. */
static int shape_of(const struct ff_hdf5_dataset *dataset, size_t *modes, struct ff_error *error)
{
    int rank = dataset->rank;
    char shape[128];
    *modes = rank >= 3 ? dataset->shape[rank - 3] : 1;
    if (rank >= 2 && *modes >= 1 && *modes <= PROBE_MODES_MAX && dataset->elements > 0)
        return 0;
    ff_hdf5_shape_text(dataset, shape, sizeof shape);
    return ff_fail(error, FF_INPUT_INVALID,
                   "%s: the probe %s has the shape %s; wanted is rows × columns, or modes × "
                   "rows × columns",
                   ff_hdf5_path(dataset->file), dataset->name, shape);
}

static int read_dataset(const struct ff_hdf5_dataset *dataset, bool turned,
                        struct ff_measurement *measurement, struct ff_error *error)
{
    size_t modes;
    ff_complex *probe = NULL;
    if (shape_of(dataset, &modes, error) < 0)
        return -1;
    int result = ff_hdf5_read_complex(dataset, PROBE_ELEMENTS_MAX, &probe, error);
    size_t rows = dataset->shape[dataset->rank - (turned ? 1 : 2)];
    size_t columns = dataset->shape[dataset->rank - (turned ? 2 : 1)];
    if (result == 0)
        result = check_probe(dataset, probe, error);
    if (result == 0 && turned)
        result = transpose(probe, modes, rows, columns, error);
    if (result < 0) {
        free(probe);
        return -1;
    }
    free(measurement->probe);
    measurement->probe = probe;
    measurement->probe_modes = modes;
    measurement->probe_rows = rows;
    measurement->probe_columns = columns;
    return 0;
}

int ff_reading_probe(const struct ff_hdf5_file *file, const struct ff_description *description,
                     struct ff_measurement *measurement, struct ff_error *error)
{
    struct ff_quantity place;
    struct ff_hdf5_dataset dataset;
    bool found;
    if (ff_paths_find(file, description->probe, &place, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    const char *const paths[] = {place.path, NULL};
    if (ff_hdf5_find(file, paths, &dataset, error) < 0)
        return -1;
    static const char *const names[] = {"row", "column"};
    size_t axes[2];
    bool turned =
        ff_description_axes(description->probe_axes, names, 2, axes) == 0 && axes[0] > axes[1];
    int result = read_dataset(&dataset, turned, measurement, error);
    ff_hdf5_dataset_close(&dataset);
    return result;
}
