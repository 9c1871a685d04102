#include "functions/reconstruct/metrics/region.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { BLURS = 3 };

/* Adds the power of the modes at one patch. */
static void add_patch(const struct ff_map *power, const double *position, struct ff_map *map)
{
    double top = round(position[0]);
    double left = round(position[1]);
    if (!(fabs(top) < 1e9) || !(fabs(left) < 1e9))
        return;
    for (size_t r = 0; r < power->rows; r++) {
        long row = (long)top + (long)r;
        if (row < 0 || row >= (long)map->rows)
            continue;
        long first = left < 0 ? -(long)left : 0;
        long last = (long)map->columns - (long)left;
        last = last < (long)power->columns ? last : (long)power->columns;
        for (long c = first; c < last; c++)
            map->values[(size_t)row * map->columns + (size_t)((long)left + c)] +=
                power->values[r * power->columns + (size_t)c];
    }
}

int ff_region_lit(const struct ff_scan *scan, double share, struct ff_map *map,
                  struct ff_error *error)
{
    struct ff_map power;
    if (ff_map_create(&power, scan->rows, scan->columns, error) < 0)
        return -1;
    size_t pixels = scan->rows * scan->columns;
    for (size_t i = 0; i < scan->modes * pixels; i++)
        power.values[i % pixels] += ff_power(scan->probe[i]);
    for (size_t i = 0; i < map->rows * map->columns; i++)
        map->values[i] = 0;
    for (size_t n = 0; n < scan->count; n++)
        add_patch(&power, scan->positions + 2 * n, map);
    ff_map_dispose(&power);
    double most = 0;
    for (size_t i = 0; i < map->rows * map->columns; i++)
        most = fmax(most, map->values[i]);
    for (size_t i = 0; i < map->rows * map->columns; i++)
        map->values[i] = map->values[i] > share * most;
    return 0;
}

void ff_region_fill(const struct ff_box *box, struct ff_map *map)
{
    for (size_t r = 0; r < map->rows; r++)
        for (size_t c = 0; c < map->columns; c++)
            map->values[r * map->columns + c] =
                r >= box->from[0] && r < box->to[0] && c >= box->from[1] && c < box->to[1];
}

bool ff_region_box(const struct ff_map *mask, struct ff_box *box)
{
    *box = (struct ff_box){{mask->rows, mask->columns}, {0, 0}};
    for (size_t r = 0; r < mask->rows; r++)
        for (size_t c = 0; c < mask->columns; c++) {
            if (!(mask->values[r * mask->columns + c] > 0))
                continue;
            box->from[0] = r < box->from[0] ? r : box->from[0];
            box->from[1] = c < box->from[1] ? c : box->from[1];
            box->to[0] = r + 1;
            box->to[1] = c + 1 > box->to[1] ? c + 1 : box->to[1];
        }
    return box->to[0] > box->from[0];
}

/* The mean of 2 reach + 1 values of a line, those outside counted as zero. */
static void blur_line(double *line, size_t count, size_t stride, size_t reach, double *work)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        work[i] = line[i * stride];
    for (size_t i = 0; i < count && i < reach; i++)
        sum += work[i];
    for (size_t i = 0; i < count; i++) {
        sum += i + reach < count ? work[i + reach] : 0;
        line[i * stride] = sum / (double)(2 * reach + 1);
        sum -= i >= reach ? work[i - reach] : 0;
    }
}

int ff_region_window(const struct ff_map *mask, size_t reach, struct ff_map *window,
                     struct ff_error *error)
{
    size_t longer = mask->rows > mask->columns ? mask->rows : mask->columns;
    double *work = ff_array_create(longer, sizeof *work, "a window", error);
    if (work == NULL)
        return -1;
    size_t each = (reach + BLURS - 1) / BLURS;
    ff_map_place(mask, (const long[]){0, 0}, window);
    for (int i = 0; i < BLURS; i++) {
        for (size_t r = 0; r < mask->rows; r++)
            blur_line(window->values + r * mask->columns, mask->columns, 1, each, work);
        for (size_t c = 0; c < mask->columns; c++)
            blur_line(window->values + c, mask->rows, mask->columns, each, work);
    }
    for (size_t i = 0; i < mask->rows * mask->columns; i++)
        window->values[i] = mask->values[i] > 0 ? fmax(0, 2 * window->values[i] - 1) : 0;
    free(work);
    return 0;
}
