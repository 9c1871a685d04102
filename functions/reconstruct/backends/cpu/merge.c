/*
 * Adds up the lanes' sums and finds the greatest weights.
 *
 * A row of the object that one lane touched is used where that lane summed it; where several did, the later ones are
 * added to the first one's, in the order of the lanes. The probe's sums are all added to those of lane 0.
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

static struct sum_row row_of(const struct lane *lane, size_t row)
{
    size_t at = row * lane->object_sum.stride;
    return (struct sum_row){lane->object_sum.re + at, lane->object_sum.im + at,
                            lane->weight_sum + at};
}

struct sum_row ff_cpu_sum_row(const struct ff_backend *backend, size_t row)
{
    unsigned char owner = backend->owner[row];
    return owner == NO_LANE ? (struct sum_row){NULL, NULL, NULL}
                            : row_of(&backend->lanes[owner], row);
}

struct sum_row ff_cpu_claim_row(struct ff_backend *backend, size_t row)
{
    if (backend->owner[row] != NO_LANE)
        return ff_cpu_sum_row(backend, row);
    size_t size = backend->object[0].stride * sizeof(ff_real);
    struct sum_row sums = row_of(&backend->lanes[0], row);
    memset(sums.re, 0, size);
    memset(sums.im, 0, size);
    memset(sums.weight, 0, size);
    backend->owner[row] = 0;
    backend->first_row = row < backend->first_row ? row : backend->first_row;
    backend->end_row = row + 1 > backend->end_row ? row + 1 : backend->end_row;
    return sums;
}

static void add_object_row(struct ff_backend *backend, size_t row, ff_real *most)
{
    const struct ff_field_kernels *kernels = backend->kernels->field;
    struct sum_row sums = ff_cpu_sum_row(backend, row);
    size_t stride = backend->object[0].stride;
    if (sums.re == NULL)
        return;
    for (unsigned i = backend->owner[row] + 1u; i < backend->sum_lanes; i++) {
        const struct lane *lane = &backend->lanes[i];
        if (row < lane->first_row || row >= lane->end_row)
            continue;
        struct sum_row more = row_of(lane, row);
        kernels->add(sums.re, more.re, stride);
        kernels->add(sums.im, more.im, stride);
        kernels->add(sums.weight, more.weight, stride);
    }
    ff_real here = kernels->greatest(sums.weight, stride);
    *most = here > *most ? here : *most;
}

static void add_probe_rows(struct ff_backend *backend, size_t from, size_t to, unsigned piece)
{
    const struct ff_field_kernels *kernels = backend->kernels->field;
    struct lane *first = &backend->lanes[0];
    size_t at = from * backend->width;
    size_t count = (to - from) * backend->width;
    for (unsigned l = 1; l < backend->sum_lanes; l++) {
        const struct lane *lane = &backend->lanes[l];
        for (size_t i = 0; i < backend->probes; i++) {
            kernels->add(first->probe_sum[i].re + at, lane->probe_sum[i].re + at, count);
            kernels->add(first->probe_sum[i].im + at, lane->probe_sum[i].im + at, count);
        }
        for (size_t i = 0; i < backend->powers; i++)
            kernels->add(first->power_sum[i] + at, lane->power_sum[i] + at, count);
    }
    for (size_t i = 0; i < backend->powers; i++) {
        ff_real most = 0;
        for (size_t row = from; row < to; row++) { /* what lies beyond the columns is no weight */
            ff_real here = greatest(first->power_sum[i] + row * backend->width, backend->columns);
            most = here > most ? here : most;
        }
        backend->piece_probe[i * ROW_PIECES + piece] = most;
    }
}

static void add_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    size_t from;
    size_t to;
    backend->piece_object[piece] = 0;
    if (backend->want & FF_WANT_OBJECT) {
        ff_cpu_rows_of(backend->first_row, backend->end_row, piece, &from, &to);
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
        memset(backend->lanes[0].probe_sum[i].re, 0, size);
        memset(backend->lanes[0].probe_sum[i].im, 0, size);
    }
    for (size_t i = 0; i < backend->powers; i++)
        memset(backend->lanes[0].power_sum[i], 0, size);
}

void ff_cpu_merge(struct ff_backend *backend)
{
    if (backend->sum_lanes == 0) {
        clear_probe(backend);
        backend->first_row = backend->end_row = 0;
    }
    ff_pool_run(backend->pool, add_piece, backend, ROW_PIECES);
    backend->greatest_object = greatest(backend->piece_object, ROW_PIECES);
    for (size_t i = 0; (backend->want & FF_WANT_PROBE) && i < backend->powers; i++)
        backend->greatest_probe[i] = greatest(backend->piece_probe + i * ROW_PIECES, ROW_PIECES);
}
