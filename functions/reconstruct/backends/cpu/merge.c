/*
 * Adds up the lanes' sums and finds the greatest weights.
 *
 * Lanes are added in their order, in each row of the object and in the probe, however many run at once: so the bits do
 * not depend on that. The first lane has added up in the sums of all; a row that no lane before has touched is copied.
 */
#include "functions/reconstruct/backends/cpu/sums.h"

#include <string.h>

static ff_real greatest(const ff_real *values, size_t count)
{
    ff_real most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

static struct sum_row row_of(const struct sums *sums, size_t row)
{
    size_t at = (row - sums->first_row) * sums->object.stride;
    return (struct sum_row){sums->object.re + at, sums->object.im + at, sums->weight + at};
}

struct sum_row ff_cpu_sum_row(const struct ff_backend *backend, size_t row)
{
    return backend->touched[row] ? row_of(&backend->sums, row) : (struct sum_row){NULL, NULL, NULL};
}

struct sum_row ff_cpu_claim_row(struct ff_backend *backend, size_t row)
{
    struct sum_row sums = row_of(&backend->sums, row);
    if (backend->touched[row])
        return sums;
    size_t size = backend->sums.object.stride * sizeof(ff_real);
    memset(sums.re, 0, size);
    memset(sums.im, 0, size);
    memset(sums.weight, 0, size);
    backend->touched[row] = true;
    backend->first_row = row < backend->first_row ? row : backend->first_row;
    backend->end_row = row + 1 > backend->end_row ? row + 1 : backend->end_row;
    return sums;
}

/* Weights only grow, so the greatest of the sums so far is never more than the greatest of all. */
static void add_object_row(struct ff_backend *backend, size_t row, ff_real *most)
{
    const struct ff_field_kernels *kernels = backend->kernels->field;
    size_t stride = backend->sums.object.stride;
    struct sum_row sums = row_of(&backend->sums, row);
    bool changed = false;
    for (unsigned i = backend->first_lane; i < backend->end_lane; i++) {
        const struct lane *lane = &backend->lanes[i];
        if (row < lane->first_row || row >= lane->end_row)
            continue;
        struct sum_row more = row_of(lane->sums, row);
        changed = true;
        if (lane->sums == &backend->sums) {
            backend->touched[row] = true;
        } else if (backend->touched[row]) {
            kernels->add(sums.re, more.re, stride);
            kernels->add(sums.im, more.im, stride);
            kernels->add(sums.weight, more.weight, stride);
        } else {
            memcpy(sums.re, more.re, stride * sizeof(ff_real));
            memcpy(sums.im, more.im, stride * sizeof(ff_real));
            memcpy(sums.weight, more.weight, stride * sizeof(ff_real));
            backend->touched[row] = true;
        }
    }
    ff_real here = changed ? kernels->greatest(sums.weight, stride) : 0;
    *most = here > *most ? here : *most;
}

static void add_probe_rows(struct ff_backend *backend, size_t from, size_t to, unsigned piece)
{
    const struct ff_field_kernels *kernels = backend->kernels->field;
    const struct sums *all = &backend->sums;
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (unsigned l = backend->first_lane; l < backend->end_lane; l++) {
        const struct sums *sums = backend->lanes[l].sums;
        for (size_t i = 0; sums != all && i < backend->probes; i++) {
            kernels->add(all->probe[i].re + at, sums->probe[i].re + at, count);
            kernels->add(all->probe[i].im + at, sums->probe[i].im + at, count);
        }
        for (size_t i = 0; sums != all && i < backend->powers; i++)
            kernels->add(all->power[i] + at, sums->power[i] + at, count);
    }
    for (size_t i = 0; i < backend->powers; i++) {
        ff_real most = 0;
        for (size_t row = from; row < to; row++) { /* what lies beyond the columns is no weight */
            ff_real here = greatest(all->power[i] + row * backend->width, backend->columns);
            most = here > most ? here : most;
        }
        backend->piece_probe[i * ROW_PIECES + piece] = most;
    }
}

/* The rows that the lanes at hand touched. */
static void find_span(const struct ff_backend *backend, size_t *first, size_t *end)
{
    *first = backend->tile.rows;
    *end = 0;
    for (unsigned i = backend->first_lane; i < backend->end_lane; i++) {
        const struct lane *lane = &backend->lanes[i];
        *first = lane->first_row < *first ? lane->first_row : *first;
        *end = lane->end_row > *end ? lane->end_row : *end;
    }
}

static void add_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    size_t from;
    size_t to;
    if (backend->want & FF_WANT_OBJECT) {
        find_span(backend, &from, &to);
        ff_cpu_rows_of(from, to, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            add_object_row(backend, row, &backend->piece_object[piece]);
    }
    if (backend->want & FF_WANT_PROBE) {
        ff_cpu_rows_of(0, backend->rows, piece, &from, &to);
        add_probe_rows(backend, from, to, piece);
    }
}

/* A device without a pattern in the batch has sums all the same: zeros. */
static void clear_probe(struct ff_backend *backend)
{
    size_t size = backend->rows * backend->width * sizeof(ff_real);
    for (size_t i = 0; i < backend->probes; i++) {
        memset(backend->sums.probe[i].re, 0, size);
        memset(backend->sums.probe[i].im, 0, size);
    }
    for (size_t i = 0; i < backend->powers; i++)
        memset(backend->sums.power[i], 0, size);
}

void ff_cpu_begin_merge(struct ff_backend *backend)
{
    memset(backend->touched, 0, backend->tile.rows * sizeof *backend->touched);
    memset(backend->piece_object, 0, sizeof backend->piece_object);
    memset(backend->piece_probe, 0, backend->powers * ROW_PIECES * sizeof *backend->piece_probe);
    backend->first_lane = 0;
    backend->end_lane = backend->lanes_used;
    find_span(backend, &backend->first_row, &backend->end_row);
    if (backend->lanes_used == 0) {
        clear_probe(backend);
        backend->first_row = backend->end_row = 0;
    }
}

void ff_cpu_merge(struct ff_backend *backend, unsigned from, unsigned to)
{
    backend->first_lane = from;
    backend->end_lane = to;
    ff_pool_run(backend->pool, add_piece, backend, ROW_PIECES);
}

void ff_cpu_end_merge(struct ff_backend *backend)
{
    backend->greatest_object = greatest(backend->piece_object, ROW_PIECES);
    for (size_t i = 0; (backend->want & FF_WANT_PROBE) && i < backend->powers; i++)
        backend->greatest_probe[i] = greatest(backend->piece_probe + i * ROW_PIECES, ROW_PIECES);
}
