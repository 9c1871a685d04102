/* The backend among others: its sums are offered, settled, and spread or stepped with. A single device has nobody to exchange with. */
#include "functions/reconstruct/backends/cuda/exchange.h"
#include "functions/reconstruct/backends/cuda/state.h"

int ff_cuda_join_others(struct ff_backend *b, const struct ff_backend_plan *plan,
                        struct ff_error *error)
{
    const struct ff_cuda_partial sums = {
        .object = b->gradient,
        .weight = b->weight,
        .probe = b->probe_gradient,
        .power = b->power,
        .values = b->object[0],
        .probes = b->probes,
        .powers = b->powers,
        .rows = b->shape.rows,
        .columns = b->shape.columns,
    };
    if (plan->count == 1)
        return 0;
    b->exchange = ff_cuda_exchange_create(&b->calls, &b->memory, plan, &sums, error);
    return b->exchange != NULL ? 0 : -1;
}

/* Rows of the tile that the taps of the first `count` patches of the batch reach. */
static void touched_rows(const struct ff_backend *b, size_t count, size_t *first, size_t *end)
{
    const uint32_t *patterns = b->lists[b->list].host;
    *first = *end = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < b->shape.fly; k++) {
            size_t row = b->places_host[patterns[i] * b->shape.fly + k].row;
            size_t below = row + b->shape.rows + 1;
            *first = *end == 0 || row < *first ? row : *first;
            *end = below > *end ? below : *end;
        }
}

void ff_cuda_begin_exchange(struct ff_backend *b)
{
    size_t first, end;
    if (b->exchange == NULL)
        return;
    touched_rows(b, b->batch_offered > 0 ? b->batch_offered : b->batch_count, &first, &end);
    ff_cuda_exchange_begin(b->exchange, b->want, first, end, b->greatest);
    b->object_offered = false;
}

void ff_cuda_await_taken(struct ff_backend *b, cudaStream_t stream)
{
    if (b->exchange != NULL)
        ff_cuda_exchange_await_taken(b->exchange, stream);
}

void ff_cuda_offer_weight(struct ff_backend *b, cudaStream_t stream)
{
    if (b->exchange != NULL && (b->want & FF_WANT_OBJECT))
        ff_cuda_exchange_offer_weight(b->exchange, stream);
}

void ff_cuda_offer_power(struct ff_backend *b)
{
    if (b->exchange != NULL && (b->want & FF_WANT_PROBE))
        ff_cuda_exchange_offer_power(b->exchange, b->stream);
}

void ff_cuda_offer_early(struct ff_backend *b, size_t patterns)
{
    if (b->exchange == NULL || !(b->want & FF_WANT_OBJECT) || b->batch_offered == 0 ||
        patterns != b->batch_offered)
        return;
    ff_cuda_exchange_offer_object(b->exchange, b->stream, true);
    b->object_offered = true;
}

void ff_cuda_offer(struct ff_backend *b)
{
    if (b->exchange == NULL)
        return;
    if ((b->want & FF_WANT_OBJECT) && !b->object_offered)
        ff_cuda_exchange_offer_object(b->exchange, b->stream, false);
    if (b->want & FF_WANT_PROBE)
        ff_cuda_exchange_offer_probe(b->exchange, b->stream);
}

static void find_exchanges(struct ff_backend *const *peers, unsigned count,
                           struct ff_cuda_exchange **exchanges)
{
    for (unsigned i = 0; i < count; i++)
        exchanges[i] = peers[i]->exchange;
}

void ff_cuda_settle(struct ff_backend *b, struct ff_backend *const *peers)
{
    struct ff_cuda_exchange *exchanges[FF_CUDA_DEVICES];
    if (b->exchange == NULL)
        return;
    ff_cuda_use(&b->calls);
    find_exchanges(peers, b->count, exchanges);
    ff_cuda_exchange_settle(b->exchange, exchanges);
}

void ff_cuda_spread(struct ff_backend *b, struct ff_backend *const *peers)
{
    (void)peers;
    if (b->exchange == NULL)
        return;
    ff_cuda_use(&b->calls);
    b->settled = ff_cuda_exchange_settled(b->exchange);
    b->is_settled = (b->want & FF_WANT_STEP) != 0;
    if (!b->is_settled)
        ff_cuda_exchange_spread(b->exchange, &b->settled, b->stream);
}

void ff_cuda_forget_sums(struct ff_backend *b)
{
    if (b->is_settled)
        ff_cuda_exchange_done(b->exchange, b->stream);
    b->is_settled = false;
}
