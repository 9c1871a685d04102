#include "functions/reconstruct/metrics/compare_probe.h"

#include "functions/reconstruct/metrics/fourier.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

static const double far_px = 1e6;   /* no array is so long: such positions are of nothing here */
static const double scatter_px = 8; /* corrected positions differ by less, other scans by more */

bool ff_compare_offset(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                       double apart[2])
{
    size_t count = estimate->count;
    if (count == 0 || count != reference->count)
        return false;
    double square = 0;
    apart[0] = apart[1] = 0;
    for (size_t i = 0; i < 2 * count; i++)
        apart[i % 2] += (reference->positions[i] - estimate->positions[i]) / (double)count;
    for (size_t i = 0; i < 2 * count; i++) {
        double left = reference->positions[i] - estimate->positions[i] - apart[i % 2];
        square += left * left;
    }
    return sqrt(square / (double)count) < scatter_px && fabs(apart[0]) < far_px &&
           fabs(apart[1]) < far_px;
}

/* A mode of the estimate as it would be in the reference's window. */
static void bring(const struct ff_image *mode, const struct ff_comparison *comparison,
                  const struct ff_fourier *fourier, struct ff_image *brought)
{
    const struct ff_registration *removed = &comparison->removed;
    const double *ramp = removed->ramp;
    const long middle[2] = {(long)(brought->rows / 2) - (long)(mode->rows / 2),
                            (long)(brought->columns / 2) - (long)(mode->columns / 2)};
    ff_image_place(mode, middle, brought);
    ff_fourier_forward(fourier, brought->values);
    /* The windows' corners are what the positions tell, and lie apart by as much. */
    const double move[2] = {comparison->apart_px[0] - (double)middle[0],
                            comparison->apart_px[1] - (double)middle[1]};
    ff_fourier_move(brought, move);
    ff_fourier_inverse(fourier, brought->values);
    for (size_t r = 0; r < brought->rows; r++)
        for (size_t c = 0; c < brought->columns; c++)
            brought->values[r * brought->columns + c] *=
                ff_turn(-ramp[0] * (double)r - ramp[1] * (double)c) / removed->factor;
}

static int compare(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                   struct ff_comparison *comparison, struct ff_error *error)
{
    size_t rows = reference->probe_rows;
    size_t columns = reference->probe_columns;
    struct ff_image all = {0};
    if (ff_image_create(&all, estimate->modes * rows, columns, error) < 0)
        return -1;
    struct ff_fourier *fourier = ff_fourier_create(rows, columns, error);
    int result = fourier != NULL ? 0 : -1;
    for (size_t m = 0; result == 0 && m < estimate->modes; m++) {
        const struct ff_image mode = {estimate->probe_rows, estimate->probe_columns,
                                      estimate->probe +
                                          m * estimate->probe_rows * estimate->probe_columns};
        struct ff_image brought = {rows, columns, all.values + m * rows * columns};
        bring(&mode, comparison, fourier, &brought);
    }
    if (result == 0) {
        const struct ff_probe_view found = {all.values, estimate->modes, rows, columns};
        const struct ff_probe_view wanted = {reference->probe, reference->modes, rows, columns};
        result = ff_probe_error(&found, &wanted, &comparison->probe, error);
        comparison->has_probe = result == 0;
    }
    ff_fourier_destroy(fourier);
    ff_image_dispose(&all);
    return result;
}

int ff_compare_probe(const struct ff_estimate *estimate, const struct ff_estimate *reference,
                     struct ff_comparison *comparison, struct ff_error *error)
{
    double apart[2];
    if (!ff_compare_offset(estimate, reference, apart))
        return 0;
    for (size_t axis = 0; axis < 2; axis++)
        comparison->apart_px[axis] = comparison->removed.shift_px[axis] - apart[axis];
    if (estimate->probe == NULL || reference->probe == NULL ||
        ff_power(comparison->removed.factor) <= 0)
        return 0;
    return compare(estimate, reference, comparison, error);
}
