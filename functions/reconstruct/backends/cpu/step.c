/* Steps in object and probe with settled sums. */
#include "functions/reconstruct/backends/cpu/sums.h"

/* What the pieces of a step share. */
struct step {
    struct ff_backend *backend;
    const struct ff_update *update;
    double sums[ROW_PIECES][4]; /* of lengths() */
};

void ff_cpu_rows_of(size_t first, size_t end, unsigned piece, size_t *from, size_t *to)
{
    *from = first + (end - first) * piece / ROW_PIECES;
    *to = first + (end - first) * (piece + 1) / ROW_PIECES;
}

/* The floor is above zero, so that what no pattern reached is divided by something. */
static struct ff_divisor divisor_of(double alpha, ff_real greatest)
{
    ff_real floor = (ff_real)alpha * greatest;
    return (struct ff_divisor){1 - (ff_real)alpha, floor > (ff_real)1e-30 ? floor : (ff_real)1e-30};
}

static struct ff_divisor object_divisor(const struct step *step)
{
    return step->update->normalised
               ? (struct ff_divisor){0, 1}
               : divisor_of(step->update->alpha_object, step->backend->greatest_object);
}

static struct ff_divisor probe_divisor(const struct step *step, size_t probe)
{
    const struct ff_backend *backend = step->backend;
    return step->update->normalised
               ? (struct ff_divisor){0, 1}
               : divisor_of(step->update->alpha_probe,
                            backend->greatest_probe[ff_cpu_power_of(backend, probe)]);
}

static void step_object_row(const struct step *step, size_t row)
{
    struct ff_backend *backend = step->backend;
    const struct ff_field_kernels *kernels = backend->kernels->field;
    const struct sum_row sums = ff_cpu_sum_row(backend, row);
    if (sums.re == NULL)
        return;
    ff_real length = (ff_real)step->update->step_object;
    struct ff_divisor divisor = object_divisor(step);
    size_t stride = backend->object[0].stride;
    size_t at = row * stride;
    kernels->update(backend->object[0].re + at, sums.re, sums.weight, stride, length, divisor);
    kernels->update(backend->object[0].im + at, sums.im, sums.weight, stride, length, divisor);
}

/* A row that the batch did not touch goes on by its velocity. */
static void accelerate_object_row(const struct step *step, size_t row)
{
    struct ff_backend *backend = step->backend;
    const struct ff_field_kernels *kernels = backend->kernels->field;
    struct sum_row sums = ff_cpu_sum_row(backend, row);
    struct ff_divisor divisor = object_divisor(step);
    ff_real momentum = (ff_real)step->update->momentum;
    ff_real length = (ff_real)step->update->step_object;
    size_t stride = backend->object[0].stride;
    size_t at = row * stride;
    struct ff_planes velocity = backend->object[FF_OBJECT_VELOCITY - FF_OBJECT];
    if (sums.re == NULL) {
        length = 0;
        sums = (struct sum_row){velocity.re + at, velocity.im + at, NULL};
    }
    kernels->accelerate(backend->object[0].re + at, velocity.re + at, sums.re, sums.weight, stride,
                        length, momentum, divisor);
    kernels->accelerate(backend->object[0].im + at, velocity.im + at, sums.im, sums.weight, stride,
                        length, momentum, divisor);
}

static void step_probe_rows(const struct step *step, size_t from, size_t to)
{
    struct ff_backend *backend = step->backend;
    const struct ff_field_kernels *kernels = backend->kernels->field;
    const struct sums *sums = &backend->sums;
    ff_real length = (ff_real)step->update->step_probe;
    ff_real momentum = (ff_real)step->update->momentum;
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (size_t i = 0; i < backend->probes; i++) {
        const ff_real *weight = sums->power[ff_cpu_power_of(backend, i)] + at;
        struct ff_divisor divisor = probe_divisor(step, i);
        struct ff_planes probe = backend->probe[0][i];
        struct ff_planes sum = sums->probe[i];
        if (momentum > 0) {
            struct ff_planes velocity = backend->probe[FF_PROBE_VELOCITY - FF_PROBE][i];
            kernels->accelerate(probe.re + at, velocity.re + at, sum.re + at, weight, count, length,
                                momentum, divisor);
            kernels->accelerate(probe.im + at, velocity.im + at, sum.im + at, weight, count, length,
                                momentum, divisor);
        } else {
            kernels->update(probe.re + at, sum.re + at, weight, count, length, divisor);
            kernels->update(probe.im + at, sum.im + at, weight, count, length, divisor);
        }
    }
}

