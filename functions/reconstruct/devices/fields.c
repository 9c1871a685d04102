/* Between the arrays of the whole problem and those of the devices' tiles and patterns. */
#include "functions/reconstruct/devices/state.h"

#include <string.h>

static bool of_object(enum ff_field field)
{
    return field <= FF_OBJECT_VELOCITY;
}

static bool of_probe(enum ff_field field)
{
    return field >= FF_PROBE && field < FF_FIELDS_WHOLE;
}

/* Doubles of one pattern in a field of patterns. */
static size_t row_width(const struct ff_devices *devices, enum ff_field field)
{
    if (field == FF_POSITIONS)
        return 2 * devices->problem->fly;
    return field == FF_WEIGHTS ? devices->eigenprobes : 1;
}

static size_t terms_width(const struct ff_devices *devices, enum ff_terms terms)
{
    return ff_terms_width(terms, devices->problem->fly, devices->eigenprobes);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t ff_devices_room(const struct ff_devices *devices)
{
    size_t width = 0;
    size_t most = 0;
    for (enum ff_field field = FF_FIELDS_WHOLE; field < FF_WAVES; field++)
        width = larger(width, row_width(devices, field));
    for (enum ff_terms terms = FF_TERMS_POSITIONS; terms <= FF_TERMS_STEPS; terms++)
        width = larger(width, terms_width(devices, terms));
    for (unsigned i = 0; i < devices->count; i++) {
        const struct ff_tile *tile = devices->device[i].tile;
        size_t pixels = ff_area_pixels(tile->area);
        most = larger(most, pixels * 2 * devices->operations->real_bytes);
        most = larger(most, tile->pattern_count * width * sizeof(double));
    }
    return most;
}

/* Where a row of a tile begins in the whole object, in bytes. */
static size_t tile_row(const struct ff_devices *devices, struct ff_area tile, size_t row)
{
    return ((tile.row + row) * devices->problem->object_columns + tile.column) * 2 *
           devices->operations->real_bytes;
}

static void cut_tile(const struct ff_devices *devices, struct ff_area tile, const char *whole,
                     char *part)
{
    size_t size = tile.columns * 2 * devices->operations->real_bytes;
    for (size_t row = 0; row < tile.rows; row++)
        memcpy(part + row * size, whole + tile_row(devices, tile, row), size);
}

static void paste_tile(const struct ff_devices *devices, struct ff_area tile, const char *part,
                       char *whole)
{
    size_t size = tile.columns * 2 * devices->operations->real_bytes;
    for (size_t row = 0; row < tile.rows; row++)
        memcpy(whole + tile_row(devices, tile, row), part + row * size, size);
}

static void pick_rows(const struct ff_tile *tile, size_t width, const double *whole, double *part)
{
    for (size_t i = 0; i < tile->pattern_count; i++)
        memcpy(part + i * width, whole + tile->patterns[i] * width, width * sizeof *part);
}

static void place_rows(const struct ff_tile *tile, size_t width, const double *part, double *whole)
{
    for (size_t i = 0; i < tile->pattern_count; i++)
        memcpy(whole + tile->patterns[i] * width, part + i * width, width * sizeof *part);
}

static void put_one(struct ff_devices *devices, struct device *device, enum ff_field field,
                    const void *values)
{
    const struct ff_backend_operations *operations = devices->operations;
    bool whole = devices->count == 1 || of_probe(field);
    const void *here = whole ? values : devices->room;
    if (!whole && of_object(field))
        cut_tile(devices, device->tile->area, values, devices->room);
    else if (!whole)
        pick_rows(device->tile, row_width(devices, field), values, devices->room);
    if (field < FF_FIELDS_WHOLE)
        operations->put(device->backend, field, here);
    else
        operations->put_rows(device->backend, field, 0, device->tile->pattern_count, here);
}

void ff_devices_put(struct ff_devices *devices, enum ff_field field, const void *values)
{
    for (unsigned i = 0; i < devices->count; i++)
        put_one(devices, &devices->device[i], field, values);
}

static void get_one(struct ff_devices *devices, struct device *device, enum ff_field field,
                    void *values)
{
    const struct ff_backend_operations *operations = devices->operations;
    bool whole = devices->count == 1 || of_probe(field);
    void *here = whole ? values : devices->room;
    if (field < FF_FIELDS_WHOLE)
        operations->get(device->backend, field, here);
    else
        operations->get_rows(device->backend, field, 0, device->tile->pattern_count, here);
    if (!whole && of_object(field))
        paste_tile(devices, device->tile->area, here, values);
    else if (!whole)
        place_rows(device->tile, row_width(devices, field), here, values);
}

void ff_devices_get(struct ff_devices *devices, enum ff_field field, void *values)
{
    const struct ff_problem *problem = devices->problem;
    if (devices->count > 1 && of_object(field) && field != FF_OBJECT)
        memset(values, 0,
               problem->object_rows * problem->object_columns * 2 *
                   devices->operations->real_bytes);
    unsigned holders = of_probe(field) ? 1 : devices->count; /* of the probe all have the same */
    for (unsigned i = 0; i < holders; i++)
        get_one(devices, &devices->device[i], field, values);
}

/* Whose a pattern is, and its number there. */
static struct device *device_of(struct ff_devices *devices, uint32_t pattern, size_t *number)
{
    bool single = devices->count == 1;
    *number = single ? pattern : devices->number_of[pattern];
    return &devices->device[single ? 0 : devices->device_of[pattern]];
}

void ff_devices_put_waves(struct ff_devices *devices, uint32_t pattern, const void *values)
{
    size_t number;
    struct device *device = device_of(devices, pattern, &number);
    devices->operations->put_rows(device->backend, FF_WAVES, number, 1, values);
}

void ff_devices_get_waves(struct ff_devices *devices, uint32_t pattern, void *values)
{
    size_t number;
    struct device *device = device_of(devices, pattern, &number);
    devices->operations->get_rows(device->backend, FF_WAVES, number, 1, values);
}

void ff_devices_get_terms(struct ff_devices *devices, enum ff_terms terms, double *values)
{
    bool single = devices->count == 1;
    for (unsigned i = 0; i < devices->count; i++) {
        struct device *device = &devices->device[i];
        double *here = single ? values : devices->room;
        devices->operations->get_terms(device->backend, terms, here);
        if (!single)
            place_rows(device->tile, terms_width(devices, terms), here, values);
    }
}
