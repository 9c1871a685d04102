#include "functions/reconstruct/solvers/step_pair.h"

#include <math.h>

/* The columns of FF_TERMS_STEPS. */
enum { UU, VV, UV_RE, UV_IM, UX, VX, WIDTH };

static const double share_of_mean = 0.5;

/* χ_0 takes 4 bytes a pixel where the counts take 2. */
enum { SAMPLE_MIN = 128, SCAN_OVER_SAMPLE = 32 };

size_t ff_step_pair_sample(size_t patterns, size_t batch_limit)
{
    size_t most = patterns / SCAN_OVER_SAMPLE;
    if (most < SAMPLE_MIN)
        most = SAMPLE_MIN;
    return batch_limit < most ? batch_limit : most;
}

static double column_mean(const double *terms, struct ff_batch batch, int column)
{
    double sum = 0;
    for (size_t i = 0; i < batch.count; i++)
        sum += terms[(size_t)batch.patterns[i] * WIDTH + (size_t)column];
    return sum / (double)batch.count;
}

static double positive(double value)
{
    return value > 0 ? value : 0;
}

static double alone(double product, double square)
{
    return square > 0 ? positive(product / square) : 0;
}

/* `uu` and `vv` are the lifted ones. */
static struct ff_step_pair solve(const double *row, double uu, double vv)
{
    double determinant = uu * vv - row[UV_RE] * row[UV_RE] - row[UV_IM] * row[UV_IM];
    if (!(determinant > 0))
        return (struct ff_step_pair){0, 0};
    return (struct ff_step_pair){
        .object = positive((vv * row[UX] - row[UV_RE] * row[VX]) / determinant),
        .probe = positive((uu * row[VX] - row[UV_RE] * row[UX]) / determinant),
    };
}

struct ff_step_pair ff_step_pair_of(const double *terms, struct ff_batch batch, bool object,
                                    bool probe)
{
    struct ff_step_pair mean = {0, 0};
    double lift_uu = share_of_mean * column_mean(terms, batch, UU);
    double lift_vv = share_of_mean * column_mean(terms, batch, VV);
    for (size_t i = 0; i < batch.count; i++) {
        const double *row = terms + (size_t)batch.patterns[i] * WIDTH;
        struct ff_step_pair pair = {0, 0};
        if (object && probe)
            pair = solve(row, row[UU] + lift_uu, row[VV] + lift_vv);
        else if (object)
            pair.object = alone(row[UX], row[UU] + lift_uu);
        else if (probe)
            pair.probe = alone(row[VX], row[VV] + lift_vv);
        mean.object += pair.object / (double)batch.count;
        mean.probe += pair.probe / (double)batch.count;
    }
    return mean;
}
