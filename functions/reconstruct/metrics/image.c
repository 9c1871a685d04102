#include "functions/reconstruct/metrics/image.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOBES = 5 };

int ff_image_create(struct ff_image *field, size_t rows, size_t columns, struct ff_error *error)
{
    *field = (struct ff_image){rows, columns, NULL};
    field->values = ff_array_create(ff_array_elements(rows, columns, 1), sizeof *field->values,
                                    "an image", error);
    return field->values != NULL ? 0 : -1;
}

int ff_map_create(struct ff_map *map, size_t rows, size_t columns, struct ff_error *error)
{
    *map = (struct ff_map){rows, columns, NULL};
    map->values =
        ff_array_create(ff_array_elements(rows, columns, 1), sizeof *map->values, "a map", error);
    return map->values != NULL ? 0 : -1;
}

void ff_image_dispose(struct ff_image *field)
{
    free(field->values);
    *field = (struct ff_image){0};
}

void ff_map_dispose(struct ff_map *map)
{
    free(map->values);
    *map = (struct ff_map){0};
}

int ff_image_of(const ff_complex *values, size_t rows, size_t columns, struct ff_image *field,
                struct ff_error *error)
{
    if (ff_image_create(field, rows, columns, error) < 0)
        return -1;
    for (size_t i = 0; i < rows * columns; i++) {
        if (!isfinite(crealf(values[i])) || !isfinite(cimagf(values[i]))) {
            ff_image_dispose(field);
            return ff_fail(error, FF_INPUT_INVALID, "row %zu, column %zu is not finite",
                           i / columns, i % columns);
        }
        field->values[i] = (ff_complex_double)values[i];
    }
    return 0;
}

/* The part [from, to) of a line of `extent` that exists in one of `origin_extent`, moved. */
static void overlap(size_t extent, size_t origin_extent, long move, size_t *from, size_t *to)
{
    long first = move > 0 ? move : 0;
    long last = (long)origin_extent + move;
    last = last < (long)extent ? last : (long)extent;
    *from = first < last ? (size_t)first : 0;
    *to = first < last ? (size_t)last : 0;
}

/* An array of elements of `size` bytes; `rows` and `columns` are its own. */
struct elements {
    void *values;
    size_t rows, columns, size;
};

static void place(struct elements from, const long move[2], struct elements to)
{
    size_t top, bottom, left, right;
    overlap(to.rows, from.rows, move[0], &top, &bottom);
    overlap(to.columns, from.columns, move[1], &left, &right);
    memset(to.values, 0, to.rows * to.columns * to.size);
    for (size_t r = top; r < bottom && left < right; r++) {
        size_t origin = (size_t)((long)r - move[0]) * from.columns + (size_t)((long)left - move[1]);
        memcpy((char *)to.values + (r * to.columns + left) * to.size,
               (const char *)from.values + origin * from.size, (right - left) * to.size);
    }
}

void ff_image_place(const struct ff_image *from, const long move[2], struct ff_image *to)
{
    place((struct elements){from->values, from->rows, from->columns, sizeof *from->values}, move,
          (struct elements){to->values, to->rows, to->columns, sizeof *to->values});
}

void ff_map_place(const struct ff_map *from, const long move[2], struct ff_map *to)
{
    place((struct elements){from->values, from->rows, from->columns, sizeof *from->values}, move,
          (struct elements){to->values, to->rows, to->columns, sizeof *to->values});
}

void ff_image_twin(struct ff_image *field)
{
    size_t count = field->rows * field->columns;
    for (size_t i = 0; i < (count + 1) / 2; i++) {
        ff_complex_double kept = conj(field->values[i]);
        field->values[i] = conj(field->values[count - 1 - i]);
        field->values[count - 1 - i] = kept;
    }
}

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x);
}

/* One value of a line of `count` values `stride` apart. */
static ff_complex_double sample(const ff_complex_double *line, size_t count, size_t stride,
                                double place, double width)
{
    ff_complex_double sum = 0;
    double weights = 0;
    double first = ceil(place - LOBES * width);
    double last = floor(place + LOBES * width);
    for (double at = first; at <= last; at++) {
        double distance = (at - place) / width;
        double weight = sinc(distance) * sinc(distance / LOBES);
        weights += weight;
        if (at >= 0 && at < (double)count)
            sum += weight * line[(size_t)at * stride];
    }
    return sum / weights;
}

int ff_image_resample(const struct ff_image *from, const double scale[2],
                      const double from_origin[2], const double to_origin[2], struct ff_image *to,
                      struct ff_error *error)
{
    struct ff_image half; /* the columns are done, the rows are as they were */
    if (ff_image_create(&half, from->rows, to->columns, error) < 0)
        return -1;
    for (size_t r = 0; r < from->rows; r++)
        for (size_t c = 0; c < to->columns; c++) {
            double place = ((double)c - to_origin[1]) * scale[1] + from_origin[1];
            half.values[r * to->columns + c] = sample(from->values + r * from->columns,
                                                      from->columns, 1, place, fmax(1, scale[1]));
        }
    for (size_t r = 0; r < to->rows; r++) {
        double place = ((double)r - to_origin[0]) * scale[0] + from_origin[0];
        for (size_t c = 0; c < to->columns; c++)
            to->values[r * to->columns + c] =
                sample(half.values + c, half.rows, half.columns, place, fmax(1, scale[0]));
    }
    ff_image_dispose(&half);
    return 0;
}

ff_complex_double ff_turn(double angle)
{
    return cos(angle) + sin(angle) * (ff_complex_double)I;
}

double ff_power(ff_complex_double value)
{
    return creal(value) * creal(value) + cimag(value) * cimag(value);
}
