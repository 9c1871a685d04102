#include "functions/reconstruct/refine/eigenprobes.h"

#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/solvers/random.h"

#include <complex.h>
#include <math.h>

static void scale(ff_complex *plane, size_t pixels, double factor)
{
    for (size_t i = 0; i < pixels; i++)
        plane[i] *= (float)factor;
}

static double amplitude(const ff_complex *plane, size_t pixels)
{
    return sqrt(ff_modes_power(plane, pixels));
}

/* Re Σ a* b. */
static double product(const ff_complex *a, const ff_complex *b, size_t pixels)
{
    double sum = 0;
    for (size_t i = 0; i < pixels; i++)
        sum += (double)crealf(a[i]) * (double)crealf(b[i]) +
               (double)cimagf(a[i]) * (double)cimagf(b[i]);
    return sum;
}

void ff_eigenprobes_begin(ff_complex *eigenprobes, size_t count, const ff_complex *probe,
                          size_t rows, size_t columns, uint64_t seed)
{
    struct ff_random random = ff_random_seed(seed);
    size_t pixels = rows * columns;
    for (size_t e = 0; e < count; e++) {
        ff_complex *plane = eigenprobes + e * pixels;
        double factors[8];
        for (size_t k = 0; k < 8; k++)
            factors[k] = 2 * ff_random_unit(&random) - 1;
        for (size_t i = 0; i < pixels; i++) {
            double y = 2 * (double)(i / columns) / (double)rows - 1;
            double x = 2 * (double)(i % columns) / (double)columns - 1;
            double re = factors[0] * y + factors[1] * x + factors[2] * y * x + factors[3] * y * y;
            double im = factors[4] * y + factors[5] * x + factors[6] * y * x + factors[7] * x * x;
            plane[i] = probe[i] * ((float)re + (float)im * I);
        }
        double now = amplitude(plane, pixels);
        scale(plane, pixels, now > 0 ? amplitude(probe, pixels) / now : 0);
    }
}

void ff_eigenprobes_weigh(double *weights, const double *terms, size_t patterns, size_t count)
{
    const double way = 0.5;
    for (size_t e = 0; e < count; e++) {
        double mean = 0;
        for (size_t n = 0; n < patterns; n++)
            mean += terms[2 * (n * count + e) + 1] / (double)patterns;
        for (size_t n = 0; mean > 0 && n < patterns; n++) {
            const double *term = terms + 2 * (n * count + e);
            weights[n * count + e] += way * term[0] / (term[1] + 0.1 * mean);
        }
    }
}

/* What all patterns share belongs to the probe. */
static void move_means(ff_complex *probe, const ff_complex *eigenprobes, double *weights,
                       size_t patterns, size_t count, size_t pixels)
{
    for (size_t e = 0; e < count; e++) {
        double mean = 0;
        for (size_t n = 0; n < patterns; n++)
            mean += weights[n * count + e] / (double)patterns;
        for (size_t n = 0; n < patterns; n++)
            weights[n * count + e] -= mean;
        for (size_t i = 0; i < pixels; i++)
            probe[i] += (float)mean * eigenprobes[e * pixels + i];
    }
}

/* Gram-Schmidt: what eigenprobe `b` has of `a` goes over to the weights of a, so no pattern's probe
 * changes. */
static void separate(ff_complex *eigenprobes, double *weights, size_t patterns, size_t count,
                     size_t pixels, size_t a, size_t b)
{
    ff_complex *one = eigenprobes + a * pixels;
    ff_complex *other = eigenprobes + b * pixels;
    double power = ff_modes_power(one, pixels);
    double share = power > 0 ? product(one, other, pixels) / power : 0;
    for (size_t i = 0; i < pixels; i++)
        other[i] -= (float)share * one[i];
    for (size_t n = 0; n < patterns; n++)
        weights[n * count + a] += share * weights[n * count + b];
}

void ff_eigenprobes_normalise(ff_complex *probe, ff_complex *eigenprobes, double *weights,
                              size_t patterns, size_t count, size_t pixels)
{
    move_means(probe, eigenprobes, weights, patterns, count, pixels);
    double strength = amplitude(probe, pixels);
    for (size_t b = 0; b < count; b++) {
        for (size_t a = 0; a < b; a++)
            separate(eigenprobes, weights, patterns, count, pixels, a, b);
        double now = amplitude(eigenprobes + b * pixels, pixels);
        if (!(now > 0) || !(strength > 0))
            continue;
        scale(eigenprobes + b * pixels, pixels, strength / now);
        for (size_t n = 0; n < patterns; n++)
            weights[n * count + b] *= now / strength;
    }
}
