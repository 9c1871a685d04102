#include "functions/reconstruct/metrics/ssim.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { REACH = 5 }; /* the Gaussian is cut off at 3.3 σ */

static const double sigma_px = 1.5;
static const double luminance = 0.01;
static const double contrast = 0.03;

/* The moments of a window: weights, then the mean values. */
enum { WEIGHT, MEAN_A, MEAN_B, SQUARE_A, SQUARE_B, PRODUCT, MOMENTS };

static double gaussian(int offset)
{
    return exp(-0.5 * offset * offset / (sigma_px * sigma_px));
}

static void moments_of(const struct ff_map *a, const struct ff_map *b, const struct ff_map *mask,
                       size_t i, double moments[MOMENTS])
{
    double weight = mask->values[i] > 0;
    double x = weight > 0 ? a->values[i] : 0;
    double y = weight > 0 ? b->values[i] : 0;
    moments[WEIGHT] = weight;
    moments[MEAN_A] = x;
    moments[MEAN_B] = y;
    moments[SQUARE_A] = x * x;
    moments[SQUARE_B] = y * y;
    moments[PRODUCT] = x * y;
}

/* The sums along one line of `count` pixels of MOMENTS each, which lie `stride` pixels apart. */
static void blur_line(double *line, size_t count, size_t stride, double *work)
{
    for (size_t i = 0; i < count; i++)
        for (size_t m = 0; m < MOMENTS; m++)
            work[i * MOMENTS + m] = line[i * stride * MOMENTS + m];
    for (size_t i = 0; i < count; i++)
        for (size_t m = 0; m < MOMENTS; m++) {
            double sum = 0;
            for (int k = -REACH; k <= REACH; k++) {
                long at = (long)i + k;
                if (at >= 0 && at < (long)count)
                    sum += gaussian(k) * work[(size_t)at * MOMENTS + m];
            }
            line[i * stride * MOMENTS + m] = sum;
        }
}

static double similarity(const double sums[MOMENTS], double c1, double c2)
{
    double a = sums[MEAN_A] / sums[WEIGHT];
    double b = sums[MEAN_B] / sums[WEIGHT];
    double variance_a = sums[SQUARE_A] / sums[WEIGHT] - a * a;
    double variance_b = sums[SQUARE_B] / sums[WEIGHT] - b * b;
    double covariance = sums[PRODUCT] / sums[WEIGHT] - a * b;
    return (2 * a * b + c1) * (2 * covariance + c2) /
           ((a * a + b * b + c1) * (variance_a + variance_b + c2));
}

static double range_of(const struct ff_map *map, const struct ff_map *mask)
{
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < map->rows * map->columns; i++)
        if (mask->values[i] > 0) {
            low = fmin(low, map->values[i]);
            high = fmax(high, map->values[i]);
        }
    return high - low;
}

int ff_ssim(const struct ff_map *image, const struct ff_map *reference, const struct ff_map *mask,
            double *ssim, struct ff_error *error)
{
    size_t rows = image->rows;
    size_t columns = image->columns;
    size_t longer = rows > columns ? rows : columns;
    double range = range_of(reference, mask);
    *ssim = NAN;
    if (!(range > 0) || !isfinite(range))
        return 0;
    double *moments = ff_array_create(ff_array_elements(rows, columns, MOMENTS), sizeof *moments,
                                      "the similarity", error);
    double *work = ff_array_create(longer, MOMENTS * sizeof *work, "the similarity", error);
    if (moments == NULL || work == NULL) {
        free(moments);
        free(work);
        return -1;
    }
    for (size_t i = 0; i < rows * columns; i++)
        moments_of(image, reference, mask, i, moments + i * MOMENTS);
    for (size_t r = 0; r < rows; r++)
        blur_line(moments + r * columns * MOMENTS, columns, 1, work);
    for (size_t c = 0; c < columns; c++)
        blur_line(moments + c * MOMENTS, rows, columns, work);
    double sum = 0;
    double pixels = 0;
    for (size_t i = 0; i < rows * columns; i++)
        if (mask->values[i] > 0) {
            sum += similarity(moments + i * MOMENTS, pow(luminance * range, 2),
                              pow(contrast * range, 2));
            pixels++;
        }
    *ssim = sum / pixels;
    free(moments);
    free(work);
    return 0;
}

static void take_mean_off(struct ff_map *map, const struct ff_map *mask)
{
    double sum = 0;
    double weights = 0;
    for (size_t i = 0; i < map->rows * map->columns; i++) {
        sum += mask->values[i] > 0 ? map->values[i] : 0;
        weights += mask->values[i] > 0;
    }
    for (size_t i = 0; weights > 0 && i < map->rows * map->columns; i++)
        map->values[i] -= sum / weights;
}

int ff_ssim_of_phases(const struct ff_image *object, const struct ff_image *reference,
                      const struct ff_map *mask, double *ssim, struct ff_error *error)
{
    struct ff_map a = {0};
    struct ff_map b = {0};
    int result = -1;
    if (ff_map_create(&a, object->rows, object->columns, error) == 0 &&
        ff_map_create(&b, object->rows, object->columns, error) == 0) {
        ff_complex_double mean = 0;
        for (size_t i = 0; i < object->rows * object->columns; i++)
            mean += mask->values[i] * reference->values[i];
        for (size_t i = 0; i < object->rows * object->columns; i++) {
            b.values[i] = carg(reference->values[i] * conj(mean));
            a.values[i] = b.values[i] + carg(object->values[i] * conj(reference->values[i]));
        }
        take_mean_off(&a, mask);
        take_mean_off(&b, mask);
        result = ff_ssim(&a, &b, mask, ssim, error);
    }
    ff_map_dispose(&a);
    ff_map_dispose(&b);
    return result;
}
