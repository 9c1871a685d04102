/* The stages of the exchange: what is queued where, and what waits for whom. */
#include "functions/reconstruct/backends/cuda/exchange_state.h"

/* Bytes of everybody's sums of the probe that a step reads where they lie: a link of 300 GB/s carries them in 3.5 µs, about as long
 * as the launch takes that settles them, and less than that and the two waits around it. */
enum { READ_BYTES = 1 << 20 };

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
                           enum done what, cudaStream_t stream)
{
    await(exchange, peer, exchange->reads[peer->number] ? what : (enum done)(what + 1), stream);
}

static void await_all(struct ff_cuda_exchange *exchange, enum done what, cudaStream_t stream)
{
    for (unsigned i = 0; i < exchange->count; i++)
        await_readable(exchange, exchange->peers[i], what, stream);
}

/* All that share pixels with this device; and itself. */
static void await_links(struct ff_cuda_exchange *exchange, enum done what, cudaStream_t stream)
{
    for (size_t i = 0; i < exchange->link_count; i++)
        await_readable(exchange, exchange->peers[exchange->links[i].peer], what, stream);
}

static void await_sharers(struct ff_cuda_exchange *exchange, enum done what, cudaStream_t stream)
{
    await_readable(exchange, exchange, what, stream);
    await_links(exchange, what, stream);
}

static bool is_for_a_step(const struct ff_cuda_exchange *exchange)
{
    return (exchange->want & FF_WANT_STEP) != 0;
}

/* --- offers --- */

void ff_cuda_exchange_await_taken(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    for (unsigned i = 0; exchange->peers[0] != NULL && i < exchange->count; i++)
        if (i != exchange->number)
            await(exchange, exchange->peers[i], DONE_TAKING, stream);
}

void ff_cuda_exchange_begin(struct ff_cuda_exchange *exchange, unsigned want, size_t first_row,
                            size_t end_row, unsigned *greatest)
{
    exchange->want = want;
    exchange->greatest = greatest;
    exchange->first_row = (uint32_t)(exchange->tile.row + first_row);
    exchange->end_row = (uint32_t)(exchange->tile.row + end_row);
    exchange->is_early = false;
}

/* The copies that `copying` makes come behind what was done. */
static bool begin_copies(struct ff_cuda_exchange *exchange, enum done what, cudaStream_t stream)
{
    record(exchange, what, stream);
    if (exchange->is_copied)
        await(exchange, exchange, what, exchange->copying);
    return exchange->is_copied;
}

void ff_cuda_exchange_offer_weight(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    if (!begin_copies(exchange, DONE_WEIGHT, stream))
        return;
    ff_cuda_copy_parts(exchange, exchange->copying, NULL, exchange->sums.weight);
    record(exchange, DONE_WEIGHT_COPIED, exchange->copying);
}

void ff_cuda_exchange_offer_power(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    if (!begin_copies(exchange, DONE_POWER, stream))
        return;
    ff_cuda_copy_rows(exchange, exchange->copying, exchange->power_copy, sums->power, sums->powers,
                      sizeof *sums->power);
    record(exchange, DONE_POWER_COPIED, exchange->copying);
}

void ff_cuda_exchange_offer_object(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                                   bool is_early)
{
    exchange->is_early = is_early;
    if (!begin_copies(exchange, DONE_OBJECT, stream))
        return;
    ff_cuda_copy_parts(exchange, exchange->copying, exchange->sums.object, NULL);
    record(exchange, DONE_OBJECT_COPIED, exchange->copying);
}

void ff_cuda_exchange_offer_probe(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    if (!begin_copies(exchange, DONE_PROBE, stream))
        return;
    ff_cuda_copy_rows(exchange, exchange->copying, exchange->probe_copy, sums->probe, sums->probes,
                      sizeof *sums->probe);
    record(exchange, DONE_PROBE_COPIED, exchange->copying);
}

/* --- settle --- */

static struct ff_cuda_tile tile_of(const struct ff_cuda_exchange *exchange, float2 *sums,
                                   float *weight)
{
    return (struct ff_cuda_tile){sums, weight, (uint32_t)exchange->tile.row,
                                 (uint32_t)exchange->tile.column, (uint32_t)exchange->tile.columns};
}

