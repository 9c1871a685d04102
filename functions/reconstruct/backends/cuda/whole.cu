/* Whole sums from the partial ones of all devices, in the order of their numbers. */
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/whole.cuh"

namespace
{

constexpr unsigned THREADS = FF_CUDA_RUN;

/* A thread a pixel: each partial sum is read once. Nobody but the owner reads or writes its sums there meanwhile. */
__device__ inline void settle_cell(const struct ff_cuda_views &views,
                                   const struct ff_cuda_cells &cells,
                                   const struct ff_cuda_tile &tile, float (&room)[THREADS / 32],
                                   unsigned *greatest)
{
    struct shared_pixel pixel = shared_pixel_of(cells, blockIdx.x);
    if (tile.sums != nullptr) {
        float2 sum = object_sum(views.of, pixel);
        if (pixel.there)
            tile.sums[place_in(tile, pixel)] = sum;
    }
    if (tile.weight == nullptr)
        return;
    float weight = 0;
    for_parts(views.of, pixel,
              [&](const struct ff_cuda_view &view, size_t at) { weight += view.weight[at]; });
    if (pixel.there)
        tile.weight[place_in(tile, pixel)] = weight;
    join_greatest<THREADS>(weight, room, threadIdx.x, greatest);
}

__device__ inline void settle_row(const struct ff_cuda_views &views,
                                  const struct ff_cuda_settled_rows &r, uint32_t block,
                                  float (&room)[THREADS / 32])
{
    if (block == 0 && threadIdx.x == 0 && r.partial != nullptr)
        atomicMax(r.greatest, *r.partial);
    uint32_t pixels = (r.end - r.first) * r.columns;
    if (pixels == 0 || r.probes + r.powers == 0)
        return;
    struct plane_pixel at = plane_pixel_of(block, pixels);
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

/* Blocks of this device's cells first, then those of the probe's rows. */
__global__ void __launch_bounds__(THREADS)
    settle_sums(struct ff_cuda_views views, struct ff_cuda_cells cells, struct ff_cuda_tile tile,
                struct ff_cuda_settled_rows rows)
{
    __shared__ float room[THREADS / 32];
    if (blockIdx.x < cells.own_count)
        settle_cell(views, cells, tile, room, rows.greatest);
    else
        settle_row(views, rows, blockIdx.x - cells.own_count, room);
}

__device__ inline void spread_cell(const struct ff_cuda_settled &settled,
                                   const struct ff_cuda_place_of_sums &to)
{
    struct shared_pixel pixel =
        shared_pixel_of(settled.cells, settled.cells.own_count + blockIdx.x);
    if (!pixel.there)
        return;
    const struct ff_cuda_whole &whole = settled.whole[pixel.owner];
    size_t at = tile_place_of(settled, pixel), from = place_in(whole, pixel);
    to.object[at] = whole.sums[from];
    to.weight[at] = whole.weight[from];
}

__device__ inline void spread_rows(const struct ff_cuda_shares &shares,
                                   const struct ff_cuda_place_of_sums &to, uint32_t block)
{
    uint32_t pixels = shares.rows * shares.columns;
    struct plane_pixel at = plane_pixel_of(block, pixels);
    if (at.pixel >= pixels)
        return;
    size_t plane = at.plane;
    if (plane < shares.probes) {
        to.probe[plane * pixels + at.pixel] = probe_sum(shares, plane, at.pixel);
        return;
    }
    plane -= shares.probes;
    to.power[plane * pixels + at.pixel] = power_at(shares, plane, at.pixel);
}

__device__ inline void spread_maximum(const struct ff_cuda_shares &shares,
                                      const struct ff_cuda_place_of_sums &to)
{
    uint32_t i = to.maxima_first + threadIdx.x;
    if (i < to.maxima_end)
        to.greatest[i] = greatest_of(shares, i);
}

__host__ __device__ inline uint32_t others_of(const struct ff_cuda_cells &cells)
{
    return cells.run_count - cells.own_count;
}

/* Blocks of the others' cells first, then those of the probe, then one for the maxima. */
__global__ void __launch_bounds__(THREADS)
    spread_sums(struct ff_cuda_settled settled, struct ff_cuda_place_of_sums to)
{
    if (blockIdx.x < others_of(settled.cells))
        spread_cell(settled, to);
    else if (blockIdx.x + 1 < gridDim.x)
        spread_rows(settled.shares, to, blockIdx.x - others_of(settled.cells));
    else
        spread_maximum(settled.shares, to);
}

} // namespace

bool ff_cuda_settle_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_views *views, const struct ff_cuda_cells *cells,
                         const struct ff_cuda_tile *tile, const struct ff_cuda_settled_rows *rows)
{
    uint32_t row_blocks =
        plane_pieces((rows->end - rows->first) * rows->columns) * (rows->probes + rows->powers);
    if (rows->partial != nullptr && row_blocks == 0)
        row_blocks = 1;
    return cells->own_count + row_blocks == 0 ||
           ff_cuda_launch(calls, stream, dim3(cells->own_count + row_blocks), dim3(THREADS), 0,
                          settle_sums, "settle_sums", *views, *cells, *tile, *rows);
}

bool ff_cuda_spread_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_settled *settled,
                         const struct ff_cuda_place_of_sums *to)
{
    const struct ff_cuda_shares &shares = settled->shares;
    uint32_t probe_blocks =
        plane_pieces(shares.rows * shares.columns) * (shares.probes + shares.powers);
    return ff_cuda_launch(calls, stream, dim3(others_of(settled->cells) + probe_blocks + 1),
                          dim3(THREADS), 0, spread_sums, "spread_sums", *settled, *to);
}
