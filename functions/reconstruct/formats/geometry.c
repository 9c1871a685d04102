#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/reading.h"

#include <math.h>
#include <string.h>

/* What is physically sensible; outside lie wrong units. */
struct range {
    const char *what;
    const char *unit;
    double low, high;
    const char *hint;
    const char *setting; /* that says it where no file does */
};

static const struct range energy_range = {
    "a photon energy",
    "J",
    1e-20,
    1e-12,
    "energies are in joules here: 1 eV is 1.602e-19 J (or give the dataset a units attribute)",
    "energy_eV"};
static const struct range wavelength_range = {
    "a wavelength", "m", 1e-13, 2e-5, "wavelengths are in metres here", "energy_eV"};
static const struct range distance_range = {
    "a distance from sample to detector",        "m",         1e-5, 1e4,
    "distances are positive and in metres here", "distance_m"};
static const struct range pixel_range = {
    "a pixel size of a detector", "m", 1e-8, 1e-1, "pixel sizes are positive and in metres here",
    "detector_pixel_um"};
static const struct range object_range = {"a pixel size of an object",
                                          "m",
                                          1e-12,
                                          1e-3,
                                          "pixel sizes are positive and in metres here",
                                          "object_pixel_nm"};

#define KEY(name) offsetof(struct ff_description, name)

static const char *text_of(const struct ff_description *description, size_t key)
{
    return *(char *const *)(const void *)((const char *)description + key);
}

static int value_at(const struct ff_hdf5_file *file, const struct ff_quantity *place, double *value,
                    struct ff_error *error)
{
    if (place->path[0] == '\0') {
        *value = place->number * place->unit;
        return 0;
    }
    if (place->attribute[0] == '\0')
        return ff_hdf5_read_number(file, place->path, place->unit, value, error);
    if (ff_hdf5_attribute_number(file, place->path, place->attribute, value) < 0)
        return ff_fail(error, FF_INPUT_INVALID, "%s: the attribute %s of %s is no number",
                       ff_hdf5_path(file), place->attribute, place->path);
    *value *= place->unit;
    return 0;
}

int ff_reading_number(const struct ff_reading *reading, size_t key, double *value,
                      struct ff_quantity *place, const struct ff_hdf5_file **file,
                      struct ff_error *error)
{
    bool found;
    *value = (double)NAN;
    *file = reading->file;
    if (ff_paths_find(*file, text_of(&reading->description, key), place, &found, error) < 0)
        return -1;
    if (!found && reading->side != NULL) {
        *file = reading->side;
        if (ff_paths_find(*file, text_of(&reading->side_description, key), place, &found, error) <
            0)
            return -1;
    }
    if (found)
        return value_at(*file, place, value, error);
    *file = NULL;
    return 0;
}

/* *value stays NaN where nobody says it. `given` is what a setting says, 0: nothing. */
static int read_number(const struct ff_reading *reading, size_t key, double given,
                       const struct range *range, double *value, struct ff_error *error)
{
    struct ff_quantity place;
    const struct ff_hdf5_file *file;
    if (given > 0) {
        *value = given;
        if (given >= range->low && given <= range->high)
            return 0;
        ff_fail(error, FF_INVALID_SETTING, "the setting '%s' says %g %s, which is not %s (%g … %g)",
                range->setting, given, range->unit, range->what, range->low, range->high);
        return ff_hint(error, "check its unit, which its name tells");
    }
    if (ff_reading_number(reading, key, value, &place, &file, error) < 0)
        return -1;
    if (key == KEY(distance) && *value < 0)
        *value = -*value; /* some write along the beam, some against it */
    if (file == NULL || (*value >= range->low && *value <= range->high))
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: %s%s%s is %g, which is not %s in %s (%g … %g)",
            ff_hdf5_path(file), place.path, place.attribute[0] != '\0' ? "@" : "", place.attribute,
            *value, range->what, range->unit, range->low, range->high);
    return ff_hint(error, "%s", range->hint);
}

static int refuse_disagreement(const struct ff_reading *reading, double energy, double of_energy,
                               double wavelength, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID,
            "%s: the energy %g J (%.6g eV) belongs to a wavelength of %g m, and the file says %g m",
            ff_hdf5_path(reading->file), energy, energy / FF_ELECTRON_V_J, of_energy, wavelength);
    return ff_hint(error, "correct or remove the one that is wrong (%s, %s), or give energy_eV",
                   reading->description.energy, reading->description.wavelength);
}

