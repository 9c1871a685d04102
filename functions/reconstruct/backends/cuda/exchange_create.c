/* Who reads whose memory, and room for what is exchanged. */
#include "functions/reconstruct/backends/cuda/exchange_state.h"

#include "functions/reconstruct/arrays.h"
#include "functions/reconstruct/backends/cells.h"
#include "functions/reconstruct/backends/cuda/find.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "the exchange between devices";

void ff_cuda_share_rows(const struct ff_cuda_exchange *exchange, unsigned number, uint32_t *first,
                        uint32_t *end)
{
    size_t rows = exchange->sums.rows;
    *first = (uint32_t)(rows * number / exchange->count);
    *end = (uint32_t)(rows * (number + 1) / exchange->count);
}

/* --- who reads whose memory --- */

/* Lets the device at `reader` read the memory of that at `source`. False where nothing joins them, or where the reader has
 * been given as many as it can have: those are read through the host. */
static bool give_access(struct ff_cuda_calls *calls, int reader, int source)
{
    int can = 0;
    if (reader == source)
        return true;
    if (!FF_CUDA(calls, cudaDeviceCanAccessPeer(&can, reader, source)) || can == 0 ||
        !FF_CUDA(calls, cudaSetDevice(reader)))
        return false;
    cudaError_t status = cudaDeviceEnablePeerAccess(source, 0);
    if (status == cudaErrorPeerAccessAlreadyEnabled || status == cudaErrorTooManyPeers)
        (void)cudaGetLastError();
    else
        FF_CUDA(calls, status);
    return status == cudaSuccess || status == cudaErrorPeerAccessAlreadyEnabled;
}

/* Both sides must know of it, and are made one after the other: each asks for both directions, and what was given once stays. */
static void find_access(struct ff_cuda_exchange *exchange)
{
    int own = exchange->places[exchange->number];
    for (unsigned i = 0; i < exchange->count; i++) {
        exchange->reads[i] = give_access(exchange->calls, own, exchange->places[i]);
        exchange->read_by[i] = give_access(exchange->calls, exchange->places[i], own);
        exchange->is_copied = exchange->is_copied || !exchange->read_by[i];
    }
    ff_cuda_use(exchange->calls);
}

/* --- the object's regions --- */

static struct ff_cuda_cell cell_of(const struct ff_cell *cell)
{
    struct ff_cuda_cell own = {
        .row = (uint32_t)cell->area.row,
        .column = (uint32_t)cell->area.column,
        .columns = (uint32_t)cell->area.columns,
        .pixels = (uint32_t)ff_area_pixels(cell->area),
        .owner = cell->owner,
    };
    for (unsigned i = 0; i < cell->sharer_count; i++)
        own.sharers |= 1U << cell->sharers[i];
    return own;
}

/* Of cells [first, end), from `runs` on; returns how many. */
static uint32_t write_runs(const struct ff_cuda_cell *cells, size_t first, size_t end,
                           struct ff_cuda_run *runs)
{
    uint32_t count = 0;
    for (size_t i = first; i < end; i++)
        for (uint32_t at = 0; at < cells[i].pixels; at += FF_CUDA_RUN)
            runs[count++] = (struct ff_cuda_run){(uint32_t)i, at};
    return count;
}

static bool upload(struct ff_cuda_exchange *exchange, void *to, const void *from, size_t size)
{
    return size == 0 ||
           FF_CUDA(exchange->calls,
                   cudaMemcpyAsync(to, from, size, cudaMemcpyHostToDevice, exchange->stream));
}

static size_t runs_of(const struct ff_cells *cells)
{
    size_t runs = 0;
    for (size_t i = 0; i < cells->count; i++)
        runs += (ff_area_pixels(cells->cells[i].area) + FF_CUDA_RUN - 1) / FF_CUDA_RUN;
    return runs;
}

