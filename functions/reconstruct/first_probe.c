#include "functions/reconstruct/first_probe.h"

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

/* The mean pattern's amplitude, DC at the corner. */
static void mean_amplitude(const struct ff_measurement *measurement, ff_complex *amplitude)
{
    size_t pixels = measurement->rows * measurement->columns;
    double *mean = (double *)amplitude; /* same size: a double a pixel */
    memset(mean, 0, pixels * sizeof *mean);
    for (size_t n = 0; n < measurement->patterns; n++)
        for (size_t i = 0; i < pixels; i++)
            mean[i] += measurement->counts.u16 != NULL
                           ? (double)measurement->counts.u16[n * pixels + i]
                           : (double)measurement->counts.f32[n * pixels + i];
    for (size_t i = 0; i < pixels; i++) {
        float root = (float)sqrt(mean[i] / (double)measurement->patterns);
        memcpy(&amplitude[i], (const float[2]){root, 0}, sizeof amplitude[i]);
    }
}

static int estimate(const struct ff_measurement *measurement, ff_complex *probe,
                    struct ff_error *error)
{
    size_t rows = measurement->rows;
    size_t columns = measurement->columns;
    ff_complex *work = ff_array_create(rows * columns, sizeof *work, "the first probe", error);
    struct ff_transform *transform =
        work != NULL ? ff_transform_create(rows, columns, error) : NULL;
    if (transform != NULL) {
        mean_amplitude(measurement, work);
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

static int take_given(const struct ff_measurement *measurement, const char *source, size_t modes,
                      bool may_resample, ff_complex *probe, struct ff_error *error)
{
    size_t rows = measurement->rows;
    size_t columns = measurement->columns;
    size_t given_elements = measurement->probe_rows * measurement->probe_columns;
    bool same = measurement->probe_rows == rows && measurement->probe_columns == columns;
    if (!same && !may_resample) {
        ff_fail(error, FF_INPUT_INVALID,
                "%s: the probe has %zu × %zu pixels and a pattern %zu × %zu", source,
                measurement->probe_rows, measurement->probe_columns, rows, columns);
        return ff_hint(
            error,
            "give a probe of the pattern's shape with initial_probe, or remove it from the file");
    }
    for (size_t m = 0; m < modes; m++) {
        const ff_complex *from = measurement->probe + m * given_elements;
        ff_complex *to = probe + m * rows * columns;
        if (same)
            memcpy(to, from, given_elements * sizeof *to);
        else if (resample(from, measurement->probe_rows, measurement->probe_columns, to, rows,
                          columns, error) < 0)
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

static int fill(const struct ff_measurement *measurement, const char *source, size_t modes,
                bool may_resample, ff_complex *probe, struct ff_error *error)
{
    size_t pixels = measurement->rows * measurement->columns;
    size_t given = measurement->probe_modes < modes ? measurement->probe_modes : modes;
    int result = given > 0 ? take_given(measurement, source, given, may_resample, probe, error)
                           : estimate(measurement, probe, error);
    if (result < 0)
        return -1;
    add_modes(probe, measurement->rows, measurement->columns, given > 0 ? given : 1, modes);
    double power = power_of(probe, modes * pixels);
    if (!(power > 0) || !isfinite(power))
        return ff_fail(error, FF_INPUT_INVALID, "%s: the first probe has no power", source);
    scale(probe, modes * pixels,
          sqrt(measurement->total_counts / (double)measurement->patterns / power));
    return 0;
}

ff_complex *ff_first_probe_create(const struct ff_measurement *measurement, const char *source,
                                  size_t modes, bool may_resample, struct ff_error *error)
{
    size_t elements = ff_array_elements(modes, measurement->rows, measurement->columns);
    ff_complex *probe = ff_array_create(elements, sizeof *probe, "the probe", error);
    if (probe == NULL)
        return NULL;
    if (fill(measurement, source, modes, may_resample, probe, error) == 0)
        return probe;
    free(probe);
    return NULL;
}
