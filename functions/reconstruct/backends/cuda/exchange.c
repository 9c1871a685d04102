/* The stages of the exchange: what is queued where, and what waits for whom. */
#include "functions/reconstruct/backends/cuda/exchange_state.h"

enum { PIXEL_BYTES = sizeof(float2) + sizeof(float) }; /* N_O and W */

static void record(struct ff_cuda_exchange *exchange, enum done what, cudaStream_t stream)
{
    FF_CUDA(exchange->calls, cudaEventRecord(exchange->done[what], stream));
}

static void await(struct ff_cuda_exchange *exchange, const struct ff_cuda_exchange *peer,
                  enum done what, cudaStream_t stream)
{
    FF_CUDA(exchange->calls, cudaStreamWaitEvent(stream, peer->done[what], 0));
}

/* For what a device leaves for others: itself, or as a copy. */
static void await_readable(struct ff_cuda_exchange *exchange, const struct ff_cuda_exchange *peer,
                           enum done what)
{
    await(exchange, peer, exchange->reads[peer->number] ? what : (enum done)(what + 1),
          exchange->stream);
}

/* --- offers --- */

/* Rows of an area that the batch of a device touched. */
static void touched_rows(const struct ff_cuda_exchange *exchange, struct ff_area area,
                         size_t *first, size_t *end)
{
    *first = area.row > exchange->first_row ? area.row : exchange->first_row;
    *end = area.row + area.rows < exchange->end_row ? area.row + area.rows : exchange->end_row;
    if (*end < *first)
        *end = *first;
}

static void copy_rectangle(struct ff_cuda_exchange *exchange, void *to, size_t to_pitch,
                           const void *from, size_t from_pitch, size_t width, size_t height)
{
    if (width > 0 && height > 0)
        FF_CUDA(exchange->calls, cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height,
                                                   cudaMemcpyDeviceToHost, exchange->copying));
}

static void copy_link(struct ff_cuda_exchange *exchange, const struct ff_link *link,
                      const struct link_copy *copy)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    struct ff_area tile = exchange->tile;
    size_t columns = link->area.columns, first, end;
    touched_rows(exchange, link->area, &first, &end);
    size_t from = (first - tile.row) * tile.columns + link->area.column - tile.column;
    size_t to = (first - link->area.row) * columns;
    copy_rectangle(exchange, copy->object + to, columns * sizeof(float2), sums->object + from,
                   tile.columns * sizeof(float2), columns * sizeof(float2), end - first);
    copy_rectangle(exchange, copy->weight + to, columns * sizeof(float), sums->weight + from,
                   tile.columns * sizeof(float), columns * sizeof(float), end - first);
}

void ff_cuda_exchange_offer_object(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                                   size_t first_row, size_t end_row, bool is_early)
{
    exchange->is_early = is_early;
    exchange->first_row = (uint32_t)(exchange->tile.row + first_row);
    exchange->end_row = (uint32_t)(exchange->tile.row + end_row);
    record(exchange, DONE_OBJECT, stream);
    if (!exchange->is_copied)
        return;
    await(exchange, exchange, DONE_OBJECT, exchange->copying);
    for (size_t i = 0; i < exchange->link_count; i++)
        if (!exchange->read_by[exchange->links[i].peer])
            copy_link(exchange, &exchange->links[i], &exchange->copies[i]);
    record(exchange, DONE_OBJECT_COPIED, exchange->copying);
}

/* The rows that are the share of a peer, of all planes. */
static void copy_probe_rows(struct ff_cuda_exchange *exchange, unsigned peer)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t plane = sums->rows * sums->columns;
    uint32_t first, end;
    ff_cuda_share_rows(exchange, peer, &first, &end);
    size_t at = first * sums->columns, pixels = (end - first) * sums->columns;
    copy_rectangle(exchange, exchange->probe_copy + at, plane * sizeof(float2), sums->probe + at,
                   plane * sizeof(float2), pixels * sizeof(float2), sums->probes);
    copy_rectangle(exchange, exchange->power_copy + at, plane * sizeof(float), sums->power + at,
                   plane * sizeof(float), pixels * sizeof(float), sums->powers);
}

void ff_cuda_exchange_offer(struct ff_cuda_exchange *exchange, cudaStream_t stream, unsigned want,
                            unsigned *greatest)
{
    exchange->want = want;
    exchange->greatest = greatest;
    record(exchange, DONE_REST, stream);
    if (!exchange->is_copied)
        return;
    await(exchange, exchange, DONE_REST, exchange->copying);
    for (unsigned i = 0; (want & FF_WANT_PROBE) && i < exchange->count; i++)
        if (!exchange->read_by[i])
            copy_probe_rows(exchange, i);
    record(exchange, DONE_REST_COPIED, exchange->copying);
}

