#include "functions/reconstruct/build.h"

#include "functions/reconstruct/first_object.h"
#include "functions/reconstruct/first_probe.h"
#include "functions/reconstruct/formats/format.h"
#include "functions/reconstruct/orientation.h"
#include "functions/reconstruct/place.h"
#include "functions/reconstruct/scan_check.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_SIDE_MIN = 8 };

/* Moves what the problem keeps; what is left behind is the measurement's probe. */
static void take_arrays(struct ff_problem *problem, struct ff_measurement *measurement)
{
    problem->patterns = measurement->patterns;
    problem->fly = measurement->fly;
    problem->near_field = measurement->near_field;
    problem->rows = measurement->rows;
    problem->columns = measurement->columns;
    problem->counts = measurement->counts;
    problem->measured = measurement->measured;
    problem->positions_m = measurement->positions_m;
    problem->total_counts = measurement->total_counts;
    measurement->counts = (struct ff_counts){NULL, NULL};
    measurement->measured = NULL;
    measurement->positions_m = NULL;
    struct ff_geometry *geometry = &problem->geometry;
    geometry->wavelength_m = measurement->wavelength_m;
    geometry->energy_J = measurement->energy_J;
    geometry->distance_m = measurement->distance_m;
    size_t extent[2] = {problem->rows, problem->columns};
    for (size_t axis = 0; axis < 2; axis++) {
        geometry->detector_pixel_m[axis] = measurement->detector_pixel_m[axis];
        double told = measurement->object_pixel_m[axis];
        geometry->object_pixel_m[axis] =
            told > 0 ? told
            : problem->near_field
                ? measurement->detector_pixel_m[axis]
                : measurement->wavelength_m * measurement->distance_m /
                      ((double)extent[axis] * measurement->detector_pixel_m[axis]);
    }
}

/* The probe's window may be smaller than a pattern, and then its pixels are as large. */
static int make_window(struct ff_problem *problem, const struct ff_settings *settings,
                       struct ff_error *error)
{
    size_t pad = (size_t)settings->pad;
    size_t side = problem->rows < problem->columns ? problem->rows : problem->columns;
    if (pad + PROBE_SIDE_MIN > side) {
        ff_fail(error, FF_INVALID_SETTING,
                "the setting 'pad' is %zu and a pattern has %zu × %zu pixels", pad, problem->rows,
                problem->columns);
        return ff_hint(error, "leave the probe at least %d pixels", PROBE_SIDE_MIN);
    }
    problem->probe_rows = problem->rows - pad;
    problem->probe_columns = problem->columns - pad;
    return 0;
}

static int complete(struct ff_problem *problem, struct ff_measurement *measurement,
                    const char *source, const struct ff_settings *settings, struct ff_error *error)
{
    problem->source = strdup(source);
    if (problem->source == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the name of the input");
    problem->modes = (size_t)settings->modes;
    problem->probe_was_given = measurement->probe_modes > 0;
    take_arrays(problem, measurement);
    if (make_window(problem, settings, error) < 0)
        return -1;
    problem->probe = ff_first_probe_create(problem, measurement, settings, error);
    if (problem->probe == NULL)
        return -1;
    const double *pixel = problem->geometry.object_pixel_m;
    double window[2] = {pixel[0] * (double)problem->probe_rows,
                        pixel[1] * (double)problem->probe_columns};
    if (ff_scan_check(source, problem->positions_m, problem->patterns * problem->fly, window, pixel,
                      error) < 0)
        return -1;
    /* The first of the choices leaves it to the data: until they have spoken, as it is. */
    if (settings->orientation > 0)
        ff_orientation_apply(&ff_orientations[settings->orientation - 1], problem->positions_m,
                             problem->patterns * problem->fly);
    return ff_problem_place(problem, settings->positions != 0, error);
}

struct ff_problem *ff_problem_of_measurement(struct ff_measurement *measurement, const char *source,
                                             const struct ff_settings *settings,
                                             struct ff_error *error)
{
    struct ff_problem *problem = calloc(1, sizeof *problem);
    int result = -1;
    if (problem == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for the problem");
    else
        result = complete(problem, measurement, source, settings, error);
    ff_measurement_dispose(measurement);
    if (result < 0) {
        ff_problem_destroy(problem);
        return NULL;
    }
    return problem;
}

static int finish(struct ff_problem *problem, const char *format,
                  const struct ff_settings *settings, struct ff_error *error)
{
    problem->format = strdup(format);
    if (problem->format == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the name of the format");
    uint64_t size;
    if (ff_format_digest(settings, &problem->digest, error) < 0)
        return -1;
    if (settings->initial_probe[0] != '\0' &&
        ff_digest_of_file(settings->initial_probe, &problem->probe_digest, &size, error) < 0)
        return -1;
    if (settings->initial_object[0] != '\0' &&
        ff_first_object_read(settings->initial_object, problem, error) < 0)
        return -1;
    return ff_problem_check(problem, error);
}

struct ff_problem *ff_problem_create(const struct ff_settings *settings, struct ff_buffer *notes,
                                     struct ff_error *error)
{
    struct ff_measurement measurement;
    char format[FF_FORMAT_NAME_SIZE];
    if (ff_format_read(settings, format, &measurement, notes, error) < 0)
        return NULL;
    if (settings->initial_probe[0] != '\0' &&
        ff_format_read_probe(settings->initial_probe, &measurement, error) < 0) {
        ff_measurement_dispose(&measurement);
        return NULL;
    }
    char absolute[PATH_MAX];
    const char *source = realpath(settings->input, absolute) != NULL ? absolute : settings->input;
    struct ff_problem *problem = ff_problem_of_measurement(&measurement, source, settings, error);
    if (problem != NULL && finish(problem, format, settings, error) < 0) {
        ff_problem_destroy(problem);
        return NULL;
    }
    return problem;
}