/* This device's share of the probe, of as many planes of each kind. */
static struct ff_cuda_settled_rows rows_of(const struct ff_cuda_exchange *exchange, size_t probes,
                                           size_t powers)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    return (struct ff_cuda_settled_rows){
        .first = exchange->first_share_row,
        .end = exchange->end_share_row,
        .rows = (uint32_t)sums->rows,
        .columns = (uint32_t)sums->columns,
        .probes = (uint32_t)probes,
        .powers = (uint32_t)powers,
        .probe = exchange->share.probe,
        .power = exchange->share.power,
        .greatest = exchange->share.greatest,
    };
}

/* Whether the owners of cells take the step for those who share them, and whether the probe's sums are settled by shares: the
 * same on all devices. */
static void find_ways(struct ff_cuda_exchange *exchange)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t probe = sums->probes * sums->rows * sums->columns * sizeof(float2);
    bool any_copied = false, any_early = false;
    for (unsigned i = 0; i < exchange->count; i++) {
        any_copied = any_copied || exchange->peers[i]->is_copied;
        any_early = any_early || exchange->peers[i]->is_early;
    }
    bool step = is_for_a_step(exchange);
    exchange->owners_step = step && (exchange->want & FF_WANT_OBJECT) && (any_copied || any_early);
    exchange->is_shared_out = !step || any_copied || (exchange->count - 1) * probe > READ_BYTES;
}

/* Who has formed weights anew has seen all others take the last ones, or has taken its own, and so have those who settled them. */
static void settle_weights(struct ff_cuda_exchange *exchange, const struct ff_cuda_views *views)
{
    const struct ff_cuda_cells none = {.run_count = 0};
    bool object = (exchange->want & FF_WANT_OBJECT) != 0;
    bool probe = (exchange->want & FF_WANT_PROBE) != 0;
    const struct ff_cuda_tile tile = tile_of(exchange, NULL, exchange->sums.weight);
    struct ff_cuda_settled_rows rows = rows_of(exchange, 0, probe ? exchange->sums.powers : 0);
    rows.partial = object ? exchange->greatest : NULL;
    if (object)
        await_sharers(exchange, DONE_WEIGHT, exchange->stream);
    if (probe)
        await_all(exchange, DONE_POWER, exchange->stream);
    FF_CUDA(exchange->calls, cudaMemsetAsync(exchange->share.greatest, 0,
                                             exchange->share.maxima_bytes, exchange->stream));
    ff_cuda_settle_sums(exchange->calls, exchange->stream, views, object ? &exchange->cells : &none,
                        &tile, &rows);
    record(exchange, DONE_WEIGHING, exchange->stream);
    exchange->bytes += object ? ff_cuda_pixels_of_parts(exchange, true) * sizeof(float) : 0;
    exchange->bytes +=
        probe ? ff_cuda_pixels_of_shares(exchange) * exchange->sums.powers * sizeof(float) : 0;
    if (!exchange->is_copied)
        return;
    if (object && !is_for_a_step(exchange))
        ff_cuda_copy_whole(exchange, exchange->stream, NULL, exchange->sums.weight);
    FF_CUDA(exchange->calls,
            cudaMemcpyAsync(exchange->share_copy.greatest, exchange->share.greatest,
                            probe ? exchange->share.weight_bytes : exchange->share.maxima_bytes,
                            cudaMemcpyDeviceToHost, exchange->stream));
    record(exchange, DONE_WEIGHING_COPIED, exchange->stream);
}

static void settle_object(struct ff_cuda_exchange *exchange, const struct ff_cuda_views *views)
{
    const struct ff_cuda_tile tile = tile_of(exchange, exchange->sums.object, NULL);
    const struct ff_cuda_settled_rows none = rows_of(exchange, 0, 0);
    await_sharers(exchange, DONE_OBJECT, exchange->stream);
    ff_cuda_settle_sums(exchange->calls, exchange->stream, views, &exchange->cells, &tile, &none);
    record(exchange, DONE_CELLS, exchange->stream);
    exchange->bytes += ff_cuda_pixels_of_parts(exchange, true) * sizeof(float2);
    if (!exchange->is_copied)
        return;
    ff_cuda_copy_whole(exchange, exchange->stream, exchange->sums.object, NULL);
    record(exchange, DONE_CELLS_COPIED, exchange->stream);
}