/* --- settle --- */

/* What the peer has copied of the overlap with this device; nothing where they share nothing. */
static void view_copy(const struct ff_cuda_exchange *exchange, const struct ff_cuda_exchange *peer,
                      struct ff_cuda_view *view)
{
    for (size_t i = 0; i < peer->link_count; i++) {
        struct ff_area area = peer->links[i].area;
        if (peer->links[i].peer != exchange->number)
            continue;
        view->object = peer->copies[i].object;
        view->weight = peer->copies[i].weight;
        view->row = (uint32_t)area.row;
        view->column = (uint32_t)area.column;
        view->columns = (uint32_t)area.columns;
    }
}

static struct ff_cuda_view view_of(const struct ff_cuda_exchange *exchange,
                                   const struct ff_cuda_exchange *peer)
{
    struct ff_cuda_view view = {.first_row = peer->first_row, .end_row = peer->end_row};
    if (!exchange->reads[peer->number]) {
        view_copy(exchange, peer, &view);
        view.probe = peer->probe_copy;
        view.power = peer->power_copy;
        return view;
    }
    view.object = peer->sums.object;
    view.weight = peer->sums.weight;
    view.row = (uint32_t)peer->tile.row;
    view.column = (uint32_t)peer->tile.column;
    view.columns = (uint32_t)peer->tile.columns;
    view.probe = peer->sums.probe;
    view.power = peer->sums.power;
    return view;
}

/* Waits until all that share regions with this device have offered them. */
static void await_regions(struct ff_cuda_exchange *exchange, struct ff_cuda_exchange *const *peers)
{
    await_readable(exchange, exchange, DONE_OBJECT);
    for (size_t i = 0; i < exchange->link_count; i++) {
        const struct ff_cuda_exchange *peer = peers[exchange->links[i].peer];
        size_t first, end;
        await_readable(exchange, peer, DONE_OBJECT);
        touched_rows(peer, exchange->links[i].area, &first, &end);
        exchange->bytes += (end - first) * exchange->links[i].area.columns * PIXEL_BYTES;
    }
}

/* No row yet: what is settled early. */
static struct ff_cuda_settled_rows no_rows(const struct ff_cuda_exchange *exchange)
{
    return (struct ff_cuda_settled_rows){.greatest = exchange->share.greatest};
}

static struct ff_cuda_settled_rows rows_of(const struct ff_cuda_exchange *exchange)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    bool wanted = (exchange->want & FF_WANT_PROBE) != 0;
    return (struct ff_cuda_settled_rows){
        .first = exchange->first_share_row,
        .end = exchange->end_share_row,
        .rows = (uint32_t)sums->rows,
        .columns = (uint32_t)sums->columns,
        .probes = wanted ? (uint32_t)sums->probes : 0,
        .powers = wanted ? (uint32_t)sums->powers : 0,
        .probe = exchange->share.probe,
        .power = exchange->share.power,
        .partial = exchange->greatest,
        .greatest = exchange->share.greatest,
    };
}

/* Regions that were offered early are settled while other sums are still formed; else all is one launch. */
static void settle_all(struct ff_cuda_exchange *exchange, struct ff_cuda_exchange *const *peers,
                       const struct ff_cuda_views *views)
{
    const struct ff_cuda_cells none = {.run_count = 0};
    bool regions = (exchange->want & FF_WANT_OBJECT) != 0;
    const struct ff_cuda_settled_rows early = no_rows(exchange);
    const struct ff_cuda_settled_rows rows = rows_of(exchange);
    if (regions)
        await_regions(exchange, peers);
    if (regions && exchange->is_early)
        ff_cuda_settle_sums(exchange->calls, exchange->stream, views, &exchange->cells, &early);
    for (unsigned i = 0; i < exchange->count; i++)
        if (i == exchange->number || (exchange->want & FF_WANT_PROBE))
            await_readable(exchange, peers[i], DONE_REST);
    ff_cuda_settle_sums(exchange->calls, exchange->stream, views,
                        regions && !exchange->is_early ? &exchange->cells : &none, &rows);
}

/* The share from all others, and later the others' shares. */
static uint64_t probe_bytes(const struct ff_cuda_exchange *exchange)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t own = exchange->end_share_row - exchange->first_share_row;
    size_t rows = own * (exchange->count - 1) + sums->rows - own;
    return rows * sums->columns * (sums->probes * sizeof(float2) + sums->powers * sizeof(float));
}

