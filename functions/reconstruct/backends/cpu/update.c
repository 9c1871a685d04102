/*
 * Adds up the lanes' sums, finds the greatest weights, and takes the step.
 *
 * A row of the object that one lane touched is used where that lane summed it; where several did,
 * the later ones are added to the first one's, in the order of the lanes. The probe's sums are all
 * added to those of lane 0.
 */
#include "functions/reconstruct/backends/cpu/state.h"

/* Rows [*from, *to) of piece `piece` of the rows between first and end. */
static void piece_rows(size_t first, size_t end, unsigned piece, size_t *from, size_t *to)
{
    *from = first + (end - first) * piece / ROW_PIECES;
    *to = first + (end - first) * (piece + 1) / ROW_PIECES;
}

static float greatest(const float *values, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

static bool touched(const struct lane *lane, size_t row)
{
    return row >= lane->first_row && row < lane->end_row;
}

/* The first lane that touched a row, or NULL. */
static struct lane *owner_of(struct ff_backend *backend, size_t row)
{
    for (unsigned i = 0; i < backend->lanes_used; i++)
        if (touched(&backend->lanes[i], row))
            return &backend->lanes[i];
    return NULL;
}

static void add_object_row(struct ff_backend *backend, size_t row, float *most)
{
    struct lane *owner = owner_of(backend, row);
    if (owner == NULL)
        return;
    size_t stride = backend->object.stride;
    size_t at = row * stride;
    for (struct lane *lane = owner + 1; lane < backend->lanes + backend->lanes_used; lane++) {
        if (!touched(lane, row))
            continue;
        backend->kernels->add(owner->object_sum.re + at, lane->object_sum.re + at, stride);
        backend->kernels->add(owner->object_sum.im + at, lane->object_sum.im + at, stride);
        backend->kernels->add(owner->weight_sum + at, lane->weight_sum + at, stride);
    }
    float here = backend->kernels->greatest(owner->weight_sum + at, stride);
    *most = here > *most ? here : *most;
}

static void add_probe_rows(struct ff_backend *backend, size_t from, size_t to, float *most)
{
    struct lane *first = &backend->lanes[0];
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (struct lane *lane = first + 1; lane < backend->lanes + backend->lanes_used; lane++) {
        for (size_t m = 0; m < backend->modes; m++) {
            backend->kernels->add(first->probe_sum[m].re + at, lane->probe_sum[m].re + at, count);
            backend->kernels->add(first->probe_sum[m].im + at, lane->probe_sum[m].im + at, count);
        }
        backend->kernels->add(first->power_sum + at, lane->power_sum + at, count);
    }
    for (size_t row = from; row < to; row++) { /* what lies beyond the columns is no weight */
        float here = greatest(first->power_sum + row * backend->width, backend->columns);
        *most = here > *most ? here : *most;
    }
}

static void add_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    size_t from;
    size_t to;
    backend->piece_max[0][piece] = backend->piece_max[1][piece] = 0;
    if (backend->want & FF_WANT_OBJECT) {
        piece_rows(backend->first_row, backend->end_row, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            add_object_row(backend, row, &backend->piece_max[0][piece]);
    }
    if (backend->want & FF_WANT_PROBE) {
        piece_rows(0, backend->rows, piece, &from, &to);
        add_probe_rows(backend, from, to, &backend->piece_max[1][piece]);
    }
}

/* α max of the weights; above zero, so that what no pattern reached is divided by something. */
static float floor_of(const struct ff_backend *backend, unsigned which)
{
    float floor = backend->step.alpha * greatest(backend->piece_max[which], ROW_PIECES);
    return floor > 1e-30f ? floor : 1e-30f;
}

static void step_object_row(struct ff_backend *backend, size_t row, float floor)
{
    const struct lane *owner = owner_of(backend, row);
    if (owner == NULL)
        return;
    const struct ff_backend_step *step = &backend->step;
    size_t stride = backend->object.stride;
    size_t at = row * stride;
    backend->kernels->update(backend->object.re + at, owner->object_sum.re + at,
                             owner->weight_sum + at, stride, step->step_object, step->alpha, floor);
    backend->kernels->update(backend->object.im + at, owner->object_sum.im + at,
                             owner->weight_sum + at, stride, step->step_object, step->alpha, floor);
}

static void step_probe_rows(struct ff_backend *backend, size_t from, size_t to, float floor)
{
    const struct ff_backend_step *step = &backend->step;
    const struct lane *sums = &backend->lanes[0];
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (size_t m = 0; m < backend->modes; m++) {
        backend->kernels->update(backend->probe[m].re + at, sums->probe_sum[m].re + at,
                                 sums->power_sum + at, count, step->step_probe, step->alpha, floor);
        backend->kernels->update(backend->probe[m].im + at, sums->probe_sum[m].im + at,
                                 sums->power_sum + at, count, step->step_probe, step->alpha, floor);
    }
}

static void step_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    size_t from;
    size_t to;
    if ((backend->want & FF_WANT_OBJECT) && backend->step.step_object > 0) {
        piece_rows(backend->first_row, backend->end_row, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            step_object_row(backend, row, floor_of(backend, 0));
    }
    if ((backend->want & FF_WANT_PROBE) && backend->step.step_probe > 0) {
        piece_rows(0, backend->rows, piece, &from, &to);
        step_probe_rows(backend, from, to, floor_of(backend, 1));
    }
}

void ff_cpu_update(struct ff_backend *backend, struct ff_backend_step step)
{
    if (backend->lanes_used == 0)
        return;
    backend->step = step;
    ff_pool_run(backend->pool, add_piece, backend, ROW_PIECES);
    ff_pool_run(backend->pool, step_piece, backend, ROW_PIECES);
}