static int read_beam(const struct ff_reading *reading, struct ff_measurement *measurement,
                     struct ff_error *error)
{
    double energy;
    double wavelength = (double)NAN;
    double given = reading->settings->energy_eV * FF_ELECTRON_V_J;
    if (read_number(reading, KEY(energy), given, &energy_range, &energy, error) < 0)
        return -1;
    if (given <= 0 &&
        read_number(reading, KEY(wavelength), 0, &wavelength_range, &wavelength, error) < 0)
        return -1;
    if (isnan(energy))
        energy = FF_PLANCK_J_S * FF_LIGHT_M_S / wavelength;
    double of_energy = FF_PLANCK_J_S * FF_LIGHT_M_S / energy;
    if (isnan(wavelength))
        wavelength = of_energy;
    if (fabs(wavelength - of_energy) > 0.01 * wavelength)
        return refuse_disagreement(reading, energy, of_energy, wavelength, error);
    measurement->energy_J = energy;
    measurement->wavelength_m = wavelength;
    return 0;
}

int ff_geometry_read(const struct ff_reading *reading, struct ff_measurement *measurement,
                     double *object_pixel_m, struct ff_error *error)
{
    const struct ff_settings *settings = reading->settings;
    double *pixel = measurement->detector_pixel_m;
    double given = settings->detector_pixel_um * 1e-6;
    if (read_beam(reading, measurement, error) < 0 ||
        read_number(reading, KEY(distance), settings->distance_m, &distance_range,
                    &measurement->distance_m, error) < 0 ||
        read_number(reading, KEY(pixel_rows), given, &pixel_range, &pixel[0], error) < 0 ||
        read_number(reading, KEY(pixel_columns), given, &pixel_range, &pixel[1], error) < 0 ||
        read_number(reading, KEY(object_pixel), settings->object_pixel_nm * 1e-9, &object_range,
                    object_pixel_m, error) < 0)
        return -1;
    if (isnan(pixel[0]))
        pixel[0] = pixel[1];
    if (isnan(pixel[1]))
        pixel[1] = pixel[0];
    return 0;
}

static int refuse_missing(const struct ff_reading *reading, const char *what, size_t key,
                          const char *remedy, struct ff_error *error)
{
    const char *where = text_of(&reading->description, key);
    ff_fail(error, FF_INPUT_INVALID, "%s has no %s%s%s", ff_hdf5_path(reading->file), what,
            where[0] != '\0' ? ": there is no " : "", where);
    return ff_hint(error, "give it with %s, or the size of an object pixel with object_pixel_nm=…",
                   remedy);
}

int ff_geometry_complete(const struct ff_reading *reading, const size_t whole[2],
                         double object_pixel_m, struct ff_measurement *measurement,
                         struct ff_error *error)
{
    const double *pixel = measurement->detector_pixel_m;
    const size_t extent[2] = {measurement->rows, measurement->columns};
    bool near_field = measurement->near_field;
    bool given = reading->settings->object_pixel_nm > 0 && !near_field;
    bool told =
        !isnan(measurement->wavelength_m) && !isnan(measurement->distance_m) && !isnan(pixel[0]);
    for (size_t axis = 0; axis < 2; axis++) {
        double *object = &measurement->object_pixel_m[axis];
        if (near_field && told)
            *object = pixel[axis];
        else if (told && !given)
            *object = measurement->wavelength_m * measurement->distance_m /
                      ((double)extent[axis] * pixel[axis]);
        else if (!near_field && !isnan(object_pixel_m)) /* it was told of whole frames */
            *object = object_pixel_m * (double)whole[axis] / (double)extent[axis];
        else if (isnan(measurement->wavelength_m))
            return refuse_missing(reading, "photon energy or wavelength", KEY(energy),
                                  "energy_eV=…", error);
        else if (isnan(measurement->distance_m))
            return refuse_missing(reading, "distance from sample to detector", KEY(distance),
                                  "distance_m=…", error);
        else
            return refuse_missing(reading, "pixel size of the detector", KEY(pixel_columns),
                                  "detector_pixel_um=…", error);
    }
    return 0;
}
