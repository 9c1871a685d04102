/*
 * The exchange between CPU devices: settle() forms whole sums beside the partial ones, from which all
 * others read at the same time, and spread() puts them in place.
 *
 * Where tiles overlap, every device adds the sums of all that share a pixel in the order of their
 * numbers, so all form the same bits. The probe's sums are cut by rows: each device adds its share
 * of rows over all devices, then all take the shares. So nobody reads more than the overlaps once,
 * and the probe's sums twice.
 */
#include "functions/reconstruct/backends/cpu/sums.h"
#include "functions/reconstruct/backends/regions.h"

#include <string.h>

enum { REGION_PLANES = 3 }; /* of the sums: real and imaginary part of N_O, and W */

struct region {
    const struct ff_region *shared;
    ff_real *sums; /* (rows, REGION_PLANES, columns): of all sharers, beside those of this device */
    bool *touched; /* (rows): by a pattern of any sharer */
};

struct ff_exchange {
    struct ff_regions shared;
    struct region *regions;          /* (shared.count) */
    struct ff_backend *const *peers; /* while at work */
    size_t first_row, end_row;       /* of the probe: this device's share */
    size_t planes;                   /* of the probe's sums */
    ff_real *probe;                  /* (planes, rows of the share, columns) */
    ff_real piece_object[ROW_PIECES];
    ff_real *piece_probe;  /* (ROW_PIECES, powers) */
    ff_real object;        /* max W of the tile */
    ff_real *probe_maxima; /* (powers): of the share */
};

