#include "functions/reconstruct/refine/modes.h"

#include "functions/reconstruct/refine/eigen.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        ff_eigen_solve(gram, vectors, order, modes);
        mix(probe, modes, pixels, vectors, order, column);
    }
    free(gram);
    free(vectors);
    free(column);
    free(order);
    return result;
}