/* For those who cannot read it: the share, or the maxima alone. */
static void copy_share(struct ff_cuda_exchange *exchange)
{
    const struct share_room *share = &exchange->share;
    if (!exchange->is_copied)
        return;
    FF_CUDA(exchange->calls,
            cudaMemcpyAsync(exchange->share_copy.greatest, share->greatest,
                            exchange->want & FF_WANT_PROBE ? share->bytes : share->maxima_bytes,
                            cudaMemcpyDeviceToHost, exchange->stream));
    record(exchange, DONE_SETTLING_COPIED, exchange->stream);
}

void ff_cuda_exchange_settle(struct ff_cuda_exchange *exchange,
                             struct ff_cuda_exchange *const *peers)
{
    struct ff_cuda_views views = {.count = exchange->count};
    for (unsigned i = 0; i < exchange->count; i++) {
        views.of[i] = view_of(exchange, peers[i]);
        await(exchange, peers[i], DONE_SPREADING, exchange->stream); /* of the exchange before */
    }
    FF_CUDA(exchange->calls, cudaMemsetAsync(exchange->share.greatest, 0,
                                             exchange->share.maxima_bytes, exchange->stream));
    settle_all(exchange, peers, &views);
    if (exchange->want & FF_WANT_PROBE)
        exchange->bytes += probe_bytes(exchange);
    record(exchange, DONE_SETTLING, exchange->stream);
    copy_share(exchange);
}

/* --- spread --- */

static struct ff_cuda_shares shares_of(const struct ff_cuda_exchange *exchange,
                                       struct ff_cuda_exchange *const *peers)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    bool wanted = (exchange->want & FF_WANT_PROBE) != 0;
    struct ff_cuda_shares shares = {
        .count = exchange->count,
        .probes = wanted ? (uint32_t)sums->probes : 0,
        .powers = wanted ? (uint32_t)sums->powers : 0,
        .rows = (uint32_t)sums->rows,
        .columns = (uint32_t)sums->columns,
    };
    for (unsigned i = 0; i < exchange->count; i++) {
        const struct share_room *room =
            exchange->reads[i] ? &peers[i]->share : &peers[i]->share_copy;
        shares.of[i] = (struct ff_cuda_share){room->probe, room->power, room->greatest,
                                              peers[i]->first_share_row, peers[i]->end_share_row};
    }
    return shares;
}

/* The tile's own pixels that others share, as rectangles of it. */
static void find_shared(const struct ff_cuda_exchange *exchange, struct ff_cuda_settled *settled)
{
    settled->box_count = (uint32_t)exchange->link_count;
    for (size_t i = 0; i < exchange->link_count; i++) {
        struct ff_area area = exchange->links[i].area;
        settled->boxes[i] = (struct ff_cuda_box){(uint32_t)(area.row - exchange->tile.row),
                                                 (uint32_t)(area.column - exchange->tile.column),
                                                 (uint32_t)area.rows, (uint32_t)area.columns};
    }
}

struct ff_cuda_settled ff_cuda_exchange_settled(struct ff_cuda_exchange *exchange,
                                                struct ff_cuda_exchange *const *peers,
                                                cudaStream_t stream)
{
    struct ff_cuda_settled settled = {
        .cells = exchange->cells,
        .shares = shares_of(exchange, peers),
        .tile_row = (uint32_t)exchange->tile.row,
        .tile_column = (uint32_t)exchange->tile.column,
        .tile_columns = (uint32_t)exchange->tile.columns,
    };
    find_shared(exchange, &settled);
    if (!(exchange->want & FF_WANT_OBJECT))
        settled.cells.run_count = 0;
    for (unsigned i = 0; i < exchange->count; i++)
        await(exchange, peers[i],
              exchange->reads[peers[i]->number] ? DONE_SETTLING : DONE_SETTLING_COPIED, stream);
    return settled;
}

void ff_cuda_exchange_done(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    record(exchange, DONE_SPREADING, stream);
}

void ff_cuda_exchange_spread(struct ff_cuda_exchange *exchange,
                             const struct ff_cuda_settled *settled, cudaStream_t stream)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    unsigned want = exchange->want;
    const struct ff_cuda_place_of_sums to = {
        .object = sums->object,
        .probe = sums->probe,
        .weight = sums->weight,
        .power = sums->power,
        .greatest = exchange->greatest,
        .maxima_first = want & FF_WANT_OBJECT ? 0 : 1,
        .maxima_end = want & FF_WANT_PROBE ? (uint32_t)(1 + sums->powers) : 1,
    };
    ff_cuda_spread_sums(exchange->calls, stream, settled, &to);
    ff_cuda_exchange_done(exchange, stream);
}

uint64_t ff_cuda_exchange_bytes(const struct ff_cuda_exchange *exchange)
{
    return exchange->bytes;
}

bool ff_cuda_exchange_reads(const struct ff_cuda_exchange *exchange, unsigned peer)
{
    return exchange->reads[peer];
}
