/* Whether the files of a series are of one scan: what they tell beside their frames must agree. */
#include "functions/reconstruct/formats/reading.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#define KEY(name) offsetof(struct ff_description, name)

/* Motors and monochromators are read anew for each file, so that figures differ a little. */
static const double tolerance = 0.01;

static int refuse(const struct ff_hdf5_file *first, const struct ff_hdf5_file *other,
                  const char *what, double in_first, double in_other, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID,
            "%s and %s are not of one scan: %s is %.6g in one and %.6g in "
            "the other",
            ff_hdf5_path(first), ff_hdf5_path(other), what, in_first, in_other);
    return ff_hint(error, "name the files of one scan, and reconstruct each scan alone");
}

static bool differ(double a, double b)
{
    return fabs(a - b) > tolerance * fmax(fabs(a), fabs(b));
}

static int check_numbers(const struct ff_reading *first, const struct ff_reading *other,
                         struct ff_error *error)
{
    static const struct {
        size_t key;
        const char *what;
    } numbers[] = {
        {KEY(energy), "the photon energy"},
        {KEY(wavelength), "the wavelength"},
        {KEY(distance), "the distance to the detector"},
        {KEY(pixel_rows), "the height of a detector pixel"},
        {KEY(pixel_columns), "the width of a detector pixel"},
        {KEY(object_pixel), "the size of an object pixel"},
        {KEY(beam_row), "the row that the beam hits"},
        {KEY(beam_column), "the column that the beam hits"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        double values[2];
        struct ff_quantity place;
        const struct ff_hdf5_file *file;
        if (ff_reading_number(first, numbers[i].key, &values[0], &place, &file, error) < 0 ||
            ff_reading_number(other, numbers[i].key, &values[1], &place, &file, error) < 0)
            return -1;
        if (isfinite(values[0]) && isfinite(values[1]) && differ(values[0], values[1]))
            return refuse(first->file, other->file, numbers[i].what, values[0], values[1], error);
    }
    return 0;
}

/* The root of the mean squared distance of the light from its middle, in pixels. */
static double width_of(const struct ff_measurement *probe)
{
    double sum = 0;
    double first[2] = {0, 0};
    double second = 0;
    for (size_t i = 0; i < probe->probe_rows * probe->probe_columns; i++) {
        const double at[2] = {(double)(i / probe->probe_columns),
                              (double)(i % probe->probe_columns)};
        double light = pow((double)cabsf(probe->probe[i]), 2);
        sum += light;
        for (int axis = 0; axis < 2; axis++) {
            first[axis] += light * at[axis];
            second += light * at[axis] * at[axis];
        }
    }
    return sqrt(fmax(0, second / sum - pow(first[0] / sum, 2) - pow(first[1] / sum, 2)));
}

static int compare_probes(const struct ff_reading *first, const struct ff_measurement *a,
                          const struct ff_reading *other, const struct ff_measurement *b,
                          struct ff_error *error)
{
    if (a->probe == NULL || b->probe == NULL)
        return 0;
    if (a->probe_rows != b->probe_rows)
        return refuse(first->file, other->file, "the number of rows of the probe",
                      (double)a->probe_rows, (double)b->probe_rows, error);
    if (a->probe_columns != b->probe_columns)
        return refuse(first->file, other->file, "the number of columns of the probe",
                      (double)a->probe_columns, (double)b->probe_columns, error);
    double widths[2] = {width_of(a), width_of(b)};
    if (fabs(widths[0] - widths[1]) > 0.1 * fmax(widths[0], widths[1]))
        return refuse(first->file, other->file, "the width of the probe in pixels", widths[0],
                      widths[1], error);
    return 0;
}

static int check_probes(const struct ff_reading *first, const struct ff_reading *other,
                        struct ff_error *error)
{
    struct ff_measurement probes[2] = {{0}, {0}};
    int result = ff_reading_probe(other->file, &first->description, &probes[1], error);
    if (result == 0 && probes[1].probe != NULL)
        result = ff_reading_probe(first->file, &first->description, &probes[0], error);
    if (result == 0)
        result = compare_probes(first, &probes[0], other, &probes[1], error);
    ff_measurement_dispose(&probes[0]);
    ff_measurement_dispose(&probes[1]);
    return result;
}

int ff_series_check(const struct ff_reading *reading, const struct ff_hdf5_file *file,
                    struct ff_error *error)
{
    struct ff_reading first = *reading;
    first.side = NULL; /* which would answer for both */
    struct ff_reading other = first;
    other.file = file;
    return check_numbers(&first, &other, error) < 0 ? -1 : check_probes(&first, &other, error);
}
