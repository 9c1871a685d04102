#include "functions/simulate/objects.h"

#include "functions/reconstruct/solvers/random.h"
#include "functions/simulate/waves.h"

#include <complex.h>
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOKES = 18, COINS = 40, IMAGE_SIDE_MAX = 16384 };

/* What the thickest part does to the wave: a heavy phase object, as gold at some keV. */
static const double full_phase = -1.2;
static const double full_absorption = 0.25;

/* Thickness 0 … 1 into transmission. */
static ff_complex transmission(double thickness)
{
    double amplitude = 1 - full_absorption * thickness;
    double phase = full_phase * thickness;
    return (float)(amplitude * cos(phase)) + (float)(amplitude * sin(phase)) * (ff_complex)I;
}

/* Spokes with gaps at some radii, as test patterns have; `r` in 0 … 1 of the half side. */
static double star_at(double y, double x)
{
    double r = hypot(y, x);
    if (r < 0.06 || r > 0.95 || fabs(r - 0.35) < 0.012 || fabs(r - 0.65) < 0.012)
        return 0;
    return sin(2 * SPOKES * atan2(y, x)) > 0 ? 1 : 0;
}

static void fill_star(ff_complex *object, size_t rows, size_t columns)
{
    double half = (double)(rows < columns ? rows : columns) / 2;
    for (size_t i = 0; i < rows * columns; i++)
        object[i] = transmission(star_at(((double)(i / columns) - (double)rows / 2) / half,
                                         ((double)(i % columns) - (double)columns / 2) / half));
}

struct coin {
    double row, column, radius, thickness;
};

/* A coin has a rim and a relief. */
static double coin_at(const struct coin *coin, double row, double column)
{
    double r = hypot(row - coin->row, column - coin->column) / coin->radius;
    if (r > 1)
        return 0;
    if (r > 0.88)
        return coin->thickness;
    double angle = atan2(row - coin->row, column - coin->column);
    return coin->thickness * (0.6 + 0.25 * cos(5 * angle) * sin(3 * M_PI * r));
}

static void fill_coins(ff_complex *object, size_t rows, size_t columns, uint64_t seed)
{
    struct ff_random random = ff_random_seed(seed ^ 0xc0135u);
    struct coin coins[COINS];
    double side = (double)(rows < columns ? rows : columns);
    for (size_t i = 0; i < COINS; i++)
        coins[i] = (struct coin){
            ff_random_unit(&random) * (double)rows, ff_random_unit(&random) * (double)columns,
            side * (0.04 + 0.08 * ff_random_unit(&random)), 0.3 + 0.7 * ff_random_unit(&random)};
    for (size_t i = 0; i < rows * columns; i++) {
        double thickness = 0; /* the uppermost coin hides those below */
        for (size_t k = 0; k < COINS && thickness <= 0; k++)
            thickness = coin_at(&coins[k], (double)(i / columns), (double)(i % columns));
        object[i] = transmission(thickness);
    }
}

/* Amplitude and phase vary slowly and apart. */
static int fill_smooth(ff_complex *object, size_t rows, size_t columns, uint64_t seed,
                       struct ff_error *error)
{
    double finest = fmax(8, (double)(rows < columns ? rows : columns) / 16);
    float *fields =
        ff_array_create(ff_array_elements(rows, columns, 2), sizeof *fields, "the object", error);
    float *phase = fields + rows * columns;
    int result =
        fields != NULL ? ff_simulate_waves(fields, rows, columns, finest, seed, error) : -1;
    if (result == 0)
        result = ff_simulate_waves(phase, rows, columns, finest, ~seed, error);
    for (size_t i = 0; result == 0 && i < rows * columns; i++) {
        double amplitude = 1 - 0.5 * full_absorption * (1 + (double)(fields[i] / FF_WAVES_PEAK));
        double angle = 0.5 * full_phase * (double)phase[i];
        object[i] =
            (float)(amplitude * cos(angle)) + (float)(amplitude * sin(angle)) * (ff_complex)I;
    }
    free(fields);
    return result;
}

static int refuse_image(const char *name, const char *why, struct ff_error *error)
{
    ff_fail(error, FF_INPUT_INVALID, "%s cannot be the object: %s", name, why);
    return ff_hint(error, "object takes siemens, coins, smooth, or the name of a PNG file");
}

static double grey_at(const uint8_t *grey, size_t rows, size_t columns, double row, double column)
{
    size_t r = (size_t)row;
    size_t c = (size_t)column;
    size_t below = r + 1 < rows ? r + 1 : r;
    size_t right = c + 1 < columns ? c + 1 : c;
    double y = row - (double)r;
    double x = column - (double)c;
    return ((1 - y) * ((1 - x) * grey[r * columns + c] + x * grey[r * columns + right]) +
            y * ((1 - x) * grey[below * columns + c] + x * grey[below * columns + right])) /
           255;
}

static int fill_image(const char *name, ff_complex *object, size_t rows, size_t columns,
                      struct ff_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (access(name, R_OK) < 0) {
        ff_fail_errno(error, FF_INPUT_MISSING, errno, "cannot open the object %s", name);
        return ff_hint(error, "object takes siemens, coins, smooth, or the name of a PNG file");
    }
    if (!png_image_begin_read_from_file(&image, name))
        return refuse_image(name, "it is not a PNG file, or a damaged one", error);
    if (image.width > IMAGE_SIDE_MAX || image.height > IMAGE_SIDE_MAX || image.width == 0) {
        png_image_free(&image);
        return refuse_image(name, "a picture of more than 16384 pixels a side", error);
    }
    image.format = PNG_FORMAT_GRAY;
    uint8_t *grey = ff_array_create((size_t)image.width * image.height, 1, "the picture", error);
    if (grey == NULL) {
        png_image_free(&image);
        return -1;
    }
    if (!png_image_finish_read(&image, NULL, grey, 0, NULL)) {
        free(grey);
        return refuse_image(name, image.message, error);
    }
    double down = (double)(image.height - 1) / (double)rows;
    double across = (double)(image.width - 1) / (double)columns;
    for (size_t i = 0; i < rows * columns; i++)
        object[i] =
            transmission(grey_at(grey, image.height, image.width, (double)(i / columns) * down,
                                 (double)(i % columns) * across));
    free(grey);
    return 0;
}

ff_complex *ff_simulate_object(const char *name, size_t rows, size_t columns, uint64_t seed,
                               struct ff_error *error)
{
    ff_complex *object =
        ff_array_create(ff_array_elements(rows, columns, 1), sizeof *object, "the object", error);
    if (object == NULL)
        return NULL;
    int result = 0;
    if (strcmp(name, "siemens") == 0)
        fill_star(object, rows, columns);
    else if (strcmp(name, "coins") == 0)
        fill_coins(object, rows, columns, seed);
    else if (strcmp(name, "smooth") == 0)
        result = fill_smooth(object, rows, columns, seed, error);
    else
        result = fill_image(name, object, rows, columns, error);
    if (result == 0)
        return object;
    free(object);
    return NULL;
}
