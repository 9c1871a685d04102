/* What lies on the device and can be read and written. */
#include "functions/reconstruct/backends/cpu/state.h"
#include "functions/reconstruct/backends/inside.h"

#include <string.h>

static void split(const ff_real *from, size_t rows, size_t columns, struct ff_planes to)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            to.re[r * to.stride + c] = from[2 * (r * columns + c)];
            to.im[r * to.stride + c] = from[2 * (r * columns + c) + 1];
        }
    }
}

static void join(struct ff_planes from, size_t rows, size_t columns, ff_real *to)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            to[2 * (r * columns + c)] = from.re[r * from.stride + c];
            to[2 * (r * columns + c) + 1] = from.im[r * from.stride + c];
        }
    }
}

void ff_cpu_put(struct ff_backend *backend, enum ff_field field, const void *values)
{
    const ff_real *from = values;
    if (field < FF_PROBE) {
        split(from, backend->tile.rows, backend->tile.columns, backend->object[field - FF_OBJECT]);
        return;
    }
    for (size_t i = 0; i < backend->probes; i++)
        split(from + 2 * i * backend->rows * backend->columns, backend->rows, backend->columns,
              backend->probe[field - FF_PROBE][i]);
}

void ff_cpu_get(struct ff_backend *backend, enum ff_field field, void *values)
{
    ff_real *to = values;
    if (field < FF_PROBE) {
        join(backend->object[field - FF_OBJECT], backend->tile.rows, backend->tile.columns, to);
        return;
    }
    for (size_t i = 0; i < backend->probes; i++)
        join(backend->probe[field - FF_PROBE][i], backend->rows, backend->columns,
             to + 2 * i * backend->rows * backend->columns);
}

struct ff_wave ff_cpu_kept_wave(const struct ff_backend *backend, ff_real *waves, uint32_t local,
                                size_t i)
{
    size_t area = backend->frame_rows * backend->frame_width;
    size_t number = (size_t)local * backend->fly * backend->modes + i;
    return (struct ff_wave){waves + 2 * number * area, backend->frame_width, backend->frame_rows,
                            backend->frame_width};
}

/* Between a row of a wave in blocks and pairs; blocks of one are pairs. */
static void move_row(ff_real *wave, ff_real *pairs, size_t columns, size_t block, bool put)
{
    for (size_t c = 0; c < columns; c++) {
        ff_real *re = wave + 2 * (c - c % block) + c % block;
        ff_real *pair = pairs + 2 * c;
        if (put) {
            re[0] = pair[0];
            re[block] = pair[1];
        } else {
            pair[0] = re[0];
            pair[1] = re[block];
        }
    }
}

/* One pattern's waves, dense. */
static void move_waves(struct ff_backend *backend, uint32_t local, ff_real *values, bool put)
{
    size_t columns = backend->frame_columns;
    for (size_t i = 0; i < backend->fly * backend->modes; i++) {
        struct ff_wave wave = ff_cpu_kept_wave(backend, backend->waves, local, i);
        for (size_t r = 0; r < wave.rows; r++) {
            move_row(wave.values + 2 * r * wave.stride, values + 2 * (i * wave.rows + r) * columns,
                     columns, backend->kernels->block, put);
        }
    }
}

static double *rows_of(struct ff_backend *backend, enum ff_field field, size_t *width)
{
    switch (field) {
    case FF_POSITIONS:
        *width = 2 * backend->fly;
        return backend->positions;
    case FF_SCALES:
        *width = 1;
        return backend->scales;
    default:
        *width = backend->eigenprobes;
        return backend->weights;
    }
}

static size_t wave_values(const struct ff_backend *backend)
{
    return 2 * backend->fly * backend->modes * backend->frame_rows * backend->frame_columns;
}

void ff_cpu_put_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     const void *values)
{
    if (field == FF_WAVES) {
        for (size_t i = 0; i < count; i++)
            move_waves(backend, (uint32_t)(first + i),
                       (ff_real *)(uintptr_t)values + i * wave_values(backend), true);
        return;
    }
    size_t width;
    double *rows = rows_of(backend, field, &width);
    memcpy(rows + first * width, values, count * width * sizeof *rows);
    if (field == FF_POSITIONS)
        ff_keep_inside(backend->tile, backend->rows, backend->columns, rows + first * width,
                       count * width);
}

void ff_cpu_get_rows(struct ff_backend *backend, enum ff_field field, size_t first, size_t count,
                     void *values)
{
    if (field == FF_WAVES) {
        for (size_t i = 0; i < count; i++)
            move_waves(backend, (uint32_t)(first + i), (ff_real *)values + i * wave_values(backend),
                       false);
        return;
    }
    size_t width;
    const double *rows = rows_of(backend, field, &width);
    memcpy(values, rows + first * width, count * width * sizeof *rows);
}

double *ff_cpu_terms_of(struct ff_backend *backend, enum ff_terms terms, uint32_t local)
{
    return backend->terms[terms] +
           local * ff_terms_width(terms, backend->fly, backend->eigenprobes);
}

void ff_cpu_get_terms(struct ff_backend *backend, enum ff_terms terms, double *values)
{
    size_t width = ff_terms_width(terms, backend->fly, backend->eigenprobes);
    memcpy(values, backend->terms[terms], backend->patterns * width * sizeof *values);
}
