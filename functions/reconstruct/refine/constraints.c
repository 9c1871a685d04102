#include "functions/reconstruct/refine/constraints.h"

#include <complex.h>
#include <stdbool.h>
#include <string.h>

static void bound_amplitude(ff_complex *object, size_t pixels, bool exactly)
{
    for (size_t i = 0; i < pixels; i++) {
        float amplitude = cabsf(object[i]);
        if (amplitude > 1 || (exactly && amplitude > 0))
            object[i] /= amplitude;
    }
}

static ff_complex mean_around(const ff_complex *from, size_t columns, size_t r, size_t c)
{
    ff_complex sum = 0;
    for (size_t y = r - 1; y <= r + 1; y++)
        for (size_t x = c - 1; x <= c + 1; x++)
            sum += from[y * columns + x];
    return sum / 9;
}

static void smooth(ff_complex *object, size_t rows, size_t columns, ff_complex *room)
{
    const float share = 0.1F;
    memcpy(room, object, rows * columns * sizeof *room);
    for (size_t r = 1; r + 1 < rows; r++)
        for (size_t c = 1; c + 1 < columns; c++)
            object[r * columns + c] +=
                share * (mean_around(room, columns, r, c) - room[r * columns + c]);
}

void ff_object_constrain(ff_complex *object, size_t rows, size_t columns,
                         enum ff_object_constraint constraint, ff_complex *room)
{
    if (constraint == FF_OBJECT_SMOOTH)
        smooth(object, rows, columns, room);
    else if (constraint != FF_OBJECT_FREE)
        bound_amplitude(object, rows * columns, constraint == FF_OBJECT_PHASE);
}

void ff_probe_offset(const ff_complex *probe, size_t modes, size_t rows, size_t columns,
                     int offset[2])
{
    double sum = 0;
    double y = 0;
    double x = 0;
    for (size_t i = 0; i < modes * rows * columns; i++) {
        double light = (double)(crealf(probe[i]) * crealf(probe[i])) +
                       (double)(cimagf(probe[i]) * cimagf(probe[i]));
        sum += light;
        y += light * (double)(i / columns % rows);
        x += light * (double)(i % columns);
    }
    offset[0] = offset[1] = 0;
    if (!(sum > 0))
        return;
    double off[2] = {y / sum - (double)rows / 2, x / sum - (double)columns / 2};
    for (int a = 0; a < 2; a++)
        offset[a] = off[a] > 0.75 ? 1 : off[a] < -0.75 ? -1 : 0;
}

void ff_planes_shift(ff_complex *planes, size_t count, size_t rows, size_t columns, const int by[2])
{
    const long height = (long)rows;
    const long width = (long)columns;
    for (size_t p = 0; p < count; p++) {
        ff_complex *plane = planes + p * rows * columns;
        for (long i = 0; i < height; i++) {
            long r = by[0] > 0 ? height - 1 - i : i; /* never over what is still to be read */
            for (long j = 0; j < width; j++) {
                long c = by[1] > 0 ? width - 1 - j : j;
                long y = r - by[0];
                long x = c - by[1];
                bool inside = y >= 0 && y < height && x >= 0 && x < width;
                plane[r * width + c] = inside ? plane[y * width + x] : 0;
            }
        }
    }
}

void ff_probe_bound(ff_complex *probe, size_t planes, size_t rows, size_t columns)
{
    const double reach = 0.9;
    for (size_t i = 0; i < planes * rows * columns; i++) {
        double y = 2 * (double)(i / columns % rows) / (double)rows - 1;
        double x = 2 * (double)(i % columns) / (double)columns - 1;
        if (y * y + x * x > reach * reach)
            probe[i] = 0;
    }
}

double ff_object_power(const ff_complex *object, const uint8_t *seen, size_t pixels)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (seen[i] == 0)
            continue;
        float amplitude = cabsf(object[i]);
        sum += (double)(amplitude * amplitude);
        count++;
    }
    return count > 0 && sum > 0 ? sum / (double)count : 1;
}
