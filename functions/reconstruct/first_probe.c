#include "functions/reconstruct/first_probe.h"

#include "functions/reconstruct/optics.h"
#include "functions/reconstruct/transform.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double added_mode_power = 0.1; /* of the first mode's */

static double power_of(const ff_complex *values, size_t count)
{
    double power = 0;
    for (size_t i = 0; i < count; i++) {
        double re = (double)crealf(values[i]);
        double im = (double)cimagf(values[i]);
        power += re * re + im * im;
    }
    return power;
}

static void scale(ff_complex *values, size_t count, double factor)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= (float)factor;
}

/* Σ conj(a) b. */
static double complex inner(const ff_complex *a, const ff_complex *b, size_t count)
{
    double complex sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double complex)conjf(a[i]) * (double complex)b[i];
    return sum;
}

/* The mean pattern's amplitude, laid out like a pattern. */
static void mean_amplitude(const struct ff_problem *problem, ff_complex *amplitude)
{
    size_t pixels = problem->rows * problem->columns;
    double *mean = (double *)amplitude; /* same size: a double a pixel */
    memset(mean, 0, pixels * sizeof *mean);
    for (size_t n = 0; n < problem->patterns; n++)
        for (size_t i = 0; i < pixels; i++)
            mean[i] += problem->counts.u16 != NULL ? (double)problem->counts.u16[n * pixels + i]
                                                   : (double)problem->counts.f32[n * pixels + i];
    for (size_t i = 0; i < pixels; i++) {
        float root = (float)sqrt(mean[i] / (double)problem->patterns);
        memcpy(&amplitude[i], (const float[2]){root, 0}, sizeof amplitude[i]);
    }
}

/* Back from the detector to the sample through free space: the Fresnel transfer function exp(-iπλz
 * q²), conjugated. Of a spectrum with its DC at the corner. */
static void propagate_back(const struct ff_problem *problem, ff_complex *spectrum)
{
    const struct ff_geometry *geometry = &problem->geometry;
    const size_t extent[2] = {problem->rows, problem->columns};
    double curvature = M_PI * geometry->wavelength_m * geometry->distance_m;
    for (size_t i = 0; isfinite(curvature) && i < extent[0] * extent[1]; i++) {
        const size_t at[2] = {i / extent[1], i % extent[1]};
        double square = 0;
        for (size_t axis = 0; axis < 2; axis++) {
            double k = (double)at[axis] - (2 * at[axis] >= extent[axis] ? (double)extent[axis] : 0);
            double q = k / ((double)extent[axis] * geometry->object_pixel_m[axis]);
            square += q * q;
        }
        spectrum[i] *= (ff_complex)cexp(I * curvature * square);
    }
}

/* What the mean pattern says of the probe, in a window of a pattern's extent. */
static int estimate(const struct ff_problem *problem, ff_complex *probe, struct ff_error *error)
{
    size_t rows = problem->rows;
    size_t columns = problem->columns;
    ff_complex *work = ff_array_create(rows * columns, sizeof *work, "the first probe", error);
    struct ff_transform *transform =
        work != NULL ? ff_transform_create(rows, columns, error) : NULL;
    if (transform != NULL && problem->near_field) {
        mean_amplitude(problem, probe);
        memcpy(work, probe, rows * columns * sizeof *work);
        ff_transform_run(transform, FF_TRANSFORM_FORWARD, work);
        propagate_back(problem, work);
        ff_transform_run(transform, FF_TRANSFORM_INVERSE, work);
        memcpy(probe, work, rows * columns * sizeof *work);
    } else if (transform != NULL) {
        mean_amplitude(problem, work);
        ff_transform_run(transform, FF_TRANSFORM_INVERSE, work);
        ff_shift_to_middle(work, rows, columns, probe);
    }
    int result = transform != NULL ? 0 : -1;
    ff_transform_destroy(transform);
    free(work);
    return result;
}

/* Copies the low frequencies that both spectra have; both have their DC in the middle. */
static void copy_middle(const ff_complex *from, size_t from_rows, size_t from_columns,
                        ff_complex *to, size_t to_rows, size_t to_columns)
{
    size_t rows = from_rows < to_rows ? from_rows : to_rows;
    size_t columns = from_columns < to_columns ? from_columns : to_columns;
    for (size_t r = 0; r < rows; r++) {
        const ff_complex *source =
            from + (r + from_rows / 2 - rows / 2) * from_columns + from_columns / 2 - columns / 2;
        ff_complex *target =
            to + (r + to_rows / 2 - rows / 2) * to_columns + to_columns / 2 - columns / 2;
        memcpy(target, source, columns * sizeof *to);
    }
}

