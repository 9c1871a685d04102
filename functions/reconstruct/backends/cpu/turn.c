/*
 * Turns of conjugate gradients, preconditioned by the illumination: z = N / √(X² + (α max X)²), X = W or V;
 * of an eigenprobe so many times that as there are eigenprobes.
 */
#include "functions/reconstruct/backends/cpu/sums.h"

#include <string.h>

struct turn {
    struct ff_backend *backend;
    enum ff_part part;
    double alpha, beta;
    double sums[ROW_PIECES][3]; /* of turn_terms() */
};

static ff_real floor_of(const struct turn *turn, ff_real greatest)
{
    return (ff_real)turn->alpha * greatest;
}

/* A row of the object from column `at` on; weight NULL where N is zero, since no pattern touched it. */
static struct ff_turn_rows object_rows(const struct ff_backend *backend, size_t row, size_t at)
{
    const struct sum_row sums = ff_cpu_sum_row(backend, row);
    const struct ff_planes *last = &backend->object[FF_OBJECT_GRADIENT - FF_OBJECT];
    const struct ff_planes *direction = &backend->object[FF_OBJECT_DIRECTION - FF_OBJECT];
    size_t start = row * last->stride + at;
    bool touched = sums.re != NULL;
    return (struct ff_turn_rows){
        .now_re = touched ? sums.re + at : NULL,
        .now_im = touched ? sums.im + at : NULL,
        .last_re = last->re + start,
        .last_im = last->im + start,
        .direction_re = direction->re + start,
        .direction_im = direction->im + start,
        .weight = touched ? sums.weight + at : NULL,
        .gain = 1,
    };
}

static struct ff_turn_rows probe_rows(const struct ff_backend *backend, size_t i, size_t row)
{
    const struct sums *sums = &backend->sums;
    const struct ff_planes *last = &backend->probe[FF_PROBE_GRADIENT - FF_PROBE][i];
    const struct ff_planes *direction = &backend->probe[FF_PROBE_DIRECTION - FF_PROBE][i];
    size_t at = row * backend->width;
    return (struct ff_turn_rows){
        .now_re = sums->probe[i].re + at,
        .now_im = sums->probe[i].im + at,
        .last_re = last->re + at,
        .last_im = last->im + at,
        .direction_re = direction->re + at,
        .direction_im = direction->im + at,
        .weight = sums->power[ff_cpu_power_of(backend, i)] + at,
        .gain = i < backend->modes ? 1 : (ff_real)backend->eigenprobes,
    };
}

static ff_real probe_floor(const struct turn *turn, size_t i)
{
    const struct ff_backend *backend = turn->backend;
    return floor_of(turn, backend->greatest_probe[ff_cpu_power_of(backend, i)]);
}

/* All products with N vanish where it is zero. */
static void add_object_terms(const struct turn *turn, size_t row, double sums[3])
{
    const struct ff_backend *backend = turn->backend;
    size_t in_object = row + backend->tile.row;
    for (size_t i = 0; i < backend->owned_count; i++) {
        const struct ff_area *owned = &backend->owned[i];
        if (in_object < owned->row || in_object >= owned->row + owned->rows)
            continue;
        struct ff_turn_rows rows = object_rows(backend, row, owned->column - backend->tile.column);
        if (rows.weight != NULL)
            backend->kernels->field->turn_terms(&rows, owned->columns,
                                                floor_of(turn, backend->greatest_object), sums);
    }
}

static void terms_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct turn *turn = context;
    const struct ff_backend *backend = turn->backend;
    bool of_object = turn->part == FF_PART_OBJECT;
    size_t from;
    size_t to;
    ff_cpu_rows_of(0, of_object ? backend->tile.rows : backend->rows, piece, &from, &to);
    for (size_t row = from; row < to; row++) {
        if (of_object)
            add_object_terms(turn, row, turn->sums[piece]);
        for (size_t i = 0; !of_object && i < backend->probes; i++) {
            struct ff_turn_rows rows = probe_rows(backend, i, row);
            backend->kernels->field->turn_terms(&rows, backend->columns, probe_floor(turn, i),
                                                turn->sums[piece]);
        }
    }
}

struct ff_turn_terms ff_cpu_turn_terms(struct ff_backend *backend, enum ff_part part, double alpha)
{
    struct turn turn = {.backend = backend, .part = part, .alpha = alpha};
    struct ff_turn_terms terms = {0, 0, 0};
    ff_pool_run(backend->pool, terms_piece, &turn, ROW_PIECES);
    for (unsigned i = 0; i < ROW_PIECES; i++) {
        terms.zg += turn.sums[i][0];
        terms.z_last += turn.sums[i][1];
        terms.dg += turn.sums[i][2];
    }
    return terms;
}

static void turn_object_row(const struct turn *turn, size_t row)
{
    const struct ff_backend *backend = turn->backend;
    struct ff_turn_rows rows = object_rows(backend, row, 0);
    size_t stride = backend->object[0].stride;
    if (rows.weight != NULL) {
        backend->kernels->field->turn(&rows, stride, floor_of(turn, backend->greatest_object),
                                      (ff_real)turn->beta);
        return;
    }
    for (size_t i = 0; i < stride; i++) {
        rows.direction_re[i] *= (ff_real)turn->beta;
        rows.direction_im[i] *= (ff_real)turn->beta;
    }
    memset(rows.last_re, 0, stride * sizeof(ff_real));
    memset(rows.last_im, 0, stride * sizeof(ff_real));
}

static void turn_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct turn *turn = context;
    const struct ff_backend *backend = turn->backend;
    bool of_object = turn->part == FF_PART_OBJECT;
    size_t from;
    size_t to;
    ff_cpu_rows_of(0, of_object ? backend->tile.rows : backend->rows, piece, &from, &to);
    for (size_t row = from; row < to; row++) {
        if (of_object)
            turn_object_row(turn, row);
        for (size_t i = 0; !of_object && i < backend->probes; i++) {
            struct ff_turn_rows rows = probe_rows(backend, i, row);
            backend->kernels->field->turn(&rows, backend->width, probe_floor(turn, i),
                                          (ff_real)turn->beta);
        }
    }
}

void ff_cpu_turn(struct ff_backend *backend, enum ff_part part, double alpha, double beta)
{
    struct turn turn = {.backend = backend, .part = part, .alpha = alpha, .beta = beta};
    ff_pool_run(backend->pool, turn_piece, &turn, ROW_PIECES);
}
