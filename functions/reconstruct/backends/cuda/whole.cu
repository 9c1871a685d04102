/* Whole sums from the partial ones of all devices, in the order of their numbers. */
#include "functions/reconstruct/backends/cuda/launch.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/whole.h"

namespace
{

constexpr unsigned THREADS = FF_CUDA_RUN;

struct pixel {
    uint32_t row, column; /* of the object */
    uint32_t at;          /* in the whole sums */
    uint32_t sharers;
    bool there;
};

__device__ inline struct pixel pixel_of(const struct ff_cuda_cells &cells, uint32_t run)
{
    struct ff_cuda_run begin = cells.runs[run];
    struct ff_cuda_cell cell = cells.cells[begin.cell];
    uint32_t i = begin.first + threadIdx.x;
    return {cell.row + i / cell.columns, cell.column + i % cell.columns, cell.begin + i,
            cell.sharers, i < cell.pixels};
}

/* A thread a pixel: each partial sum is read once. */
__global__ void __launch_bounds__(THREADS)
    settle_cells(struct ff_cuda_views views, struct ff_cuda_cells cells, unsigned *greatest)
{
    __shared__ float room[THREADS / 32];
    struct pixel pixel = pixel_of(cells, blockIdx.x);
    float2 sum = make_float2(0, 0);
    float weight = 0;
    for (uint32_t i = 0; pixel.there && i < views.count; i++) {
        const struct ff_cuda_view &view = views.of[i];
        if ((pixel.sharers >> i & 1) == 0 || pixel.row < view.first_row ||
            pixel.row >= view.end_row)
            continue;
        size_t at =
            static_cast<size_t>(pixel.row - view.row) * view.columns + pixel.column - view.column;
        float2 part = view.object[at];
        sum.x += part.x;
        sum.y += part.y;
        weight += view.weight[at];
    }
    if (pixel.there) {
        cells.object[pixel.at] = sum;
        cells.weight[pixel.at] = weight;
    }
    join_greatest<THREADS>(weight, room, threadIdx.x, greatest);
}

/* Planes of the probe, of complex numbers first, then of weights: block by block. */
struct plane_pixel {
    uint32_t plane;
    uint32_t pixel; /* of the plane's */
};

__host__ __device__ inline uint32_t pieces_of(uint32_t pixels)
{
    return (pixels + THREADS - 1) / THREADS;
}

__device__ inline struct plane_pixel plane_pixel_of(uint32_t block, uint32_t pixels)
{
    uint32_t pieces = pieces_of(pixels);
    return {block / pieces, block % pieces * THREADS + threadIdx.x};
}

__global__ void __launch_bounds__(THREADS)
    settle_rows(struct ff_cuda_views views, struct ff_cuda_settled_rows r)
{
    __shared__ float room[THREADS / 32];
    if (blockIdx.x == 0 && threadIdx.x == 0)
        atomicMax(r.greatest, *r.partial);
    uint32_t pixels = (r.end - r.first) * r.columns;
    if (pixels == 0 || r.probes + r.powers == 0)
        return;
    struct plane_pixel at = plane_pixel_of(blockIdx.x, pixels);
    size_t whole = static_cast<size_t>(r.rows) * r.columns;
    size_t from = static_cast<size_t>(r.first) * r.columns + at.pixel;
    if (at.plane < r.probes) {
        float2 sum = make_float2(0, 0);
        if (at.pixel >= pixels)
            return;
        for (uint32_t i = 0; i < views.count; i++) {
            float2 part = views.of[i].probe[at.plane * whole + from];
            sum.x += part.x;
            sum.y += part.y;
        }
        r.probe[static_cast<size_t>(at.plane) * pixels + at.pixel] = sum;
        return;
    }
    at.plane -= r.probes;
    float sum = 0;
    if (at.pixel < pixels) {
        for (uint32_t i = 0; i < views.count; i++)
            sum += views.of[i].power[at.plane * whole + from];
        r.power[static_cast<size_t>(at.plane) * pixels + at.pixel] = sum;
    }
    join_greatest<THREADS>(sum, room, threadIdx.x, r.greatest + 1 + at.plane);
}

__device__ inline void spread_cell(const struct ff_cuda_cells &cells,
                                   const struct ff_cuda_place_of_sums &to)
{
    struct pixel pixel = pixel_of(cells, blockIdx.x);
    if (!pixel.there)
        return;
    size_t at = static_cast<size_t>(pixel.row - to.tile_row) * to.tile_columns + pixel.column -
                to.tile_column;
    to.object[at] = cells.object[pixel.at];
    to.weight[at] = cells.weight[pixel.at];
}

__device__ inline void spread_rows(const struct ff_cuda_shares &shares,
                                   const struct ff_cuda_place_of_sums &to, uint32_t block)
{
    uint32_t pixels = shares.rows * shares.columns;
    struct plane_pixel at = plane_pixel_of(block, pixels);
    if (at.pixel >= pixels)
        return;
    uint32_t owner = 0;
    uint32_t row = at.pixel / shares.columns;
    while (row >= shares.of[owner].end)
        owner++;
    const struct ff_cuda_share &share = shares.of[owner];
    size_t size = static_cast<size_t>(share.end - share.first) * shares.columns;
    size_t from = at.pixel - static_cast<size_t>(share.first) * shares.columns;
    size_t plane = at.plane;
    if (plane < shares.probes) {
        to.probe[plane * pixels + at.pixel] = share.probe[plane * size + from];
        return;
    }
    plane -= shares.probes;
    to.power[plane * pixels + at.pixel] = share.power[plane * size + from];
}

__device__ inline void spread_maximum(const struct ff_cuda_shares &shares,
                                      const struct ff_cuda_place_of_sums &to)
{
    uint32_t i = to.maxima_first + threadIdx.x;
    unsigned most = 0;
    if (i >= to.maxima_end)
        return;
    for (uint32_t device = 0; device < shares.count; device++) {
        unsigned one = shares.of[device].greatest[i];
        most = one > most ? one : most;
    }
    to.greatest[i] = most;
}

/* Blocks of cells first, then those of the probe, then one for the maxima. */
__global__ void __launch_bounds__(THREADS)
    spread_sums(struct ff_cuda_cells cells, struct ff_cuda_shares shares,
                struct ff_cuda_place_of_sums to)
{
    if (blockIdx.x < cells.run_count)
        spread_cell(cells, to);
    else if (blockIdx.x + 1 < gridDim.x)
        spread_rows(shares, to, blockIdx.x - cells.run_count);
    else
        spread_maximum(shares, to);
}

} // namespace

bool ff_cuda_settle_cells(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_views *views, const struct ff_cuda_cells *cells,
                          unsigned *greatest)
{
    return cells->run_count == 0 ||
           ff_cuda_launch(calls, stream, dim3(cells->run_count), dim3(THREADS), 0, settle_cells,
                          "settle_cells", *views, *cells, greatest);
}

bool ff_cuda_settle_rows(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_views *views, const struct ff_cuda_settled_rows *rows)
{
    uint32_t blocks =
        pieces_of((rows->end - rows->first) * rows->columns) * (rows->probes + rows->powers);
    return ff_cuda_launch(calls, stream, dim3(blocks > 0 ? blocks : 1), dim3(THREADS), 0,
                          settle_rows, "settle_rows", *views, *rows);
}

bool ff_cuda_spread_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_cells *cells, const struct ff_cuda_shares *shares,
                         const struct ff_cuda_place_of_sums *to)
{
    uint32_t probe_blocks =
        pieces_of(shares->rows * shares->columns) * (shares->probes + shares->powers);
    return ff_cuda_launch(calls, stream, dim3(cells->run_count + probe_blocks + 1), dim3(THREADS),
                          0, spread_sums, "spread_sums", *cells, *shares, *to);
}