static void settle_probe(struct ff_cuda_exchange *exchange, const struct ff_cuda_views *views)
{
    const struct ff_cuda_cells none = {.run_count = 0};
    const struct ff_cuda_tile tile = tile_of(exchange, NULL, NULL);
    const struct ff_cuda_settled_rows rows = rows_of(exchange, exchange->sums.probes, 0);
    const struct share_room *share = &exchange->share;
    await_all(exchange, DONE_PROBE, exchange->late);
    ff_cuda_settle_sums(exchange->calls, exchange->late, views, &none, &tile, &rows);
    record(exchange, DONE_SHARE, exchange->late);
    exchange->bytes += ff_cuda_pixels_of_shares(exchange) * exchange->sums.probes * sizeof(float2);
    if (!exchange->is_copied)
        return;
    FF_CUDA(exchange->calls,
            cudaMemcpyAsync(exchange->share_copy.probe, share->probe, share->probe_bytes,
                            cudaMemcpyDeviceToHost, exchange->late));
    record(exchange, DONE_SHARE_COPIED, exchange->late);
}

void ff_cuda_exchange_settle(struct ff_cuda_exchange *exchange,
                             struct ff_cuda_exchange *const *peers)
{
    struct ff_cuda_views views = {.count = exchange->count};
    for (unsigned i = 0; i < exchange->count; i++) {
        exchange->peers[i] = peers[i];
        views.of[i] = ff_cuda_view_of(exchange, peers[i]);
    }
    find_ways(exchange);
    settle_weights(exchange, &views);
    if ((exchange->want & FF_WANT_OBJECT) && !is_for_a_step(exchange))
        settle_object(exchange, &views);
    if ((exchange->want & FF_WANT_PROBE) && exchange->is_shared_out)
        settle_probe(exchange, &views);
}

/* --- what is settled --- */

static struct ff_cuda_share share_of(const struct ff_cuda_exchange *exchange,
                                     const struct ff_cuda_exchange *peer)
{
    const struct share_room *room =
        exchange->reads[peer->number] ? &peer->share : &peer->share_copy;
    struct ff_cuda_share share = {.probe = room->probe,
                                  .power = room->power,
                                  .greatest = room->greatest,
                                  .probe_first = peer->first_share_row,
                                  .probe_end = peer->end_share_row,
                                  .power_first = peer->first_share_row,
                                  .power_end = peer->end_share_row};
    if (!exchange->is_shared_out) {
        share.probe = peer->sums.probe;
        share.probe_first = 0;
        share.probe_end = (uint32_t)peer->sums.rows;
    }
    return share;
}

static struct ff_cuda_shares shares_of(const struct ff_cuda_exchange *exchange)
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
    for (unsigned i = 0; i < exchange->count; i++)
        shares.of[i] = share_of(exchange, exchange->peers[i]);
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

struct ff_cuda_settled ff_cuda_exchange_settled(struct ff_cuda_exchange *exchange)
{
    struct ff_cuda_settled settled = {
        .cells = exchange->cells,
        .shares = shares_of(exchange),
        .tile_row = (uint32_t)exchange->tile.row,
        .tile_column = (uint32_t)exchange->tile.column,
        .tile_columns = (uint32_t)exchange->tile.columns,
    };
    find_shared(exchange, &settled);
    if (!(exchange->want & FF_WANT_OBJECT))
        settled.cells.run_count = settled.cells.own_count = 0;
    for (unsigned i = 0; i < exchange->count; i++) {
        const struct ff_cuda_exchange *peer = exchange->peers[i];
        settled.parts[i] = ff_cuda_view_of(exchange, peer);
        settled.whole[i] = ff_cuda_whole_of(exchange, peer, peer->sums.object);
    }
    return settled;
}

/* --- whole sums in their places --- */

/* What settle() has queued, on all devices: the object after the weights. */
static void await_settled(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    bool object = (exchange->want & FF_WANT_OBJECT) && !is_for_a_step(exchange);
    await_all(exchange, object ? DONE_CELLS : DONE_WEIGHING, stream);
    if ((exchange->want & FF_WANT_PROBE) && exchange->is_shared_out)
        await_all(exchange, DONE_SHARE, stream);
}

void ff_cuda_exchange_done(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    await_settled(exchange, stream);
    record(exchange, DONE_TAKING, stream);
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
    await_settled(exchange, stream);
    ff_cuda_spread_sums(exchange->calls, stream, settled, &to);
    record(exchange, DONE_TAKING, stream);
    if (want & FF_WANT_OBJECT)
        exchange->bytes += ff_cuda_pixels_of_others(exchange) * (sizeof(float2) + sizeof(float));
}

/* --- steps --- */

/* What a step reads of the probe's sums. */
static void await_probe(struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    await_all(exchange, DONE_WEIGHING, stream);
    await_all(exchange, exchange->is_shared_out ? DONE_SHARE : DONE_PROBE, stream);
}

static void count_probe(struct ff_cuda_exchange *exchange)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    if (!exchange->is_shared_out)
        exchange->bytes +=
            (exchange->count - 1) * sums->probes * sums->rows * sums->columns * sizeof(float2);
}