static int place_cells(struct ff_cuda_exchange *exchange, struct ff_cuda_memory *memory,
                       const struct ff_cells *cells, struct ff_error *error)
{
    struct ff_cuda_calls *calls = exchange->calls;
    cudaStream_t stream = exchange->stream;
    struct ff_cuda_cell *device =
        ff_cuda_device(memory, calls, stream, cells->count, sizeof *device, what, error);
    struct ff_cuda_run *runs =
        ff_cuda_device(memory, calls, stream, runs_of(cells), sizeof *runs, what, error);
    struct ff_cuda_run *runs_host =
        ff_cuda_pinned(memory, calls, runs_of(cells), sizeof *runs, what, error);
    exchange->cells_host =
        ff_cuda_pinned(memory, calls, cells->count, sizeof *exchange->cells_host, what, error);
    if (device == NULL || runs == NULL || runs_host == NULL || exchange->cells_host == NULL)
        return -1;
    exchange->cell_count = cells->count;
    for (size_t i = 0; i < cells->count; i++)
        exchange->cells_host[i] = cell_of(&cells->cells[i]);
    uint32_t own = write_runs(exchange->cells_host, 0, cells->own_count, runs_host);
    uint32_t all =
        own + write_runs(exchange->cells_host, cells->own_count, cells->count, runs_host + own);
    exchange->cells = (struct ff_cuda_cells){device, runs, own, all};
    upload(exchange, device, exchange->cells_host, cells->count * sizeof *device);
    upload(exchange, runs, runs_host, all * sizeof *runs);
    return 0;
}

static int make_cells(struct ff_cuda_exchange *exchange, struct ff_cuda_memory *memory,
                      const struct ff_area *tiles, struct ff_error *error)
{
    double weights[FF_CUDA_DEVICES];
    struct ff_cells cells;
    if (ff_cell_weights(tiles, exchange->count, weights, error) < 0 ||
        ff_cells_create(exchange->links, exchange->link_count, exchange->number, weights, &cells,
                        error) < 0)
        return -1;
    int result = place_cells(exchange, memory, &cells, error);
    ff_cells_release(&cells);
    return result;
}

/* --- shares, and copies in memory of the host --- */

/* Complex numbers come behind. */
static size_t aligned(size_t bytes)
{
    return (bytes + sizeof(float2) - 1) / sizeof(float2) * sizeof(float2);
}

static struct share_room share_room(const struct ff_cuda_exchange *exchange, void *block)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t pixels = (exchange->end_share_row - exchange->first_share_row) * sums->columns;
    struct share_room room = {.greatest = block,
                              .maxima_bytes = (1 + sums->powers) * sizeof(unsigned)};
    room.power = (float *)(void *)(room.greatest + 1 + sums->powers);
    room.weight_bytes = room.maxima_bytes + sums->powers * pixels * sizeof(float);
    size_t probe_at = aligned(room.weight_bytes);
    room.probe = (float2 *)(void *)((char *)block + probe_at);
    room.probe_bytes = sums->probes * pixels * sizeof(float2);
    room.bytes = probe_at + room.probe_bytes;
    return room;
}

static int make_shares(struct ff_cuda_exchange *exchange, struct ff_cuda_memory *memory,
                       struct ff_error *error)
{
    const struct ff_cuda_partial *sums = &exchange->sums;
    size_t pixels = sums->rows * sums->columns;
    size_t size;
    ff_cuda_share_rows(exchange, exchange->number, &exchange->first_share_row,
                       &exchange->end_share_row);
    size = share_room(exchange, NULL).bytes;
    void *share = ff_cuda_device(memory, exchange->calls, exchange->stream, size, 1, what, error);
    if (share == NULL)
        return -1;
    exchange->share = share_room(exchange, share);
    if (!exchange->is_copied)
        return 0;
    void *copy = ff_cuda_pinned(memory, exchange->calls, size, 1, what, error);
    exchange->probe_copy =
        ff_cuda_pinned(memory, exchange->calls, sums->probes * pixels, sizeof(float2), what, error);
    exchange->power_copy =
        ff_cuda_pinned(memory, exchange->calls, sums->powers * pixels, sizeof(float), what, error);
    if (copy == NULL || exchange->probe_copy == NULL || exchange->power_copy == NULL)
        return -1;
    exchange->share_copy = share_room(exchange, copy);
    return 0;
}

static int make_link_copies(struct ff_cuda_exchange *exchange, struct ff_cuda_memory *memory,
                            struct ff_error *error)
{
    for (size_t i = 0; i < exchange->link_count; i++) {
        const struct ff_link *link = &exchange->links[i];
        struct link_copy *copy = &exchange->copies[i];
        size_t pixels = link->area.rows * link->area.columns;
        if (exchange->read_by[link->peer])
            continue;
        copy->object =
            ff_cuda_pinned(memory, exchange->calls, pixels, sizeof *copy->object, what, error);
        copy->weight =
            ff_cuda_pinned(memory, exchange->calls, pixels, sizeof *copy->weight, what, error);
        if (copy->object == NULL || copy->weight == NULL)
            return -1;
    }
    return 0;
}

/* --- create and destroy --- */

