#include "functions/reconstruct/refine/modes.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 64 };

typedef _Complex double complex_double;

double ff_modes_power(const ff_complex *mode, size_t pixels)
{
    double power = 0;
    for (size_t i = 0; i < pixels; i++)
        power += (double)(crealf(mode[i]) * crealf(mode[i]) + cimagf(mode[i]) * cimagf(mode[i]));
    return power;
}

void ff_modes_rescale(ff_complex *probe, size_t modes, size_t pixels, double power)
{
    double now = ff_modes_power(probe, modes * pixels);
    if (now <= 0 || power <= 0)
        return;
    float factor = (float)sqrt(power / now);
    for (size_t i = 0; i < modes * pixels; i++)
        probe[i] *= factor;
}

/* gram[a][b] = Σ conj(P_a) P_b. */
static void fill_gram(const ff_complex *probe, size_t modes, size_t pixels, complex_double *gram)
{
    for (size_t a = 0; a < modes; a++) {
        for (size_t b = a; b < modes; b++) {
            complex_double sum = 0;
            for (size_t i = 0; i < pixels; i++)
                sum += (complex_double)conjf(probe[a * pixels + i]) *
                       (complex_double)probe[b * pixels + i];
            gram[a * modes + b] = sum;
            gram[b * modes + a] = conj(sum);
        }
    }
}

/* One rotation in the plane (p, q) that makes gram[p][q] zero; `vectors` collects the columns. */
static void rotate(complex_double *gram, complex_double *vectors, size_t n, size_t p, size_t q)
{
    complex_double off = gram[p * n + q];
    double size = cabs(off);
    if (size <= 0)
        return;
    complex_double phase = off / size;
    double tau = (creal(gram[q * n + q]) - creal(gram[p * n + p])) / (2 * size);
    double t = (tau >= 0 ? 1.0 : -1.0) / (fabs(tau) + sqrt(1 + tau * tau));
    double c = 1 / sqrt(1 + t * t);
    double s = t * c;
    for (size_t i = 0; i < n; i++) { /* columns */
        complex_double x = gram[i * n + p];
        complex_double y = gram[i * n + q];
        gram[i * n + p] = c * x - s * conj(phase) * y;
        gram[i * n + q] = s * phase * x + c * y;
        x = vectors[i * n + p];
        y = vectors[i * n + q];
        vectors[i * n + p] = c * x - s * conj(phase) * y;
        vectors[i * n + q] = s * phase * x + c * y;
    }
    for (size_t i = 0; i < n; i++) { /* rows */
        complex_double x = gram[p * n + i];
        complex_double y = gram[q * n + i];
        gram[p * n + i] = c * x - s * phase * y;
        gram[q * n + i] = s * conj(phase) * x + c * y;
    }
}

static double off_diagonal(const complex_double *gram, size_t n)
{
    double sum = 0;
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++)
            sum += cabs(gram[p * n + q]);
    return sum;
}

/* The columns of `vectors`, strongest eigenvalue first, into `order`. */
static void sort_by_power(const complex_double *gram, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && creal(gram[order[at - 1] * n + order[at - 1]]) < creal(gram[i * n + i]);
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static void mix(ff_complex *probe, size_t modes, size_t pixels, const complex_double *vectors,
                const size_t *order, complex_double *column)
{
    for (size_t i = 0; i < pixels; i++) {
        for (size_t k = 0; k < modes; k++) {
            column[k] = 0;
            for (size_t m = 0; m < modes; m++)
                column[k] += (complex_double)probe[m * pixels + i] * vectors[m * modes + order[k]];
        }
        for (size_t k = 0; k < modes; k++)
            probe[k * pixels + i] = (ff_complex)column[k];
    }
}

int ff_modes_orthogonalise(ff_complex *probe, size_t modes, size_t pixels, struct ff_error *error)
{
    if (modes < 2)
        return 0;
    complex_double *gram = calloc(modes * modes, sizeof *gram);
    complex_double *vectors = calloc(modes * modes, sizeof *vectors);
    complex_double *column = calloc(modes, sizeof *column);
    size_t *order = calloc(modes, sizeof *order);
    int result = 0;
    if (gram == NULL || vectors == NULL || column == NULL || order == NULL) {
        result = ff_fail(error, FF_NO_MEMORY, "no memory to orthogonalise %zu modes", modes);
    } else {
        fill_gram(probe, modes, pixels, gram);
        for (size_t m = 0; m < modes; m++)
            vectors[m * modes + m] = 1;
        double enough = 1e-14 * ff_modes_power(probe, modes * pixels);
        for (int sweep = 0; sweep < SWEEPS && off_diagonal(gram, modes) > enough; sweep++)
            for (size_t p = 0; p < modes; p++)
                for (size_t q = p + 1; q < modes; q++)
                    rotate(gram, vectors, modes, p, q);
        sort_by_power(gram, modes, order);
        mix(probe, modes, pixels, vectors, order, column);
    }
    free(gram);
    free(vectors);
    free(column);
    free(order);
    return result;
}
