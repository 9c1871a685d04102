#include "functions/reconstruct/refine/affine.h"

#include "functions/reconstruct/arrays.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 10 };

/* Weighted sums of one round. */
struct sums {
    double weight;
    double from[2], to[2];
    double ff[2][2], tf[2][2]; /* Σ w f f', Σ w t f', about the means */
};

static struct sums gather(const double *from, const double *to, const double *weights, size_t count)
{
    struct sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        sums.weight += weights[i];
        for (int a = 0; a < 2; a++) {
            sums.from[a] += weights[i] * from[2 * i + (size_t)a];
            sums.to[a] += weights[i] * to[2 * i + (size_t)a];
        }
    }
    for (int a = 0; a < 2; a++) {
        sums.from[a] /= sums.weight;
        sums.to[a] /= sums.weight;
    }
    for (size_t i = 0; i < count; i++) {
        for (int a = 0; a < 2; a++) {
            for (int b = 0; b < 2; b++) {
                double f = from[2 * i + (size_t)b] - sums.from[b];
                sums.ff[a][b] += weights[i] * (from[2 * i + (size_t)a] - sums.from[a]) * f;
                sums.tf[a][b] += weights[i] * (to[2 * i + (size_t)a] - sums.to[a]) * f;
            }
        }
    }
    return sums;
}

static bool solve(const struct sums *sums, struct ff_affine *map)
{
    double determinant = sums->ff[0][0] * sums->ff[1][1] - sums->ff[0][1] * sums->ff[1][0];
    double size = sums->ff[0][0] + sums->ff[1][1];
    if (!(determinant > 1e-9 * size * size))
        return false;
    for (int a = 0; a < 2; a++) {
        map->matrix[a][0] =
            (sums->tf[a][0] * sums->ff[1][1] - sums->tf[a][1] * sums->ff[1][0]) / determinant;
        map->matrix[a][1] =
            (sums->tf[a][1] * sums->ff[0][0] - sums->tf[a][0] * sums->ff[0][1]) / determinant;
        map->centre[a] = sums->from[a];
        map->shift[a] = sums->to[a] - sums->from[a];
    }
    return true;
}

static double distance(const struct ff_affine *map, const double *from, const double *to)
{
    double there[2];
    ff_affine_apply(map, from, there);
    return hypot(there[0] - to[0], there[1] - to[1]);
}

/* Weights for the next round, from the distances of this one; `room` holds two numbers a point. */
static void weigh(const struct ff_affine *map, const double *from, const double *to, size_t count,
                  double *weights, double *sorted)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = distance(map, from + 2 * i, to + 2 * i);
    ff_array_sort(sorted, count);
    double scale = fmax(2.5 * sorted[count / 2], 1e-6);
    for (size_t i = 0; i < count; i++) {
        double ratio = distance(map, from + 2 * i, to + 2 * i) / scale;
        weights[i] = 1 / (1 + ratio * ratio);
    }
}

bool ff_affine_fit(const double *from, const double *to, size_t count, struct ff_affine *map)
{
    if (count < 4)
        return false;
    double *room = calloc(2 * count, sizeof *room);
    if (room == NULL)
        return false;
    double *weights = room;
    bool fits = true;
    for (size_t i = 0; i < count; i++)
        weights[i] = 1;
    for (int round = 0; fits && round < ROUNDS; round++) {
        struct sums sums = gather(from, to, weights, count);
        fits = solve(&sums, map);
        if (fits)
            weigh(map, from, to, count, weights, room + count);
    }
    free(room);
    return fits;
}

void ff_affine_apply(const struct ff_affine *map, const double from[2], double to[2])
{
    double y = from[0] - map->centre[0];
    double x = from[1] - map->centre[1];
    for (int a = 0; a < 2; a++)
        to[a] = map->matrix[a][0] * y + map->matrix[a][1] * x + map->centre[a] + map->shift[a];
}

struct ff_affine_parts ff_affine_parts_of(const struct ff_affine *map)
{
    /* matrix = rotation × (upper triangular): the columns are the images of the axes. */
    double y[2] = {map->matrix[0][0], map->matrix[1][0]};
    double x[2] = {map->matrix[0][1], map->matrix[1][1]};
    double along = hypot(y[0], y[1]);
    double determinant = y[0] * x[1] - y[1] * x[0];
    double across = determinant / along;
    double skew = (y[0] * x[0] + y[1] * x[1]) / along;
    const double degrees = 180 / acos(-1);
    return (struct ff_affine_parts){
        .scale = sqrt(fabs(determinant)),
        .stretch = across / along,
        .rotation_deg = degrees * atan2(y[1], y[0]),
        .shear_deg = degrees * atan2(skew, across),
    };
}
