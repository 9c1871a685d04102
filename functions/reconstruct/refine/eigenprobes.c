#include "functions/reconstruct/refine/eigenprobes.h"

#include "functions/reconstruct/refine/eigen.h"
#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/solvers/random.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = FF_EIGENPROBES_MAX };

typedef _Complex double complex_double;

/* --- the first shapes --- */

/* Of the polynomials y^a x^b, those with 1 ≤ a + b ≤ DEGREE; each has a real and an imaginary factor, which makes more
 * than FF_EIGENPROBES_MAX functions that do not depend on each other. */
enum { DEGREE = 4, POLYNOMIALS = 14 };

static double polynomial(const double *re_or_im, double y, double x)
{
    double sum = 0;
    size_t number = 0;
    for (int degree = 1; degree <= DEGREE; degree++)
        for (int a = 0; a <= degree; a++)
            sum += re_or_im[number++] * pow(y, a) * pow(x, degree - a);
    return sum;
}

static void draw(ff_complex *plane, const ff_complex *probe, size_t rows, size_t columns,
                 struct ff_random *random)
{
    double factors[2][POLYNOMIALS];
    for (size_t part = 0; part < 2; part++)
        for (size_t k = 0; k < POLYNOMIALS; k++)
            factors[part][k] = 2 * ff_random_unit(random) - 1;
    for (size_t i = 0; i < rows * columns; i++) {
        double y = 2 * (double)(i / columns) / (double)rows - 1;
        double x = 2 * (double)(i % columns) / (double)columns - 1;
        float re = (float)polynomial(factors[0], y, x);
        float im = (float)polynomial(factors[1], y, x);
        plane[i] = probe[i] * (re + im * I);
    }
}

void ff_eigenprobes_begin(ff_complex *eigenprobes, size_t count, const ff_complex *probe,
                          size_t rows, size_t columns, uint64_t seed)
{
    struct ff_random random = ff_random_seed(seed);
    size_t pixels = rows * columns;
    double strength = ff_modes_power(probe, pixels);
    for (size_t e = 0; e < count; e++) {
        draw(eigenprobes + e * pixels, probe, rows, columns, &random);
        ff_modes_rescale(eigenprobes + e * pixels, 1, pixels, strength);
    }
}

/* --- the weights --- */

/* Of the triangle that follows the `count` slopes in a row of FF_TERMS_WEIGHTS. */
static size_t pair_at(size_t count, size_t c, size_t d)
{
    return count + c * (c + 1) / 2 + d;
}

/* Solves A x = b with A of `terms` and its diagonal lifted by `lift`, by Cholesky's method; `x` holds b. False where A
 * is not positive. */
static bool solve(const double *terms, const double *lift, size_t count, size_t active, double *x)
{
    double lower[MOST][MOST];
    for (size_t c = 0; c < active; c++) {
        for (size_t d = 0; d <= c; d++) {
            double rest = terms[pair_at(count, c, d)] + (c == d ? lift[c] : 0);
            for (size_t k = 0; k < d; k++)
                rest -= lower[c][k] * lower[d][k];
            if (c == d && !(rest > 0))
                return false;
            lower[c][d] = c == d ? sqrt(rest) : rest / lower[d][d];
        }
    }
    for (size_t c = 0; c < active; c++) {
        for (size_t k = 0; k < c; k++)
            x[c] -= lower[c][k] * x[k];
        x[c] /= lower[c][c];
    }
    for (size_t c = active; c-- > 0;) {
        for (size_t k = c + 1; k < active; k++)
            x[c] -= lower[k][c] * x[k];
        x[c] /= lower[c][c];
    }
    return true;
}

void ff_eigenprobes_weigh(double *weights, const double *terms, size_t patterns, size_t count,
                          size_t active)
{
    const double way = 0.5;
    const double share_of_mean = 0.1;
    double lift[MOST] = {0};
    size_t width = pair_at(count, count, 0);
    for (size_t n = 0; n < patterns; n++)
        for (size_t c = 0; c < count; c++)
            lift[c] += share_of_mean * terms[n * width + pair_at(count, c, c)] / (double)patterns;
    for (size_t n = 0; n < patterns; n++) {
        double change[MOST] = {0};
        memcpy(change, terms + n * width, count * sizeof *change);
        if (!solve(terms + n * width, lift, count, active, change))
            continue;
        for (size_t c = 0; c < active; c++)
            weights[n * count + c] += way * change[c];
    }
}

/* --- the form --- */

/* planes (…, pixels) × columns (count, count), in place. */
static void change_planes(ff_complex *planes, size_t pixels, size_t count, const double *columns)
{
    for (size_t i = 0; i < pixels; i++) {
        complex_double old[MOST];
        for (size_t d = 0; d < count; d++)
            old[d] = (complex_double)planes[d * pixels + i];
        for (size_t c = 0; c < count; c++) {
            complex_double sum = 0;
            for (size_t d = 0; d < count; d++)
                sum += old[d] * columns[d * count + c];
            planes[c * pixels + i] = (ff_complex)sum;
        }
    }
}

