/* Copies in memory of the host for those who cannot read this device's: of just what they read. */
#include "functions/reconstruct/backends/cuda/exchange_state.h"

void ff_cuda_touched_rows(const struct ff_cuda_exchange *exchange, struct ff_area area,
                          size_t *first, size_t *end)
{
    *first = area.row > exchange->first_row ? area.row : exchange->first_row;
    *end = area.row + area.rows < exchange->end_row ? area.row + area.rows : exchange->end_row;
    if (*end < *first)
        *end = *first;
}

struct ff_area ff_cuda_cell_area(const struct ff_cuda_cell *cell)
{
    return (struct ff_area){cell->row, cell->column, cell->pixels / cell->columns, cell->columns};
}

static void copy_rectangle(struct ff_cuda_exchange *exchange, cudaStream_t stream, void *to,
                           size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                           size_t height)
{
    if (width > 0 && height > 0)
        FF_CUDA(exchange->calls, cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height,
                                                   cudaMemcpyDeviceToHost, stream));
}

/* Rows [first, end) of an area, from what has the tile's shape into the copy of a link. */
static void copy_area(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                      const struct ff_link *link, const struct link_copy *copy, struct ff_area area,
                      size_t first, size_t end, const float2 *object, const float *weight)
{
    struct ff_area tile = exchange->tile;
    size_t columns = link->area.columns;
    size_t from = (first - tile.row) * tile.columns + area.column - tile.column;
    size_t to = (first - link->area.row) * columns + area.column - link->area.column;
    if (object != NULL)
        copy_rectangle(exchange, stream, copy->object + to, columns * sizeof *object, object + from,
                       tile.columns * sizeof *object, area.columns * sizeof *object, end - first);
    if (weight != NULL)
        copy_rectangle(exchange, stream, copy->weight + to, columns * sizeof *weight, weight + from,
                       tile.columns * sizeof *weight, area.columns * sizeof *weight, end - first);
}

void ff_cuda_copy_parts(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                        const float2 *object, const float *weight)
{
    for (size_t i = 0; i < exchange->link_count; i++) {
        const struct ff_link *link = &exchange->links[i];
        for (size_t j = 0; !exchange->read_by[link->peer] && j < exchange->cell_count; j++) {
            const struct ff_cuda_cell *cell = &exchange->cells_host[j];
            struct ff_area area = ff_cuda_cell_area(cell);
            size_t first, end;
            ff_cuda_touched_rows(exchange, area, &first, &end);
            if (cell->owner == link->peer)
                copy_area(exchange, stream, link, &exchange->copies[i], area, first, end, object,
                          weight);
        }
    }
}

void ff_cuda_copy_whole(struct ff_cuda_exchange *exchange, cudaStream_t stream,
                        const float2 *object, const float *weight)
{
    for (size_t i = 0; i < exchange->link_count; i++) {
        const struct ff_link *link = &exchange->links[i];
        for (size_t j = 0; !exchange->read_by[link->peer] && j < exchange->cell_count; j++) {
            const struct ff_cuda_cell *cell = &exchange->cells_host[j];
            struct ff_area area = ff_cuda_cell_area(cell);
            if (cell->owner == exchange->number && (cell->sharers >> link->peer & 1) != 0)
                copy_area(exchange, stream, link, &exchange->copies[i], area, area.row,
                          area.row + area.rows, object, weight);
        }
    }
}

void ff_cuda_copy_rows(struct ff_cuda_exchange *exchange, cudaStream_t stream, void *to,
                       const void *from, size_t planes, size_t size)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t pitch = sums->rows * sums->columns * size;
    for (unsigned peer = 0; peer < exchange->count; peer++) {
        uint32_t first, end;
        ff_cuda_share_rows(exchange, peer, &first, &end);
        size_t at = first * sums->columns * size, width = (end - first) * sums->columns * size;
        if (!exchange->read_by[peer])
            copy_rectangle(exchange, stream, (char *)to + at, pitch, (const char *)from + at, pitch,
                           width, planes);
    }
}
