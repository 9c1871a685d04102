#include "functions/reconstruct/metrics/probe_error.h"

#include "functions/reconstruct/refine/modes.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

static ff_complex_double product(const ff_complex_double *a, const ff_complex_double *b,
                                 size_t pixels)
{
    ff_complex_double sum = 0;
    for (size_t i = 0; i < pixels; i++)
        sum += conj(a[i]) * b[i];
    return sum;
}

/* tr ρ_a ρ_b. */
static double trace(const struct ff_probe_view *a, const struct ff_probe_view *b)
{
    size_t pixels = a->rows * a->columns;
    double sum = 0;
    for (size_t m = 0; m < a->modes; m++)
        for (size_t l = 0; l < b->modes; l++)
            sum += ff_power(product(a->values + m * pixels, b->values + l * pixels, pixels));
    return sum;
}

static double power_of(const struct ff_probe_view *probe)
{
    double sum = 0;
    for (size_t i = 0; i < probe->modes * probe->rows * probe->columns; i++)
        sum += ff_power(probe->values[i]);
    return sum;
}

/* Orthogonal modes in single precision, which the caller frees, and their shares of the power. */
static ff_complex *orthogonal(const struct ff_probe_view *probe, double *shares, size_t *count,
                              struct ff_error *error)
{
    size_t pixels = probe->rows * probe->columns;
    ff_complex *modes = ff_array_create(ff_array_elements(probe->modes, pixels, 1), sizeof *modes,
                                        "the modes", error);
    if (modes == NULL)
        return NULL;
    for (size_t i = 0; i < probe->modes * pixels; i++)
        modes[i] = (ff_complex)probe->values[i];
    if (ff_modes_orthogonalise(modes, probe->modes, pixels, error) < 0) {
        free(modes);
        return NULL;
    }
    double power = power_of(probe);
    *count = probe->modes < FF_PROBE_SHARES_MAX ? probe->modes : FF_PROBE_SHARES_MAX;
    for (size_t m = 0; m < *count; m++)
        shares[m] = ff_modes_power(modes + m * pixels, pixels) / power;
    return modes;
}

int ff_probe_error(const struct ff_probe_view *probe, const struct ff_probe_view *reference,
                   struct ff_probe_error *found, struct ff_error *error)
{
    size_t pixels = probe->rows * probe->columns;
    *found = (struct ff_probe_error){.power_ratio = power_of(probe) / power_of(reference)};
    double cross = trace(probe, reference);
    double both = trace(probe, probe) * trace(reference, reference);
    found->relative = sqrt(fmax(0, 1 - cross * cross / both));
    ff_complex *a = orthogonal(probe, found->shares[0], &found->modes[0], error);
    ff_complex *b = orthogonal(reference, found->shares[1], &found->modes[1], error);
    if (a != NULL && b != NULL) {
        ff_complex_double sum = 0;
        for (size_t i = 0; i < pixels; i++)
            sum += (ff_complex_double)conjf(a[i]) * (ff_complex_double)b[i];
        found->first_overlap =
            cabs(sum) / sqrt(ff_modes_power(a, pixels) * ff_modes_power(b, pixels));
    }
    int result = a != NULL && b != NULL ? 0 : -1;
    free(a);
    free(b);
    return result;
}