static void add(ff_real *to, const ff_real *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

static ff_real larger(ff_real a, ff_real b)
{
    return a > b ? a : b;
}

static ff_real greatest(const ff_real *values, size_t count)
{
    ff_real most = 0;
    for (size_t i = 0; i < count; i++)
        most = larger(most, values[i]);
    return most;
}

/* The rows of the probe that a device adds up. */
static void share_of(const struct ff_backend *backend, unsigned number, size_t *first, size_t *end)
{
    *first = backend->rows * number / backend->count;
    *end = backend->rows * (number + 1) / backend->count;
}

static int make_regions(struct ff_backend *backend, struct ff_error *error)
{
    static const char what[] = "the overlaps with other devices";
    struct ff_exchange *exchange = backend->exchange;
    struct ff_regions *shared = &exchange->shared;
    if (ff_regions_create(backend->links, backend->link_count, backend->number, shared, error) < 0)
        return -1;
    exchange->regions =
        ff_cpu_block(backend, shared->count, sizeof *exchange->regions, what, error);
    ff_real *sums =
        ff_cpu_block(backend, shared->pixels * REGION_PLANES, sizeof *sums, what, error);
    bool *touched = ff_cpu_block(backend, shared->rows, sizeof *touched, what, error);
    if (exchange->regions == NULL || sums == NULL || touched == NULL)
        return -1;
    backend->bytes += shared->bytes;
    for (size_t i = 0; i < shared->count; i++) {
        struct ff_area area = shared->regions[i].area;
        exchange->regions[i] = (struct region){&shared->regions[i], sums, touched};
        sums += area.rows * area.columns * REGION_PLANES;
        touched += area.rows;
    }
    return 0;
}

int ff_cpu_exchange_create(struct ff_backend *backend, struct ff_error *error)
{
    struct ff_exchange *exchange =
        ff_cpu_block(backend, 1, sizeof *exchange, "the exchange", error);
    if (exchange == NULL)
        return -1;
    backend->exchange = exchange;
    size_t powers = backend->powers;
    share_of(backend, backend->number, &exchange->first_row, &exchange->end_row);
    exchange->planes = 2 * backend->probes + powers;
    exchange->probe = ff_cpu_block(
        backend, exchange->planes * (exchange->end_row - exchange->first_row) * backend->columns,
        sizeof(ff_real), "the exchange", error);
    exchange->piece_probe =
        ff_cpu_block(backend, ROW_PIECES * powers, sizeof(ff_real), "the exchange", error);
    exchange->probe_maxima = ff_cpu_block(backend, powers, sizeof(ff_real), "the exchange", error);
    if (exchange->probe == NULL || exchange->piece_probe == NULL || exchange->probe_maxima == NULL)
        return -1;
    return make_regions(backend, error);
}

void ff_cpu_exchange_destroy(struct ff_backend *backend)
{
    if (backend->exchange != NULL)
        ff_regions_release(&backend->exchange->shared);
}

/* The sums of a row of the object in a region. */
static ff_real *region_row(const struct region *region, size_t row)
{
    struct ff_area area = region->shared->area;
    return region->sums + (row - area.row) * REGION_PLANES * area.columns;
}

/* --- settle --- */

/* `row` of the object. Returns the greatest weight. */
static ff_real settle_row(const struct ff_exchange *exchange, const struct region *region,
                          size_t row)
{
    size_t columns = region->shared->area.columns;
    ff_real *sums = region_row(region, row);
    bool *touched = &region->touched[row - region->shared->area.row];
    *touched = false;
    memset(sums, 0, REGION_PLANES * columns * sizeof *sums);
    for (unsigned i = 0; i < region->shared->sharer_count; i++) {
        const struct ff_backend *peer = exchange->peers[region->shared->sharers[i]];
        struct sum_row own = ff_cpu_sum_row(peer, row - peer->tile.row);
        size_t at = region->shared->area.column - peer->tile.column;
        if (own.re == NULL)
            continue;
        *touched = true;
        add(sums, own.re + at, columns);
        add(sums + columns, own.im + at, columns);
        add(sums + 2 * columns, own.weight + at, columns);
    }
    return greatest(sums + 2 * columns, columns);
}

/* Plane `plane` of a device's sums of the probe. */
static ff_real *probe_plane(const struct ff_backend *backend, size_t plane)
{
    if (plane >= 2 * backend->probes)
        return backend->sums.power[plane - 2 * backend->probes];
    struct ff_planes planes = backend->sums.probe[plane / 2];
    return plane % 2 == 0 ? planes.re : planes.im;
}

/* Where the sums of a row of a device's share lie. */
static ff_real *share_row(const struct ff_backend *backend, size_t plane, size_t row)
{
    const struct ff_exchange *exchange = backend->exchange;
    size_t rows = exchange->end_row - exchange->first_row;
    return exchange->probe + (plane * rows + row - exchange->first_row) * backend->columns;
}

/* Returns the greatest value. */
static ff_real settle_probe_row(const struct ff_backend *backend, size_t plane, size_t row)
{
    ff_real *sums = share_row(backend, plane, row);
    memset(sums, 0, backend->columns * sizeof *sums);
    for (unsigned i = 0; i < backend->count; i++)
        add(sums, probe_plane(backend->exchange->peers[i], plane) + row * backend->width,
            backend->columns);
    return greatest(sums, backend->columns);
}

static void settle_probe(const struct ff_backend *backend, unsigned piece)
{
    const struct ff_exchange *exchange = backend->exchange;
    ff_real *most = exchange->piece_probe + piece * backend->powers;
    size_t from;
    size_t to;
    ff_cpu_rows_of(exchange->first_row, exchange->end_row, piece, &from, &to);
    memset(most, 0, backend->powers * sizeof *most);
    for (size_t plane = 0; plane < exchange->planes; plane++)
        for (size_t row = from; row < to; row++) {
            ff_real here = settle_probe_row(backend, plane, row);
            if (plane >= 2 * backend->probes)
                most[plane - 2 * backend->probes] = larger(most[plane - 2 * backend->probes], here);
        }
}

static void settle_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    struct ff_exchange *exchange = backend->exchange;
    ff_real most = 0;
    for (size_t i = 0; (backend->want & FF_WANT_OBJECT) && i < exchange->shared.count; i++) {
        const struct region *region = &exchange->regions[i];
        size_t from;
        size_t to;
        ff_cpu_rows_of(region->shared->area.row,
                       region->shared->area.row + region->shared->area.rows, piece, &from, &to);
        for (size_t row = from; row < to; row++)
            most = larger(most, settle_row(exchange, region, row));
    }
    exchange->piece_object[piece] = most;
    if (backend->want & FF_WANT_PROBE)
        settle_probe(backend, piece);
}

/* Rows that a peer has no sums for are not read. */
static uint64_t overlap_bytes(const struct ff_backend *backend)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < backend->link_count; i++) {
        struct ff_area area = backend->links[i].area;
        const struct ff_backend *peer = backend->exchange->peers[backend->links[i].peer];
        for (size_t row = area.row; row < area.row + area.rows; row++)
            if (ff_cpu_sum_row(peer, row - peer->tile.row).re != NULL)
                bytes += area.columns * REGION_PLANES * sizeof(ff_real);
    }
    return bytes;
}