static int make_streams(struct ff_cuda_exchange *exchange, struct ff_error *error)
{
    struct ff_cuda_calls *calls = exchange->calls;
    FF_CUDA(calls, cudaStreamCreateWithFlags(&exchange->stream, cudaStreamNonBlocking));
    FF_CUDA(calls, cudaStreamCreateWithFlags(&exchange->late, cudaStreamNonBlocking));
    if (exchange->is_copied)
        FF_CUDA(calls, cudaStreamCreateWithFlags(&exchange->copying, cudaStreamNonBlocking));
    for (int i = 0; i < DONE_COUNT; i++)
        FF_CUDA(calls, cudaEventCreateWithFlags(&exchange->done[i], cudaEventDisableTiming));
    FF_CUDA(calls, cudaEventCreateWithFlags(&exchange->fetched, cudaEventDisableTiming));
    FF_CUDA(calls, cudaEventCreateWithFlags(&exchange->stepped, cudaEventDisableTiming));
    return ff_cuda_report(calls, error);
}

static int copy_links(struct ff_cuda_exchange *exchange, const struct ff_backend_plan *plan,
                      struct ff_error *error)
{
    exchange->links = ff_array_create(plan->link_count, sizeof *exchange->links, what, error);
    exchange->copies = ff_array_create(plan->link_count, sizeof *exchange->copies, what, error);
    if (exchange->links == NULL || exchange->copies == NULL)
        return -1;
    exchange->link_count = plan->link_count;
    if (plan->link_count > 0)
        memcpy(exchange->links, plan->links, plan->link_count * sizeof *exchange->links);
    return 0;
}

static int make(struct ff_cuda_exchange *exchange, struct ff_cuda_memory *memory,
                const struct ff_backend_plan *plan, struct ff_error *error)
{
    find_access(exchange);
    if (copy_links(exchange, plan, error) < 0 || make_streams(exchange, error) < 0 ||
        make_cells(exchange, memory, plan->tiles, error) < 0 ||
        make_shares(exchange, memory, error) < 0 || make_link_copies(exchange, memory, error) < 0)
        return -1;
    FF_CUDA(exchange->calls, cudaStreamSynchronize(exchange->stream));
    return ff_cuda_report(exchange->calls, error);
}

struct ff_cuda_exchange *ff_cuda_exchange_create(struct ff_cuda_calls *calls,
                                                 struct ff_cuda_memory *memory,
                                                 const struct ff_backend_plan *plan,
                                                 const struct ff_cuda_partial *sums,
                                                 struct ff_error *error)
{
    if (plan->count > FF_CUDA_DEVICES) {
        ff_fail(error, FF_INVALID_ARGUMENT, "%u CUDA devices; at most %d work on one object",
                plan->count, FF_CUDA_DEVICES);
        return NULL;
    }
    struct ff_cuda_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %s", what);
        return NULL;
    }
    exchange->calls = calls;
    exchange->sums = *sums;
    exchange->number = plan->number;
    exchange->count = plan->count;
    exchange->tile = plan->tile;
    ff_cuda_numbers(plan->places, plan->count, exchange->places);
    if (make(exchange, memory, plan, error) == 0)
        return exchange;
    ff_cuda_exchange_destroy(exchange);
    return NULL;
}

/* A device that is lost has nothing to wait for. */
static void wait_for_all(const struct ff_cuda_exchange *exchange)
{
    for (unsigned i = 0; i < exchange->count; i++) {
        if (cudaSetDevice(exchange->places[i]) != cudaSuccess ||
            cudaDeviceSynchronize() != cudaSuccess)
            (void)cudaGetLastError();
    }
    FF_CUDA_ALWAYS(exchange->calls, cudaSetDevice(exchange->calls->device));
}

static void end_event(const struct ff_cuda_exchange *exchange, cudaEvent_t event)
{
    if (event != NULL)
        FF_CUDA_ALWAYS(exchange->calls, cudaEventDestroy(event));
}

static void end_stream(const struct ff_cuda_exchange *exchange, cudaStream_t stream)
{
    if (stream != NULL)
        FF_CUDA_ALWAYS(exchange->calls, cudaStreamDestroy(stream));
}

void ff_cuda_exchange_destroy(struct ff_cuda_exchange *exchange)
{
    if (exchange == NULL)
        return;
    wait_for_all(exchange);
    for (int i = 0; i < DONE_COUNT; i++)
        end_event(exchange, exchange->done[i]);
    end_event(exchange, exchange->fetched);
    end_event(exchange, exchange->stepped);
    end_stream(exchange, exchange->stream);
    end_stream(exchange, exchange->late);
    end_stream(exchange, exchange->copying);
    free(exchange->links);
    free(exchange->copies);
    free(exchange);
}
