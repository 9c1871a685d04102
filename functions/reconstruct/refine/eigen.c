#include "functions/reconstruct/refine/eigen.h"

#include <complex.h>
#include <math.h>

enum { SWEEPS = 64 };

typedef _Complex double complex_double;

/* One rotation in the plane (p, q) that makes matrix[p][q] zero; `vectors` collects the columns. */
static void rotate(complex_double *matrix, complex_double *vectors, size_t n, size_t p, size_t q)
{
    complex_double off = matrix[p * n + q];
    double size = cabs(off);
    if (size <= 0)
        return;
    complex_double phase = off / size;
    double tau = (creal(matrix[q * n + q]) - creal(matrix[p * n + p])) / (2 * size);
    double t = (tau >= 0 ? 1.0 : -1.0) / (fabs(tau) + sqrt(1 + tau * tau));
    double c = 1 / sqrt(1 + t * t);
    double s = t * c;
    for (size_t i = 0; i < n; i++) { /* columns */
        complex_double x = matrix[i * n + p];
        complex_double y = matrix[i * n + q];
        matrix[i * n + p] = c * x - s * conj(phase) * y;
        matrix[i * n + q] = s * phase * x + c * y;
        x = vectors[i * n + p];
        y = vectors[i * n + q];
        vectors[i * n + p] = c * x - s * conj(phase) * y;
        vectors[i * n + q] = s * phase * x + c * y;
    }
    for (size_t i = 0; i < n; i++) { /* rows */
        complex_double x = matrix[p * n + i];
        complex_double y = matrix[q * n + i];
        matrix[p * n + i] = c * x - s * phase * y;
        matrix[q * n + i] = s * conj(phase) * x + c * y;
    }
}

static double off_diagonal(const complex_double *matrix, size_t n)
{
    double sum = 0;
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++)
            sum += cabs(matrix[p * n + q]);
    return sum;
}

static void sort(const complex_double *matrix, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (;
             at > 0 && creal(matrix[order[at - 1] * n + order[at - 1]]) < creal(matrix[i * n + i]);
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

void ff_eigen_solve(complex_double *matrix, complex_double *vectors, size_t *order, size_t n)
{
    double trace = 0;
    for (size_t i = 0; i < n; i++) {
        trace += creal(matrix[i * n + i]);
        for (size_t j = 0; j < n; j++)
            vectors[i * n + j] = i == j;
    }
    for (int sweep = 0; sweep < SWEEPS && off_diagonal(matrix, n) > 1e-14 * trace; sweep++)
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                rotate(matrix, vectors, n, p, q);
    sort(matrix, n, order);
}
