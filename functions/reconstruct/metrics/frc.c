#include "functions/reconstruct/metrics/frc.h"

#include "functions/reconstruct/metrics/fourier.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { RUN = 3 }; /* rings in a row that must lie below the threshold */

struct ring {
    ff_complex_double cross;
    double a, b;
    size_t pixels;
};

double ff_frc_threshold(double n)
{
    return (0.2071 + 1.9102 / sqrt(n)) / (1.2071 + 0.9102 / sqrt(n));
}

/* Windowed, less its mean: the mean belongs to no ring, and the window would spread it. */
static int transform(const struct ff_image *image, const struct ff_map *window,
                     const struct ff_fourier *fourier, struct ff_image *spectrum,
                     struct ff_error *error)
{
    if (ff_image_create(spectrum, image->rows, image->columns, error) < 0)
        return -1;
    ff_complex_double sum = 0;
    double weights = 0;
    for (size_t i = 0; i < image->rows * image->columns; i++) {
        sum += window->values[i] * image->values[i];
        weights += window->values[i];
    }
    for (size_t i = 0; weights > 0 && i < image->rows * image->columns; i++)
        spectrum->values[i] = window->values[i] * (image->values[i] - sum / weights);
    ff_fourier_forward(fourier, spectrum->values);
    return 0;
}

static double independent_share(const struct ff_map *window)
{
    double squares = 0;
    double fourths = 0;
    for (size_t i = 0; i < window->rows * window->columns; i++) {
        double square = window->values[i] * window->values[i];
        squares += square;
        fourths += square * square;
    }
    double pixels = (double)(window->rows * window->columns);
    return fourths > 0 ? squares * squares / (pixels * fourths) : 0;
}

/* Rings are as wide as the finest step of either axis, counted in cycles per coarser pixel. */
static void gather(const struct ff_image *a, const struct ff_image *b, const double pixel[2],
                   double width, struct ring *rings, size_t count)
{
    double coarse = fmax(pixel[0], pixel[1]);
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->columns; c++) {
            double y = ff_fourier_frequency(r, a->rows) * coarse / pixel[0];
            double x = ff_fourier_frequency(c, a->columns) * coarse / pixel[1];
            double place = floor(hypot(x, y) / width + 0.5);
            if (place < 1 || place > (double)count)
                continue;
            struct ring *ring = &rings[(size_t)place - 1];
            size_t i = r * a->columns + c;
            ring->cross += a->values[i] * conj(b->values[i]);
            ring->a += ff_power(a->values[i]);
            ring->b += ff_power(b->values[i]);
            ring->pixels++;
        }
}

/* Where two straight lines through neighbouring rings cross. */
static double crossing(const struct ff_frc *frc, size_t ring)
{
    double before = frc->correlation[ring - 1] - frc->threshold[ring - 1];
    double after = frc->correlation[ring] - frc->threshold[ring];
    double part = before > after ? before / (before - after) : 0;
    return frc->frequency[ring - 1] + part * (frc->frequency[ring] - frc->frequency[ring - 1]);
}

static bool below(const struct ff_frc *frc, size_t ring)
{
    for (size_t i = ring; i < ring + RUN && i < frc->rings; i++)
        if (frc->correlation[i] >= frc->threshold[i])
            return false;
    return true;
}

static void find_resolution(struct ff_frc *frc)
{
    size_t ring = 0;
    while (ring < frc->rings && !below(frc, ring))
        ring++;
    frc->reaches_nyquist = ring == frc->rings;
    if (frc->reaches_nyquist)
        frc->resolution_px = 1;
    else
        frc->resolution_px = ring > 0 ? 0.5 / crossing(frc, ring) : NAN;
}

static int fill(const struct ff_image *a, const struct ff_image *b, const double pixel[2],
                double share, struct ff_frc *frc, struct ff_error *error)
{
    double coarse = fmax(pixel[0], pixel[1]);
    double width =
        fmax(coarse / (pixel[0] * (double)a->rows), coarse / (pixel[1] * (double)a->columns));
    size_t count = (size_t)(0.5 / width);
    struct ring *rings = ff_array_create(count, sizeof *rings, "the rings", error);
    frc->frequency = ff_array_create(count, sizeof(double), "the rings", error);
    frc->correlation = ff_array_create(count, sizeof(double), "the rings", error);
    frc->threshold = ff_array_create(count, sizeof(double), "the rings", error);
    if (rings == NULL || frc->frequency == NULL || frc->correlation == NULL ||
        frc->threshold == NULL) {
        free(rings);
        return -1;
    }
    gather(a, b, pixel, width, rings, count);
    /* The lowest ring holds what the window makes of the mean, and a handful of values. */
    for (size_t i = 1; i < count; i++) {
        double power = sqrt(rings[i].a * rings[i].b);
        size_t k = frc->rings++;
        frc->frequency[k] = width * (double)(i + 1);
        frc->correlation[k] = power > 0 ? creal(rings[i].cross) / power : 0;
        frc->threshold[k] = ff_frc_threshold(fmax(1, share * (double)rings[i].pixels));
    }
    free(rings);
    find_resolution(frc);
    return 0;
}

int ff_frc_create(const struct ff_image *a, const struct ff_image *b, const struct ff_map *window,
                  const double pixel[2], struct ff_frc *frc, struct ff_error *error)
{
    struct ff_image of_a = {0};
    struct ff_image of_b = {0};
    *frc = (struct ff_frc){0};
    struct ff_fourier *fourier = ff_fourier_create(a->rows, a->columns, error);
    int result = fourier != NULL ? transform(a, window, fourier, &of_a, error) : -1;
    if (result == 0)
        result = transform(b, window, fourier, &of_b, error);
    if (result == 0)
        result = fill(&of_a, &of_b, pixel, independent_share(window), frc, error);
    ff_image_dispose(&of_a);
    ff_image_dispose(&of_b);
    ff_fourier_destroy(fourier);
    if (result < 0)
        ff_frc_dispose(frc);
    return result;
}

void ff_frc_dispose(struct ff_frc *frc)
{
    free(frc->frequency);
    free(frc->correlation);
    free(frc->threshold);
    *frc = (struct ff_frc){0};
}