static void update_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    const struct step *step = context;
    const struct ff_backend *backend = step->backend;
    size_t from;
    size_t to;
    if ((backend->want & FF_WANT_OBJECT) && step->update->step_object > 0) {
        bool momentum = step->update->momentum > 0;
        ff_cpu_rows_of(momentum ? 0 : backend->first_row,
                       momentum ? backend->tile.rows : backend->end_row, piece, &from, &to);
        for (size_t row = from; row < to; row++) {
            if (momentum)
                accelerate_object_row(step, row);
            else
                step_object_row(step, row);
        }
    }
    if ((backend->want & FF_WANT_PROBE) && step->update->step_probe > 0) {
        ff_cpu_rows_of(0, backend->rows, piece, &from, &to);
        step_probe_rows(step, from, to);
    }
}

void ff_cpu_update(struct ff_backend *backend, const struct ff_update *update)
{
    struct step step = {.backend = backend, .update = update};
    ff_pool_run(backend->pool, update_piece, &step, ROW_PIECES);
}

/* Of the part of a row, given in the tile, that this device counts. */
static void add_object_lengths(struct step *step, size_t row, double sums[2])
{
    struct ff_backend *backend = step->backend;
    const struct sum_row row_sums = ff_cpu_sum_row(backend, row);
    struct ff_divisor divisor = object_divisor(step);
    for (size_t i = 0; row_sums.re != NULL && i < backend->owned_count; i++) {
        const struct ff_area *owned = &backend->owned[i];
        size_t in_object = row + backend->tile.row;
        if (in_object < owned->row || in_object >= owned->row + owned->rows)
            continue;
        size_t at = owned->column - backend->tile.column;
        backend->kernels->field->lengths(row_sums.re + at, row_sums.im + at, row_sums.weight + at,
                                         owned->columns, divisor, sums);
    }
}

static void add_probe_lengths(struct step *step, size_t row, double sums[2])
{
    struct ff_backend *backend = step->backend;
    const struct sums *all = &backend->sums;
    size_t at = row * backend->width;
    for (size_t i = 0; i < backend->probes; i++)
        backend->kernels->field->lengths(all->probe[i].re + at, all->probe[i].im + at,
                                         all->power[ff_cpu_power_of(backend, i)] + at,
                                         backend->columns, probe_divisor(step, i), sums);
}

static void lengths_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct step *step = context;
    const struct ff_backend *backend = step->backend;
    size_t from;
    size_t to;
    if (backend->want & FF_WANT_OBJECT) {
        ff_cpu_rows_of(backend->first_row, backend->end_row, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            add_object_lengths(step, row, step->sums[piece]);
    }
    if (backend->want & FF_WANT_PROBE) {
        ff_cpu_rows_of(0, backend->rows, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            add_probe_lengths(step, row, step->sums[piece] + 2);
    }
}

struct ff_length_terms ff_cpu_lengths(struct ff_backend *backend, const struct ff_update *update)
{
    struct step step = {.backend = backend, .update = update};
    struct ff_length_terms terms = {0, 0, 0, 0};
    ff_pool_run(backend->pool, lengths_piece, &step, ROW_PIECES);
    for (unsigned i = 0; i < ROW_PIECES; i++) {
        terms.object_slope += step.sums[i][0];
        terms.object_curve += step.sums[i][1];
        terms.probe_slope += step.sums[i][2];
        terms.probe_curve += step.sums[i][3];
    }
    return terms;
}

static void normalise_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    const struct step *step = context;
    struct ff_backend *backend = step->backend;
    const struct ff_field_kernels *kernels = backend->kernels->field;
    size_t from;
    size_t to;
    ff_cpu_rows_of(backend->first_row, backend->end_row, piece, &from, &to);
    for (size_t row = from; (backend->want & FF_WANT_OBJECT) && row < to; row++) {
        const struct sum_row sums = ff_cpu_sum_row(backend, row);
        if (sums.re == NULL)
            continue;
        size_t stride = backend->object[0].stride;
        kernels->normalise(sums.re, sums.re, sums.weight, stride, object_divisor(step));
        kernels->normalise(sums.im, sums.im, sums.weight, stride, object_divisor(step));
    }
    ff_cpu_rows_of(0, backend->rows, piece, &from, &to);
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (size_t i = 0; (backend->want & FF_WANT_PROBE) && i < backend->probes; i++) {
        struct ff_planes sum = backend->sums.probe[i];
        const ff_real *weight = backend->sums.power[ff_cpu_power_of(backend, i)] + at;
        kernels->normalise(sum.re + at, sum.re + at, weight, count, probe_divisor(step, i));
        kernels->normalise(sum.im + at, sum.im + at, weight, count, probe_divisor(step, i));
    }
}

void ff_cpu_normalise(struct ff_backend *backend, const struct ff_update *update)
{
    struct step step = {.backend = backend, .update = update};
    ff_pool_run(backend->pool, normalise_piece, &step, ROW_PIECES);
}
