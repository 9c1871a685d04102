/* The stages of a batch: each lane takes its patterns one after the other through all stages while
 * they are in cache. */
#include "functions/reconstruct/backends/cpu/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole and fractional part of a position, as the corner of the patch and the weights of its taps.
 */
struct place {
    size_t row, column;
    struct ff_taps taps;
};

static struct place place_of(const struct ff_problem *problem, uint32_t pattern)
{
    double row = problem->positions[2 * pattern];
    double column = problem->positions[2 * pattern + 1];
    float y = (float)(row - floor(row));
    float x = (float)(column - floor(column));
    return (struct place){(size_t)row, (size_t)column, {1 - x, x, 1 - y, y}};
}

static struct ff_planes planes_at(struct ff_planes planes, size_t row, size_t column)
{
    size_t at = row * planes.stride + column;
    return (struct ff_planes){planes.re + at, planes.im + at, planes.stride};
}

/* By row, and by index among equals, so that the order is the same everywhere. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const double *positions = context;
    uint32_t p = *(const uint32_t *)a;
    uint32_t q = *(const uint32_t *)b;
    if (positions[2 * p] != positions[2 * q])
        return positions[2 * p] < positions[2 * q] ? -1 : 1;
    return p < q ? -1 : p > q;
}

/* Gives each lane a contiguous part of the batch sorted by row, so that a lane touches few rows. */
static void share_out(struct ff_backend *backend, struct ff_batch batch)
{
    const struct ff_problem *problem = backend->problem;
    memcpy(backend->sorted, batch.patterns, batch.count * sizeof *backend->sorted);
    qsort_r(backend->sorted, batch.count, sizeof *backend->sorted, compare_rows,
            problem->positions);
    size_t used = batch.count < backend->lane_count ? batch.count : backend->lane_count;
    backend->lanes_used = (unsigned)used;
    for (size_t i = 0; i < used; i++) {
        struct lane *lane = &backend->lanes[i];
        lane->first = (uint32_t)(batch.count * i / used);
        lane->end = (uint32_t)(batch.count * (i + 1) / used);
        lane->first_row = (size_t)problem->positions[2 * backend->sorted[lane->first]];
        lane->end_row =
            (size_t)problem->positions[2 * backend->sorted[lane->end - 1]] + backend->rows + 1;
    }
    backend->first_row = backend->lanes[0].first_row;
    backend->end_row = used > 0 ? backend->lanes[used - 1].end_row : 0;
}

static void light_probe(struct ff_backend *backend)
{
    size_t stride = backend->workspaces[0].tile.stride;
    for (size_t r = 0; r < backend->rows; r++) {
        float *to = backend->light + r * stride;
        memset(to, 0, backend->columns * sizeof *to);
        for (size_t m = 0; m < backend->modes; m++) {
            const float *re = backend->probe[m].re + r * backend->width;
            const float *im = backend->probe[m].im + r * backend->width;
            for (size_t c = 0; c < backend->columns; c++)
                to[c] += re[c] * re[c] + im[c] * im[c];
        }
    }
}

static void clear_lane(const struct ff_backend *backend, struct lane *lane)
{
    lane->cost = 0;
    if (backend->cost_only)
        return;
    if (backend->want & FF_WANT_OBJECT) {
        size_t stride = lane->object_sum.stride;
        size_t from = lane->first_row * stride;
        size_t size = (lane->end_row - lane->first_row) * stride * sizeof(float);
        memset(lane->object_sum.re + from, 0, size);
        memset(lane->object_sum.im + from, 0, size);
        memset(lane->weight_sum + from, 0, size);
    }
    if (backend->want & FF_WANT_PROBE) {
        size_t size = backend->rows * backend->width * sizeof(float);
        memset(lane->power_sum, 0, size);
        for (size_t m = 0; m < backend->modes; m++) {
            memset(lane->probe_sum[m].re, 0, size);
            memset(lane->probe_sum[m].im, 0, size);
        }
    }
}

static struct ff_frame frame_of(const struct ff_backend *backend, uint32_t pattern)
{
    size_t at = (size_t)pattern * backend->rows * backend->columns;
    const struct ff_counts *all = &backend->problem->counts;
    struct ff_frame frame = {
        .counts = {all->u16 != NULL ? all->u16 + at : NULL,
                   all->f32 != NULL ? all->f32 + at : NULL},
        .weight = backend->weight,
        .rows = backend->rows,
        .columns = backend->columns,
        .width = backend->width,
    };
    return frame;
}

static void spread_gradients(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                             const struct place *place)
{
    const struct ff_kernels *kernels = backend->kernels;
    const struct ff_planes none = {NULL, NULL, 0};
    bool probe_wanted = (backend->want & FF_WANT_PROBE) != 0;
    for (size_t m = 0; m < backend->modes; m++) {
        ff_plan_inverse(backend->plan, space->waves[m]);
        kernels->terms(backend->probe[m], space->patch, space->waves[m], backend->wave_stride,
                       backend->rows, backend->width, m > 0, space->tile,
                       probe_wanted ? lane->probe_sum[m] : none);
    }
    if (backend->want & FF_WANT_OBJECT)
        kernels->scatter(space->tile, backend->light, place->taps, backend->rows, backend->columns,
                         planes_at(lane->object_sum, place->row, place->column),
                         lane->weight_sum + place->row * lane->object_sum.stride + place->column);
}

static void run_pattern(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                        uint32_t pattern)
{
    const struct ff_kernels *kernels = backend->kernels;
    const struct place place = place_of(backend->problem, pattern);
    const struct ff_frame frame = frame_of(backend, pattern);
    bool power_wanted = !backend->cost_only && (backend->want & FF_WANT_PROBE) != 0;
    kernels->gather(planes_at(backend->object, place.row, place.column), place.taps, backend->rows,
                    backend->width, space->patch, power_wanted ? lane->power_sum : NULL);
    for (size_t m = 0; m < backend->modes; m++) {
        kernels->exit_wave(backend->probe[m], space->patch, backend->rows, backend->width,
                           space->waves[m], backend->wave_stride);
        ff_plan_forward(backend->plan, space->waves[m]);
    }
    lane->cost += kernels->modulus(space->waves, backend->modes, backend->wave_stride, &frame,
                                   backend->cost_only);
    if (!backend->cost_only)
        spread_gradients(backend, lane, space, &place);
}

static void run_lane(void *context, unsigned piece, unsigned thread)
{
    struct ff_backend *backend = context;
    struct lane *lane = &backend->lanes[piece];
    clear_lane(backend, lane);
    for (uint32_t i = lane->first; i < lane->end; i++)
        run_pattern(backend, lane, &backend->workspaces[thread], backend->sorted[i]);
}

static void run_batch(struct ff_backend *backend, struct ff_batch batch)
{
    share_out(backend, batch);
    ff_pool_run(backend->pool, run_lane, backend, backend->lanes_used);
    for (unsigned i = 0; i < backend->lanes_used; i++)
        backend->cost += backend->lanes[i].cost;
}

void ff_cpu_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want)
{
    backend->want = want;
    backend->cost_only = false;
    light_probe(backend);
    run_batch(backend, batch);
}

void ff_cpu_cost(struct ff_backend *backend, struct ff_batch batch)
{
    backend->cost_only = true;
    run_batch(backend, batch);
}