/* Same field of view, other pixel: the spectrum is cropped or padded. */
static int resample(const ff_complex *from, size_t from_rows, size_t from_columns, ff_complex *to,
                    size_t to_rows, size_t to_columns, struct ff_error *error)
{
    size_t most = (from_rows > to_rows ? from_rows : to_rows) *
                  (from_columns > to_columns ? from_columns : to_columns);
    ff_complex *work = ff_array_create(2 * most, sizeof *work, "the resampled probe", error);
    struct ff_transform *first =
        work != NULL ? ff_transform_create(from_rows, from_columns, error) : NULL;
    struct ff_transform *second =
        first != NULL ? ff_transform_create(to_rows, to_columns, error) : NULL;
    if (second != NULL) {
        ff_complex *beside = work + most;
        ff_shift_to_corner(from, from_rows, from_columns, work);
        ff_transform_run(first, FF_TRANSFORM_FORWARD, work);
        ff_shift_to_middle(work, from_rows, from_columns, beside);
        memset(work, 0, to_rows * to_columns * sizeof *work);
        copy_middle(beside, from_rows, from_columns, work, to_rows, to_columns);
        ff_shift_to_corner(work, to_rows, to_columns, beside);
        ff_transform_run(second, FF_TRANSFORM_INVERSE, beside);
        ff_shift_to_middle(beside, to_rows, to_columns, to);
    }
    int result = second != NULL ? 0 : -1;
    ff_transform_destroy(first);
    ff_transform_destroy(second);
    free(work);
    return result;
}

/* The middle of one array into the middle of another: the rest is cut off, or zero. */
static void place_middle(const ff_complex *from, size_t from_rows, size_t from_columns,
                         ff_complex *to, size_t to_rows, size_t to_columns)
{
    memset(to, 0, to_rows * to_columns * sizeof *to);
    copy_middle(from, from_rows, from_columns, to, to_rows, to_columns);
}

static int refuse_shape(const struct ff_problem *problem, const struct ff_measurement *measurement,
                        struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s: the probe has %zu × %zu pixels and a pattern %zu × %zu",
            problem->source, measurement->probe_rows, measurement->probe_columns, problem->rows,
            problem->columns);
    size_t pad = problem->rows - measurement->probe_rows;
    if (measurement->probe_rows < problem->rows &&
        problem->columns - measurement->probe_columns == pad)
        return ff_hint(error,
                       "if the detector is larger than the window of the probe, give pad=%zu", pad);
    return ff_hint(error, "give a probe of the pattern's shape with initial_probe, or remove it "
                          "from the file");
}

/* Into windows of a pattern's extent. A crop keeps the field of view and widens the pixel. */
static int take_given(const struct ff_problem *problem, const struct ff_measurement *measurement,
                      size_t modes, bool may_resample, ff_complex *probe, struct ff_error *error)
{
    size_t rows = measurement->probe_rows;
    size_t columns = measurement->probe_columns;
    bool fits = (rows == problem->rows && columns == problem->columns) ||
                (rows == problem->probe_rows && columns == problem->probe_columns);
    if (!fits && !may_resample)
        return refuse_shape(problem, measurement, error);
    for (size_t m = 0; m < modes; m++) {
        const ff_complex *from = measurement->probe + m * rows * columns;
        ff_complex *to = probe + m * problem->rows * problem->columns;
        if (fits)
            place_middle(from, rows, columns, to, problem->rows, problem->columns);
        else if (resample(from, rows, columns, to, problem->rows, problem->columns, error) < 0)
            return -1;
    }
    return 0;
}

/* Centre and root mean square width of |probe|², by axis. */
struct moments {
    double centre[2], width[2];
};

static struct moments moments_of(const ff_complex *probe, size_t rows, size_t columns)
{
    double sum = 0;
    double first[2] = {0, 0};
    double second[2] = {0, 0};
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            double weight = power_of(probe + r * columns + c, 1);
            double at[2] = {(double)r, (double)c};
            sum += weight;
            for (int axis = 0; axis < 2; axis++) {
                first[axis] += weight * at[axis];
                second[axis] += weight * at[axis] * at[axis];
            }
        }
    struct moments moments;
    for (int axis = 0; axis < 2; axis++) {
        moments.centre[axis] = first[axis] / sum;
        double variance = second[axis] / sum - moments.centre[axis] * moments.centre[axis];
        moments.width[axis] = variance > 1 ? sqrt(variance) : 1;
    }
    return moments;
}

