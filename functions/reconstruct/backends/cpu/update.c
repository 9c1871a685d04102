/* Adds the lanes' sums in the order of the lanes, finds the greatest weights, and takes the step.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include <string.h>

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

static void add_object_row(struct ff_backend *backend, size_t row)
{
    size_t stride = backend->object.stride;
    size_t at = row * stride;
    bool first = true;
    for (unsigned i = 0; i < backend->lanes_used; i++) {
        const struct lane *lane = &backend->lanes[i];
        if (row < lane->first_row || row >= lane->end_row)
            continue;
        if (first) {
            memcpy(backend->object_sum.re + at, lane->object_sum.re + at, stride * sizeof(float));
            memcpy(backend->object_sum.im + at, lane->object_sum.im + at, stride * sizeof(float));
            memcpy(backend->weight_sum + at, lane->weight_sum + at, stride * sizeof(float));
            first = false;
            continue;
        }
        backend->kernels->add(backend->object_sum.re + at, lane->object_sum.re + at, stride);
        backend->kernels->add(backend->object_sum.im + at, lane->object_sum.im + at, stride);
        backend->kernels->add(backend->weight_sum + at, lane->weight_sum + at, stride);
    }
    if (!first)
        return;
    /* Between two lanes there may be rows that no pattern reached. */
    memset(backend->object_sum.re + at, 0, stride * sizeof(float));
    memset(backend->object_sum.im + at, 0, stride * sizeof(float));
    memset(backend->weight_sum + at, 0, stride * sizeof(float));
}

static void add_plane_rows(struct ff_backend *backend, float *to, size_t from_row, size_t to_row,
                           float *(*plane)(struct lane *lane, size_t mode), size_t mode)
{
    size_t at = from_row * backend->width;
    size_t count = (to_row - from_row) * backend->width;
    memcpy(to + at, plane(&backend->lanes[0], mode) + at, count * sizeof(float));
    for (unsigned i = 1; i < backend->lanes_used; i++)
        backend->kernels->add(to + at, plane(&backend->lanes[i], mode) + at, count);
}

static float *probe_re(struct lane *lane, size_t mode)
{
    return lane->probe_sum[mode].re;
}

static float *probe_im(struct lane *lane, size_t mode)
{
    return lane->probe_sum[mode].im;
}

static float *power(struct lane *lane, size_t mode)
{
    (void)mode;
    return lane->power_sum;
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
        for (size_t row = from; row < to; row++) {
            add_object_row(backend, row);
            float most = greatest(backend->weight_sum + row * backend->object.stride,
                                  backend->object_columns);
            if (most > backend->piece_max[0][piece])
                backend->piece_max[0][piece] = most;
        }
    }
    if (backend->want & FF_WANT_PROBE) {
        piece_rows(0, backend->rows, piece, &from, &to);
        for (size_t m = 0; m < backend->modes; m++) {
            add_plane_rows(backend, backend->probe_sum[m].re, from, to, probe_re, m);
            add_plane_rows(backend, backend->probe_sum[m].im, from, to, probe_im, m);
        }
        add_plane_rows(backend, backend->power_sum, from, to, power, 0);
        for (size_t row = from; row < to; row++) {
            float most = greatest(backend->power_sum + row * backend->width, backend->columns);
            if (most > backend->piece_max[1][piece])
                backend->piece_max[1][piece] = most;
        }
    }
}

static void update_rows(struct ff_backend *backend, struct ff_planes value, struct ff_planes sum,
                        const float *weight, size_t from, size_t to, float step, float floor)
{
    size_t at = from * value.stride;
    size_t count = (to - from) * value.stride;
    float alpha = backend->step.alpha;
    backend->kernels->update(value.re + at, sum.re + at, weight + at, count, step, alpha, floor);
    backend->kernels->update(value.im + at, sum.im + at, weight + at, count, step, alpha, floor);
}

/* α max of the weights; above zero, so that what no pattern reached is divided by something. */
static float floor_of(const struct ff_backend *backend, unsigned which)
{
    float most = greatest(backend->piece_max[which], ROW_PIECES);
    float floor = backend->step.alpha * most;
    return floor > 1e-30f ? floor : 1e-30f;
}

static void step_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    size_t from;
    size_t to;
    if ((backend->want & FF_WANT_OBJECT) && backend->step.step_object != 0) {
        piece_rows(backend->first_row, backend->end_row, piece, &from, &to);
        update_rows(backend, backend->object, backend->object_sum, backend->weight_sum, from, to,
                    backend->step.step_object, floor_of(backend, 0));
    }
    if ((backend->want & FF_WANT_PROBE) && backend->step.step_probe != 0) {
        piece_rows(0, backend->rows, piece, &from, &to);
        for (size_t m = 0; m < backend->modes; m++)
            update_rows(backend, backend->probe[m], backend->probe_sum[m], backend->power_sum, from,
                        to, backend->step.step_probe, floor_of(backend, 1));
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