/* Of the share from all others, and of the others' shares. */
static uint64_t probe_bytes(const struct ff_backend *backend)
{
    const struct ff_exchange *exchange = backend->exchange;
    size_t own = exchange->end_row - exchange->first_row;
    size_t rows = own * (backend->count - 1) + (backend->rows - own);
    return (uint64_t)exchange->planes * rows * backend->columns * sizeof(ff_real);
}

void ff_cpu_settle(struct ff_backend *backend, struct ff_backend *const *peers)
{
    struct ff_exchange *exchange = backend->exchange;
    size_t powers = backend->powers;
    if (backend->count == 1)
        return;
    exchange->peers = peers;
    ff_pool_run(backend->pool, settle_piece, backend, ROW_PIECES);
    /* A partial weight is never more than the whole one, so those that were found while the lanes
     * were added need not be looked at again. */
    exchange->object =
        larger(backend->greatest_object, greatest(exchange->piece_object, ROW_PIECES));
    memset(exchange->probe_maxima, 0, powers * sizeof *exchange->probe_maxima);
    for (size_t i = 0; i < ROW_PIECES * powers; i++)
        exchange->probe_maxima[i % powers] =
            larger(exchange->probe_maxima[i % powers], exchange->piece_probe[i]);
    if (backend->want & FF_WANT_OBJECT)
        backend->exchanged += overlap_bytes(backend);
    if (backend->want & FF_WANT_PROBE)
        backend->exchanged += probe_bytes(backend);
}

/* --- spread --- */

static void spread_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    struct ff_exchange *exchange = backend->exchange;
    for (size_t i = 0; (backend->want & FF_WANT_OBJECT) && i < exchange->shared.count; i++) {
        const struct region *region = &exchange->regions[i];
        struct ff_area area = region->shared->area;
        size_t at = area.column - backend->tile.column;
        size_t from;
        size_t to;
        ff_cpu_rows_of(area.row, area.row + area.rows, piece, &from, &to);
        for (size_t row = from; row < to; row++) {
            if (!region->touched[row - area.row])
                continue;
            const ff_real *sums = region_row(region, row);
            struct sum_row own = ff_cpu_sum_row(backend, row - backend->tile.row);
            memcpy(own.re + at, sums, area.columns * sizeof *sums);
            memcpy(own.im + at, sums + area.columns, area.columns * sizeof *sums);
            memcpy(own.weight + at, sums + 2 * area.columns, area.columns * sizeof *sums);
        }
    }
}

static void spread_probe_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct ff_backend *backend = context;
    const struct ff_exchange *exchange = backend->exchange;
    for (unsigned i = 0; i < backend->count; i++) {
        const struct ff_backend *peer = exchange->peers[i];
        size_t from;
        size_t to;
        ff_cpu_rows_of(peer->exchange->first_row, peer->exchange->end_row, piece, &from, &to);
        for (size_t plane = 0; plane < exchange->planes; plane++)
            for (size_t row = from; row < to; row++)
                memcpy(probe_plane(backend, plane) + row * backend->width,
                       share_row(peer, plane, row), backend->columns * sizeof(ff_real));
    }
}

/* Rows that only other devices touched are part of this one's sums as well. */
static void claim_rows(struct ff_backend *backend)
{
    const struct ff_exchange *exchange = backend->exchange;
    for (size_t i = 0; i < exchange->shared.count; i++) {
        const struct region *region = &exchange->regions[i];
        for (size_t row = 0; row < region->shared->area.rows; row++)
            if (region->touched[row])
                ff_cpu_claim_row(backend, region->shared->area.row + row - backend->tile.row);
    }
}

void ff_cpu_spread(struct ff_backend *backend, struct ff_backend *const *peers)
{
    if (backend->count == 1)
        return;
    if (backend->want & FF_WANT_OBJECT) {
        claim_rows(backend);
        ff_pool_run(backend->pool, spread_piece, backend, ROW_PIECES);
        backend->greatest_object = 0;
        for (unsigned i = 0; i < backend->count; i++)
            backend->greatest_object = larger(backend->greatest_object, peers[i]->exchange->object);
    }
    if (backend->want & FF_WANT_PROBE) {
        ff_pool_run(backend->pool, spread_probe_piece, backend, ROW_PIECES);
        for (size_t p = 0; p < backend->powers; p++) {
            backend->greatest_probe[p] = 0;
            for (unsigned i = 0; i < backend->count; i++)
                backend->greatest_probe[p] =
                    larger(backend->greatest_probe[p], peers[i]->exchange->probe_maxima[p]);
        }
    }
}
