#include "tests/numeric/model.h"

#include "tests/unit/check.h"

#include <complex.h>
#include <math.h>

static void *make(size_t count, size_t size)
{
    void *array = calloc(count, size);
    assert_non_null(array);
    return array;
}

static model_complex polar(double size, double angle)
{
    return size * (cos(angle) + sin(angle) * (model_complex)I);
}

static size_t probe_pixels(const struct ff_problem *problem)
{
    return problem->probe_rows * problem->probe_columns;
}

/* One orthonormal transform along `count` values `stride` apart, by definition. */
static void transform_line(model_complex *values, size_t count, size_t stride, int sign)
{
    model_complex turns[64];
    model_complex work[64];
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++)
        turns[i] = polar(1 / sqrt((double)count), sign * 2 * M_PI * (double)i / (double)count);
    for (size_t k = 0; k < count; k++) {
        work[k] = 0;
        for (size_t i = 0; i < count; i++)
            work[k] += values[i * stride] * turns[(i * k) % count];
    }
    for (size_t k = 0; k < count; k++)
        values[k * stride] = work[k];
}

static void transform(model_complex *values, size_t rows, size_t columns, int sign)
{
    for (size_t r = 0; r < rows; r++)
        transform_line(values + r * columns, columns, 1, sign);
    for (size_t c = 0; c < columns; c++)
        transform_line(values + c, rows, columns, sign);
}

static double frequency(size_t i, size_t n)
{
    return i < (n + 1) / 2 ? (double)i : (double)i - (double)n;
}

void model_patch(const struct model *model, const model_complex *object, size_t pattern, size_t k,
                 model_complex *patch)
{
    const struct ff_problem *problem = model->problem;
    const double *position = model->positions + 2 * (pattern * problem->fly + k);
    size_t width = problem->object_columns;
    size_t top = (size_t)position[0];
    size_t left = (size_t)position[1];
    bool whole = model->subpixel == FF_SUBPIXEL_FOURIER;
    double y = whole ? 0 : position[0] - floor(position[0]);
    double x = whole ? 0 : position[1] - floor(position[1]);
    double scale = model->scales != NULL ? model->scales[pattern] : 1;
    for (size_t r = 0; r < problem->probe_rows; r++) {
        for (size_t c = 0; c < problem->probe_columns; c++) {
            const model_complex *at = object + (top + r) * width + left + c;
            patch[r * problem->probe_columns + c] =
                scale * ((1 - y) * ((1 - x) * at[0] + x * at[1]) +
                         y * ((1 - x) * at[width] + x * at[width + 1]));
        }
    }
}

/* to(r) = from(r - distance), by the phases of its frequencies. */
static void shift(model_complex *values, size_t rows, size_t columns, double by_row,
                  double by_column)
{
    transform(values, rows, columns, -1);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            values[r * columns + c] *=
                polar(1, -2 * M_PI *
                             (frequency(r, rows) * by_row / (double)rows +
                              frequency(c, columns) * by_column / (double)columns));
    transform(values, rows, columns, 1);
}

void model_probe(const struct model *model, const model_complex *probe, size_t pattern, size_t k,
                 size_t m, model_complex *seen)
{
    const struct ff_problem *problem = model->problem;
    const double *position = model->positions + 2 * (pattern * problem->fly + k);
    size_t pixels = probe_pixels(problem);
    memcpy(seen, probe + m * pixels, pixels * sizeof *seen);
    for (size_t c = 0; m == 0 && c < model->eigenprobes; c++)
        for (size_t i = 0; i < pixels; i++)
            seen[i] += model->weights[pattern * model->eigenprobes + c] *
                       probe[(model->modes + c) * pixels + i];
    if (model->subpixel == FF_SUBPIXEL_FOURIER)
        shift(seen, problem->probe_rows, problem->probe_columns, position[0] - floor(position[0]),
              position[1] - floor(position[1]));
}

void model_propagate(const struct ff_problem *problem, const model_complex *exit,
                     model_complex *wave)
{
    size_t rows = problem->rows;
    size_t columns = problem->columns;
    size_t top = problem->near_field ? (rows - problem->probe_rows) / 2 : 0;
    size_t left = problem->near_field ? (columns - problem->probe_columns) / 2 : 0;
    memset(wave, 0, rows * columns * sizeof *wave);
    for (size_t r = 0; r < problem->probe_rows; r++)
        memcpy(wave + (top + r) * columns + left, exit + r * problem->probe_columns,
               problem->probe_columns * sizeof *wave);
    transform(wave, rows, columns, -1);
    if (!problem->near_field)
        return;
    const struct ff_geometry *geometry = &problem->geometry;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            double y = frequency(r, rows) / ((double)rows * geometry->object_pixel_m[0]);
            double x = frequency(c, columns) / ((double)columns * geometry->object_pixel_m[1]);
            wave[r * columns + c] *=
                polar(1, -M_PI * geometry->wavelength_m * geometry->distance_m * (y * y + x * x));
        }
    }
    transform(wave, rows, columns, 1);
}

void model_intensity(const struct model *model, size_t pattern, double *intensity)
{
    const struct ff_problem *problem = model->problem;
    size_t pixels = problem->rows * problem->columns;
    size_t inner = probe_pixels(problem);
    model_complex *patch = make(inner, sizeof *patch);
    model_complex *probe = make(inner, sizeof *probe);
    model_complex *wave = make(pixels, sizeof *wave);
    memset(intensity, 0, pixels * sizeof *intensity);
    for (size_t k = 0; k < problem->fly; k++) {
        model_patch(model, model->object, pattern, k, patch);
        for (size_t m = 0; m < model->modes; m++) {
            model_probe(model, model->probe, pattern, k, m, probe);
            for (size_t i = 0; i < inner; i++)
                probe[i] *= patch[i];
            model_propagate(problem, probe, wave);
            for (size_t i = 0; i < pixels; i++)
                intensity[i] += creal(wave[i]) * creal(wave[i]) + cimag(wave[i]) * cimag(wave[i]);
        }
    }
    free(patch);
    free(probe);
    free(wave);
}

struct ff_cost model_cost_of(const struct model *model, size_t pattern)
{
    const struct ff_problem *problem = model->problem;
    size_t pixels = problem->rows * problem->columns;
    double *intensity = make(pixels, sizeof *intensity);
    struct ff_cost cost = {0, 0};
    model_intensity(model, pattern, intensity);
    for (size_t i = 0; i < pixels; i++) {
        size_t at = pattern * pixels + i;
        if (problem->measured != NULL && !problem->measured[i])
            continue;
        double counts = problem->counts.u16 != NULL ? (double)problem->counts.u16[at]
                                                    : (double)problem->counts.f32[at];
        double error = sqrt(intensity[i]) - sqrt(counts);
        cost.amplitude += error * error;
        cost.objective += model->noise == FF_NOISE_POISSON
                              ? intensity[i] - counts * log(intensity[i] + FF_POISSON_DARK)
                              : error * error;
    }
    free(intensity);
    return cost;
}

struct ff_cost model_cost(const struct model *model)
{
    struct ff_cost cost = {0, 0};
    for (size_t n = 0; n < model->problem->patterns; n++) {
        struct ff_cost one = model_cost_of(model, n);
        cost.amplitude += one.amplitude;
        cost.objective += one.objective;
    }
    return cost;
}
