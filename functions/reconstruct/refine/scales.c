#include "functions/reconstruct/refine/scales.h"

#include <math.h>

void ff_scales_move(double *scales, const double *terms, size_t count)
{
    const double way = 0.5;
    double sum = 0;
    for (size_t n = 0; n < count; n++) {
        double model = terms[2 * n + 1];
        if (model > 0) {
            double best = scales[n] * terms[2 * n] / model;
            scales[n] += way * (fmin(fmax(best, 0.5), 2) - scales[n]);
        }
        sum += scales[n] * scales[n];
    }
    double factor = sqrt((double)count / sum);
    for (size_t n = 0; n < count; n++)
        scales[n] *= factor;
}
