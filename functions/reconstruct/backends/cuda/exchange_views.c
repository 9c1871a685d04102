/* What a device reads of whom and where, and how much. */
#include "functions/reconstruct/backends/cuda/exchange_state.h"

/* What the peer has copied of the overlap with this device; NULL where they share nothing. */
static const struct link_copy *copy_of(const struct ff_cuda_exchange *exchange,
                                       const struct ff_cuda_exchange *peer, struct ff_area *area)
{
    for (size_t i = 0; i < peer->link_count; i++)
        if (peer->links[i].peer == exchange->number) {
            *area = peer->links[i].area;
            return &peer->copies[i];
        }
    return NULL;
}

struct ff_cuda_view ff_cuda_view_of(const struct ff_cuda_exchange *exchange,
                                    const struct ff_cuda_exchange *peer)
{
    struct ff_cuda_view view = {.first_row = peer->first_row, .end_row = peer->end_row};
    struct ff_area area = peer->tile;
    if (exchange->reads[peer->number]) {
        view.object = peer->sums.object;
        view.weight = peer->sums.weight;
        view.probe = peer->sums.probe;
        view.power = peer->sums.power;
    } else {
        const struct link_copy *copy = copy_of(exchange, peer, &area);
        view.object = copy != NULL ? copy->object : NULL;
        view.weight = copy != NULL ? copy->weight : NULL;
        view.probe = peer->probe_copy;
        view.power = peer->power_copy;
    }
    view.row = (uint32_t)area.row;
    view.column = (uint32_t)area.column;
    view.columns = (uint32_t)area.columns;
    return view;
}

struct ff_cuda_whole ff_cuda_whole_of(const struct ff_cuda_exchange *exchange,
                                      const struct ff_cuda_exchange *peer, const float2 *sums)
{
    struct ff_cuda_whole whole = {.sums = sums, .weight = peer->sums.weight};
    struct ff_area area = peer->tile;
    if (!exchange->reads[peer->number]) {
        const struct link_copy *copy = copy_of(exchange, peer, &area);
        whole.sums = copy != NULL ? copy->object : NULL;
        whole.weight = copy != NULL ? copy->weight : NULL;
    }
    whole.row = (uint32_t)area.row;
    whole.column = (uint32_t)area.column;
    whole.columns = (uint32_t)area.columns;
    return whole;
}

uint64_t ff_cuda_pixels_of_parts(const struct ff_cuda_exchange *exchange, bool own_alone)
{
    uint64_t pixels = 0;
    for (size_t i = 0; i < exchange->cell_count; i++) {
        const struct ff_cuda_cell *cell = &exchange->cells_host[i];
        for (unsigned j = 0; j < exchange->count; j++) {
            size_t first, end;
            if (j == exchange->number || (cell->sharers >> j & 1) == 0 ||
                (own_alone && cell->owner != exchange->number))
                continue;
            ff_cuda_touched_rows(exchange->peers[j], ff_cuda_cell_area(cell), &first, &end);
            pixels += (end - first) * cell->columns;
        }
    }
    return pixels;
}

uint64_t ff_cuda_pixels_of_others(const struct ff_cuda_exchange *exchange)
{
    uint64_t pixels = 0;
    for (size_t i = 0; i < exchange->cell_count; i++)
        if (exchange->cells_host[i].owner != exchange->number)
            pixels += exchange->cells_host[i].pixels;
    return pixels;
}

uint64_t ff_cuda_pixels_of_shares(const struct ff_cuda_exchange *exchange)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t own = exchange->end_share_row - exchange->first_share_row;
    return (own * (exchange->count - 1) + sums->rows - own) * sums->columns;
}