/* Everything waits for the step, so that it takes all at once. */
static void step_at_once(struct ff_cuda_exchange *exchange, const struct ff_cuda_settled *settled,
                         const struct ff_cuda_settled_step *step, cudaStream_t stream)
{
    await_all(exchange, DONE_WEIGHING, stream);
    if (step->object != NULL) {
        await_sharers(exchange, DONE_OBJECT, stream);
        exchange->bytes += ff_cuda_pixels_of_parts(exchange, false) * sizeof(float2) +
                           ff_cuda_pixels_of_others(exchange) * sizeof(float);
    }
    if (step->probe != NULL) {
        await_probe(exchange, stream);
        count_probe(exchange);
    }
    ff_cuda_step_settled(exchange->calls, stream, settled, step,
                         FF_CUDA_STEP_OWNED | FF_CUDA_STEP_OTHERS | FF_CUDA_STEP_ALONE |
                             FF_CUDA_STEP_PROBE);
    record(exchange, DONE_TAKING, stream);
}

/* This device's cells, as soon as those who share them have their sums, whatever else they still do. */
static void step_cells(struct ff_cuda_exchange *exchange, const struct ff_cuda_settled *settled,
                       const struct ff_cuda_settled_step *step)
{
    await_all(exchange, DONE_WEIGHING, exchange->stream);
    await_sharers(exchange, DONE_OBJECT, exchange->stream);
    ff_cuda_step_settled(exchange->calls, exchange->stream, settled, step, FF_CUDA_STEP_OWNED);
    record(exchange, DONE_CELLS, exchange->stream);
    exchange->bytes += ff_cuda_pixels_of_parts(exchange, true) * sizeof(float2);
    if (!exchange->is_copied)
        return;
    ff_cuda_copy_whole(exchange, exchange->stream, exchange->sums.values, NULL);
    record(exchange, DONE_CELLS_COPIED, exchange->stream);
}

static void step_probe(struct ff_cuda_exchange *exchange, const struct ff_cuda_settled *settled,
                       const struct ff_cuda_settled_step *step)
{
    await_probe(exchange, exchange->late);
    ff_cuda_step_settled(exchange->calls, exchange->late, settled, step, FF_CUDA_STEP_PROBE);
    FF_CUDA(exchange->calls, cudaEventRecord(exchange->stepped, exchange->late));
    count_probe(exchange);
}

void ff_cuda_exchange_step(struct ff_cuda_exchange *exchange, const struct ff_cuda_settled *settled,
                           const struct ff_cuda_settled_step *step, cudaStream_t stream)
{
    if (!exchange->owners_step) {
        step_at_once(exchange, settled, step, stream);
        return;
    }
    if (step->object != NULL)
        step_cells(exchange, settled, step);
    if (step->probe != NULL)
        step_probe(exchange, settled, step);
    await_all(exchange, DONE_WEIGHING, stream);
    ff_cuda_step_settled(exchange->calls, stream, settled, step, FF_CUDA_STEP_ALONE);
}

void ff_cuda_exchange_take_steps(struct ff_cuda_exchange *exchange, struct ff_cuda_settled *settled,
                                 const struct ff_cuda_settled_step *step, cudaStream_t stream)
{
    if (!exchange->owners_step)
        return;
    if (step->object != NULL) {
        for (unsigned i = 0; i < exchange->count; i++)
            settled->whole[i] =
                ff_cuda_whole_of(exchange, exchange->peers[i], exchange->peers[i]->sums.values);
        await_links(exchange, DONE_CELLS, exchange->stream);
        ff_cuda_fetch_steps(exchange->calls, exchange->stream, settled, step->object);
        FF_CUDA(exchange->calls, cudaEventRecord(exchange->fetched, exchange->stream));
        FF_CUDA(exchange->calls, cudaStreamWaitEvent(stream, exchange->fetched, 0));
        exchange->bytes += ff_cuda_pixels_of_others(exchange) * sizeof(float2);
    }
    if (step->probe != NULL)
        FF_CUDA(exchange->calls, cudaStreamWaitEvent(stream, exchange->stepped, 0));
    record(exchange, DONE_TAKING, stream);
}

uint64_t ff_cuda_exchange_bytes(const struct ff_cuda_exchange *exchange)
{
    return exchange->bytes;
}

bool ff_cuda_exchange_reads(const struct ff_cuda_exchange *exchange, unsigned peer)
{
    return exchange->reads[peer];
}