static void change_weights(double *weights, size_t patterns, size_t count, const double *columns)
{
    for (size_t n = 0; n < patterns; n++) {
        double old[MOST];
        double *row = weights + n * count;
        memcpy(old, row, count * sizeof *old);
        for (size_t c = 0; c < count; c++) {
            row[c] = 0;
            for (size_t d = 0; d < count; d++)
                row[c] += old[d] * columns[d * count + c];
        }
    }
}

/* What all patterns share belongs to the probe. */
static void remove_means(double *weights, size_t patterns, size_t count, double *means)
{
    for (size_t c = 0; c < count; c++) {
        means[c] = 0;
        for (size_t n = 0; n < patterns; n++)
            means[c] += weights[n * count + c] / (double)patterns;
        for (size_t n = 0; n < patterns; n++)
            weights[n * count + c] -= means[c];
    }
}

struct eigen {
    complex_double matrix[MOST * MOST], vectors[MOST * MOST];
    size_t order[MOST];
};

/*
 * Makes weights uncorrelated, all of one size: with W' W = U Λ U', W U Λ^-½ and E U Λ^½. A direction in which the
 * weights do not vary keeps its shape: a later fit may find use for it. Returns how many do vary; they come first.
 */
static size_t decorrelate(struct eigen *eigen, const double *weights, size_t patterns, size_t count,
                          struct ff_eigenprobes_change *change)
{
    double size = sqrt((double)patterns / (double)count);
    memset(eigen->matrix, 0, sizeof eigen->matrix);
    for (size_t n = 0; n < patterns; n++)
        for (size_t c = 0; c < count; c++)
            for (size_t d = 0; d < count; d++)
                eigen->matrix[c * count + d] += weights[n * count + c] * weights[n * count + d];
    ff_eigen_solve(eigen->matrix, eigen->vectors, eigen->order, count);
    size_t first = eigen->order[0];
    double least = 1e-12 * creal(eigen->matrix[first * count + first]);
    size_t alive = 0;
    for (size_t c = 0; c < count; c++) {
        size_t column = eigen->order[c];
        double value = creal(eigen->matrix[column * count + column]);
        bool varies = value > least;
        double root = varies ? sqrt(value) / size : 1;
        alive += varies ? 1 : 0;
        for (size_t d = 0; d < count; d++) {
            double part = creal(eigen->vectors[d * count + column]);
            change->weights[d * count + c] = varies ? part / root : 0;
            change->eigenprobes[d * count + c] = part * root;
        }
    }
    return alive;
}

/* What makes the first `alive` eigenprobes orthogonal as real vectors, strongest first: a rotation. */
static void find_rotation(struct eigen *eigen, const ff_complex *eigenprobes, size_t pixels,
                          size_t count, size_t alive, double *columns)
{
    for (size_t c = 0; c < alive; c++) {
        for (size_t d = 0; d <= c; d++) {
            const ff_complex *a = eigenprobes + c * pixels;
            const ff_complex *b = eigenprobes + d * pixels;
            double sum = 0;
            for (size_t i = 0; i < pixels; i++)
                sum += (double)crealf(a[i]) * (double)crealf(b[i]) +
                       (double)cimagf(a[i]) * (double)cimagf(b[i]);
            eigen->matrix[c * alive + d] = eigen->matrix[d * alive + c] = sum;
        }
    }
    ff_eigen_solve(eigen->matrix, eigen->vectors, eigen->order, alive);
    for (size_t c = 0; c < count; c++)
        for (size_t d = 0; d < count; d++)
            columns[d * count + c] = c < alive && d < alive
                                         ? creal(eigen->vectors[d * alive + eigen->order[c]])
                                         : c == d;
}

/* own = own × columns, both (count, count) */
static void multiply(double *own, const double *columns, size_t count)
{
    change_weights(own, count, count, columns);
}

void ff_eigenprobes_normalise(ff_complex *probe, ff_complex *eigenprobes, double *weights,
                              size_t patterns, size_t count, size_t pixels,
                              struct ff_eigenprobes_change *change)
{
    struct eigen eigen;
    double rotation[MOST * MOST];
    remove_means(weights, patterns, count, change->means);
    size_t alive = decorrelate(&eigen, weights, patterns, count, change);
    change_weights(weights, patterns, count, change->weights);
    ff_eigenprobes_carry(change, probe, eigenprobes, count, pixels, false);
    find_rotation(&eigen, eigenprobes, pixels, count, alive, rotation);
    change_weights(weights, patterns, count, rotation);
    change_planes(eigenprobes, pixels, count, rotation);
    multiply(change->weights, rotation, count);
    multiply(change->eigenprobes, rotation, count);
}

void ff_eigenprobes_carry(const struct ff_eigenprobes_change *change, ff_complex *probe,
                          ff_complex *eigenprobes, size_t count, size_t pixels, bool gradient)
{
    for (size_t c = 0; c < count; c++) {
        float mean = (float)change->means[c];
        ff_complex *own = eigenprobes + c * pixels;
        for (size_t i = 0; i < pixels; i++) {
            if (gradient)
                own[i] -= mean * probe[i];
            else
                probe[i] += mean * own[i];
        }
    }
    change_planes(eigenprobes, pixels, count, gradient ? change->weights : change->eigenprobes);
}
