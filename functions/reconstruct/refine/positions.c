#include "functions/reconstruct/refine/positions.h"

#include <math.h>

enum { TERMS = 5 };

static const double longest_px = 0.5;   /* of one move: the terms hold to first order */
static const double regularised = 0.05; /* of the mean of A's diagonal */
static const double momentum = 0.8;

static double mean_diagonal(const double *terms, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += terms[TERMS * i + 2] + terms[TERMS * i + 4];
    return sum / (2 * (double)count);
}

/* A δ = b with A's diagonal lifted; 0 where nothing tells. */
static void solve(const double *terms, double lift, double delta[2])
{
    double yy = terms[2] + lift;
    double yx = terms[3];
    double xx = terms[4] + lift;
    double determinant = yy * xx - yx * yx;
    delta[0] = delta[1] = 0;
    if (!(determinant > 0))
        return;
    delta[0] = (xx * terms[0] - yx * terms[1]) / determinant;
    delta[1] = (yy * terms[1] - yx * terms[0]) / determinant;
    double length = hypot(delta[0], delta[1]);
    double factor = length > longest_px ? longest_px / length : 1;
    delta[0] *= factor;
    delta[1] *= factor;
}

static void mean_move(const double *terms, size_t count, double lift, double mean[2])
{
    mean[0] = mean[1] = 0;
    for (size_t i = 0; i < count; i++) {
        double delta[2];
        solve(terms + TERMS * i, lift, delta);
        mean[0] += delta[0] / (double)count;
        mean[1] += delta[1] / (double)count;
    }
}

void ff_positions_move(double *positions, const double *first, const double *terms, size_t count,
                       const struct ff_positions_step *step)
{
    double lift = regularised * mean_diagonal(terms, count);
    double mean[2];
    if (!(lift > 0) || !isfinite(lift))
        return;
    mean_move(terms, count, lift, mean);
    for (size_t i = 0; i < count; i++) {
        double delta[2];
        solve(terms + TERMS * i, lift, delta);
        for (size_t axis = 0; axis < 2; axis++) {
            double *velocity = step->velocities + 2 * i + axis;
            *velocity = momentum * *velocity + step->step * (delta[axis] - mean[axis]);
            positions[2 * i + axis] += *velocity;
        }
    }
    for (size_t i = 0; i < 2 * count; i++)
        if (fabs(positions[i] - first[i]) > step->travel_px)
            step->velocities[i] = 0;
    ff_positions_hold(positions, first, count, step->travel_px);
}

void ff_positions_hold(double *positions, const double *first, size_t count, double travel_px)
{
    for (size_t i = 0; i < 2 * count; i++)
        positions[i] = fmin(fmax(positions[i], first[i] - travel_px), first[i] + travel_px);
}
