/* The lanes of a batch: each takes its patterns one after the other through all stages while they are in cache. */
#include "functions/reconstruct/backends/cpu/state.h"

#include <stdlib.h>
#include <string.h>

/* By row, and by place among equals, so that the order is the same everywhere. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const struct ff_backend *backend = context;
    uint32_t p = *(const uint32_t *)a;
    uint32_t q = *(const uint32_t *)b;
    double row_of_p = backend->positions[2 * backend->fly * p];
    double row_of_q = backend->positions[2 * backend->fly * q];
    if (row_of_p < row_of_q || row_of_p > row_of_q)
        return row_of_p < row_of_q ? -1 : 1;
    return p < q ? -1 : p > q;
}

/* Gives each lane a contiguous part of the batch sorted by row, so that a lane touches few rows. */
static void share_out(struct ff_backend *backend, struct ff_batch batch)
{
    memcpy(backend->sorted, batch.patterns, batch.count * sizeof *backend->sorted);
    qsort_r(backend->sorted, batch.count, sizeof *backend->sorted, compare_rows, backend);
    size_t used = batch.count < backend->lane_count ? batch.count : backend->lane_count;
    backend->batch_count = batch.count;
    backend->lanes_used = (unsigned)used;
    for (size_t i = 0; i < used; i++) {
        backend->lanes[i].first = (uint32_t)(batch.count * i / used);
        backend->lanes[i].end = (uint32_t)(batch.count * (i + 1) / used);
    }
}

/* The rows of the tile that a lane's patterns touch. */
static void find_rows(const struct ff_backend *backend, struct lane *lane)
{
    lane->first_row = backend->tile.rows;
    lane->end_row = 0;
    for (uint32_t i = lane->first; i < lane->end; i++) {
        const double *positions = backend->positions + 2 * backend->fly * backend->sorted[i];
        for (size_t k = 0; k < backend->fly; k++) {
            size_t row = (size_t)positions[2 * k] - backend->tile.row;
            lane->first_row = row < lane->first_row ? row : lane->first_row;
            size_t end = row + backend->rows + 1;
            lane->end_row = end > lane->end_row ? end : lane->end_row;
        }
    }
}

/* The first lane adds up in the sums of all, the others beside them until they are merged. */
static void give_sums(struct ff_backend *backend)
{
    for (unsigned i = 0; i < backend->lanes_used; i++) {
        struct lane *lane = &backend->lanes[i];
        lane->sums = i == 0 ? &backend->sums : &backend->beside[(i - 1) % backend->wave];
        find_rows(backend, lane);
    }
}

static void clear_sums(const struct ff_backend *backend, const struct lane *lane)
{
    const struct sums *sums = lane->sums;
    if (backend->want & FF_WANT_OBJECT) {
        size_t stride = sums->object.stride;
        size_t from = (lane->first_row - sums->first_row) * stride;
        size_t size = (lane->end_row - lane->first_row) * stride * sizeof(ff_real);
        memset(sums->object.re + from, 0, size);
        memset(sums->object.im + from, 0, size);
        memset(sums->weight + from, 0, size);
    }
    if (backend->want & FF_WANT_PROBE) {
        size_t size = backend->rows * backend->width * sizeof(ff_real);
        for (size_t i = 0; i < backend->powers; i++)
            memset(sums->power[i], 0, size);
        for (size_t i = 0; i < backend->probes; i++) {
            memset(sums->probe[i].re, 0, size);
            memset(sums->probe[i].im, 0, size);
            if (sums->spectrum != NULL)
                memset(sums->spectrum[i].values, 0,
                       2 * backend->rows * backend->shift_stride * sizeof(ff_real));
        }
    }
}

static void run_lane(void *context, unsigned piece, unsigned thread)
{
    struct ff_backend *backend = context;
    struct lane *lane = &backend->lanes[backend->first_lane + piece];
    lane->cost = (struct ff_cost){0, 0};
    lane->line = (struct ff_line_terms){0, 0, 0, 0};
    if (backend->summing) {
        if (lane->sums != &backend->sums)
            lane->sums->first_row = lane->first_row;
        clear_sums(backend, lane);
    }
    for (uint32_t i = lane->first; i < lane->end; i++)
        backend->work(backend, lane, &backend->workspaces[thread], backend->sorted[i], i);
    if (backend->summing && (backend->want & FF_WANT_PROBE) && lane->sums->spectrum != NULL)
        ff_cpu_leave_spectra(backend, &backend->workspaces[thread], lane);
}

/* Lanes [from, to). */
static void run_lanes(struct ff_backend *backend, unsigned from, unsigned to)
{
    backend->first_lane = from;
    ff_pool_run(backend->pool, run_lane, backend, to - from);
    for (unsigned i = from; i < to; i++) {
        backend->cost.amplitude += backend->lanes[i].cost.amplitude;
        backend->cost.objective += backend->lanes[i].cost.objective;
    }
}

static void begin(struct ff_backend *backend, struct ff_batch batch, pattern_work *work)
{
    share_out(backend, batch);
    backend->work = work;
    if (backend->spectra != NULL)
        ff_cpu_find_spectra(backend);
}

void ff_cpu_run(struct ff_backend *backend, struct ff_batch batch, pattern_work *work)
{
    begin(backend, batch, work);
    backend->summing = false;
    run_lanes(backend, 0, backend->lanes_used);
}

void ff_cpu_sum(struct ff_backend *backend, struct ff_batch batch, unsigned want,
                pattern_work *work)
{
    begin(backend, batch, work);
    give_sums(backend);
    backend->want = want;
    backend->summing = true;
    if (want & FF_WANT_EXIT)
        ff_cpu_place_exits(backend);
    ff_cpu_begin_merge(backend);
    for (unsigned from = 0; from < backend->lanes_used; from += backend->wave) {
        unsigned left = backend->lanes_used - from;
        unsigned to = from + (left < backend->wave ? left : backend->wave);
        run_lanes(backend, from, to);
        ff_cpu_merge(backend, from, to);
    }
    ff_cpu_end_merge(backend);
}