/* The index-th pair of powers (0,1), (1,0), (0,2), (1,1), (2,0), … after (0,0). */
static void powers_of(size_t index, unsigned powers[2])
{
    unsigned degree = 0;
    while (index > degree) {
        index -= degree + 1;
        degree++;
    }
    powers[0] = (unsigned)index;
    powers[1] = degree - (unsigned)index;
}

/* Modes `given` … modes-1, each orthogonal to all before it. */
static void add_modes(ff_complex *probe, size_t rows, size_t columns, size_t given, size_t modes)
{
    size_t pixels = rows * columns;
    struct moments moments = moments_of(probe, rows, columns);
    double first_power = power_of(probe, pixels);
    for (size_t m = given; m < modes; m++) {
        ff_complex *mode = probe + m * pixels;
        unsigned powers[2];
        powers_of(m, powers);
        for (size_t i = 0; i < pixels; i++) {
            double y = ((double)(i / columns) - moments.centre[0]) / moments.width[0];
            double x = ((double)(i % columns) - moments.centre[1]) / moments.width[1];
            /* Far tails would dominate high powers; beyond three widths they are held. */
            double factor =
                pow(fmax(-3, fmin(3, y)), powers[0]) * pow(fmax(-3, fmin(3, x)), powers[1]);
            mode[i] = probe[i] * (float)factor;
        }
        for (size_t k = 0; k < m; k++) {
            const ff_complex *other = probe + k * pixels;
            double power = power_of(other, pixels);
            ff_complex share = power > 0 ? (ff_complex)(inner(other, mode, pixels) / power) : 0;
            for (size_t i = 0; i < pixels; i++)
                mode[i] -= share * other[i];
        }
        double power = power_of(mode, pixels);
        if (power > 0)
            scale(mode, pixels, sqrt(added_mode_power * first_power / power));
    }
}

/* The modes that are known, in windows of a pattern's extent; how many, or -1. */
static int take_known(const struct ff_problem *problem, const struct ff_measurement *measurement,
                      const struct ff_settings *settings, ff_complex *probe, struct ff_error *error)
{
    size_t given =
        measurement->probe_modes < problem->modes ? measurement->probe_modes : problem->modes;
    bool from_optics = settings->zone_plate_um > 0 && settings->initial_probe[0] == '\0';
    int result = from_optics ? ff_optics_probe(settings, problem, probe, error)
                 : given > 0
                     ? take_given(problem, measurement, given, settings->crop != 0, probe, error)
                     : estimate(problem, probe, error);
    if (result < 0)
        return -1;
    return from_optics || given == 0 ? 1 : (int)given;
}

/* Cuts the probe's window out of every mode, in place: a window is no larger than a pattern. */
static void cut_window(const struct ff_problem *problem, size_t modes, ff_complex *probe)
{
    size_t top = problem->rows / 2 - problem->probe_rows / 2;
    size_t left = problem->columns / 2 - problem->probe_columns / 2;
    ff_complex *to = probe;
    for (size_t m = 0; m < modes; m++)
        for (size_t r = 0; r < problem->probe_rows; r++, to += problem->probe_columns) {
            const ff_complex *from =
                probe + (m * problem->rows + r + top) * problem->columns + left;
            memmove(to, from, problem->probe_columns * sizeof *to);
        }
}

static int fill(const struct ff_problem *problem, const struct ff_measurement *measurement,
                const struct ff_settings *settings, ff_complex *probe, struct ff_error *error)
{
    size_t modes = problem->modes;
    size_t pixels = problem->probe_rows * problem->probe_columns;
    int known = take_known(problem, measurement, settings, probe, error);
    if (known < 0)
        return -1;
    cut_window(problem, (size_t)known, probe);
    add_modes(probe, problem->probe_rows, problem->probe_columns, (size_t)known, modes);
    double power = power_of(probe, modes * pixels);
    if (!(power > 0) || !isfinite(power))
        return ff_fail(error, FF_INPUT_INVALID, "%s: the first probe has no power",
                       problem->source);
    scale(probe, modes * pixels,
          sqrt(problem->total_counts / (double)(problem->patterns * problem->fly) / power));
    return 0;
}

ff_complex *ff_first_probe_create(const struct ff_problem *problem,
                                  const struct ff_measurement *measurement,
                                  const struct ff_settings *settings, struct ff_error *error)
{
    size_t elements = ff_array_elements(problem->modes, problem->rows, problem->columns);
    ff_complex *probe = ff_array_create(elements, sizeof *probe, "the probe", error);
    if (probe == NULL)
        return NULL;
    if (fill(problem, measurement, settings, probe, error) == 0)
        return probe;
    free(probe);
    return NULL;
}
