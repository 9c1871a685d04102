/* What can be read and written from outside. All of it waits: it happens between epochs. */
#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/backends/inside.h"

#include <math.h>
#include <string.h>

/* A whole field on the device. */
static float2 *whole_field(const struct ff_backend *b, enum ff_field field, size_t *values)
{
    if (field < FF_PROBE) {
        *values = b->tile.rows * b->tile.columns;
        return b->object[field - FF_OBJECT];
    }
    *values = b->probes * b->shape.rows * b->shape.columns;
    return b->probe[field - FF_PROBE];
}

static void copy_and_wait(struct ff_backend *b, void *to, const void *from, size_t size,
                          enum cudaMemcpyKind kind)
{
    FF_CUDA(&b->calls, cudaMemcpyAsync(to, from, size, kind, b->stream));
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
}

void ff_cuda_put(struct ff_backend *b, enum ff_field field, const void *values)
{
    size_t count;
    float2 *to = whole_field(b, field, &count);
    ff_cuda_use(&b->calls);
    ff_cuda_await_taken(b, b->stream);
    if (to != NULL)
        copy_and_wait(b, to, values, count * sizeof *to, cudaMemcpyHostToDevice);
}

/* What cannot be read any more, since the device failed, is zero. */
void ff_cuda_get(struct ff_backend *b, enum ff_field field, void *values)
{
    size_t count;
    const float2 *from = whole_field(b, field, &count);
    ff_cuda_use(&b->calls);
    if (from != NULL)
        copy_and_wait(b, values, from, count * sizeof *from, cudaMemcpyDeviceToHost);
    if (from == NULL || b->calls.failed)
        memset(values, 0, count * sizeof *from);
}

static double *rows_of(const struct ff_backend *b, enum ff_field field, size_t *width)
{
    switch (field) {
    case FF_POSITIONS:
        *width = 2 * b->shape.fly;
        return b->positions;
    case FF_SCALES:
        *width = 1;
        return b->scales;
    default:
        *width = b->shape.eigenprobes;
        return b->weights;
    }
}

/* Floats of one pattern in FF_WAVES. */
static size_t wave_values(const struct ff_backend *b)
{
    return (size_t)b->shape.fly * b->shape.modes * b->shape.frame_rows * b->shape.frame_columns;
}

void ff_cuda_put_rows(struct ff_backend *b, enum ff_field field, size_t first, size_t count,
                      const void *values)
{
    if (field == FF_WAVES) {
        ff_cuda_use(&b->calls);
        copy_and_wait(b, b->kept + first * wave_values(b), values,
                      count * wave_values(b) * sizeof(float2), cudaMemcpyHostToDevice);
        return;
    }
    size_t width;
    double *rows = rows_of(b, field, &width);
    memcpy(rows + first * width, values, count * width * sizeof *rows);
    if (field == FF_POSITIONS)
        ff_keep_inside(b->tile, b->shape.rows, b->shape.columns, rows + first * width,
                       count * width);
    b->rows_changed = true;
}

void ff_cuda_get_rows(struct ff_backend *b, enum ff_field field, size_t first, size_t count,
                      void *values)
{
    if (field == FF_WAVES) {
        ff_cuda_use(&b->calls);
        copy_and_wait(b, values, b->kept + first * wave_values(b),
                      count * wave_values(b) * sizeof(float2), cudaMemcpyDeviceToHost);
        return;
    }
    size_t width;
    const double *rows = rows_of(b, field, &width);
    memcpy(values, rows + first * width, count * width * sizeof *rows);
}

void ff_cuda_get_terms(struct ff_backend *b, enum ff_terms terms, double *values)
{
    size_t size =
        b->patterns * ff_terms_width(terms, b->shape.fly, b->shape.eigenprobes) * sizeof *values;
    ff_cuda_use(&b->calls);
    ff_cuda_await_numbers(b);
    copy_and_wait(b, values, b->terms[terms], size, cudaMemcpyDeviceToHost);
    if (b->calls.failed)
        memset(values, 0, size);
}
