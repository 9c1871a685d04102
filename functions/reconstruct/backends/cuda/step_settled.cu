/* The step with sums where they lie, settled or not: the fewest launches on the way from the last sum to the next batch. */
#include "functions/reconstruct/backends/cuda/complex.cuh"
#include "functions/reconstruct/backends/cuda/lifted.cuh"
#include "functions/reconstruct/backends/cuda/whole.cuh"

namespace
{

constexpr uint32_t THREADS = FF_CUDA_RUN;

/* α max X of all devices, for all threads of the block; they all call. */
__device__ inline float floor_of(const struct ff_cuda_shares &shares, uint32_t maximum, float alpha,
                                 unsigned &room)
{
    if (threadIdx.x == 0)
        room = greatest_of(shares, maximum);
    __syncthreads();
    return alpha * __uint_as_float(room);
}

__device__ inline void move(float2 *value, float2 gradient, float weight, float alpha, float floor,
                            float length)
{
    *value = plus(*value, scaled(length / lifted(1 - alpha, weight, floor), gradient));
}

__device__ inline bool is_shared(const struct ff_cuda_settled &settled, uint32_t row,
                                 uint32_t column)
{
    for (uint32_t i = 0; i < settled.box_count; i++) {
        const struct ff_cuda_box &box = settled.boxes[i];
        if (row - box.row < box.rows && column - box.column < box.columns)
            return true;
    }
    return false;
}

__device__ inline void move_cell(const struct ff_cuda_settled &settled,
                                 const struct ff_cuda_settled_step &s, uint32_t run, float floor)
{
    struct shared_pixel pixel = shared_pixel_of(settled.cells, run);
    if (!pixel.there)
        return;
    const struct ff_cuda_whole &whole = settled.whole[pixel.owner];
    move(s.object + tile_place_of(settled, pixel), object_sum(settled.parts, pixel),
         whole.weight[place_in(whole, pixel)], s.alpha_object, floor, s.length_object);
}

/* What no other device has. */
__device__ inline void move_own(const struct ff_cuda_settled &settled,
                                const struct ff_cuda_settled_step &s, uint32_t block, float floor)
{
    size_t at = static_cast<size_t>(block) * THREADS + threadIdx.x;
    uint32_t row = static_cast<uint32_t>(at / s.tile_columns);
    uint32_t column = static_cast<uint32_t>(at % s.tile_columns);
    if (row < s.tile_rows && !is_shared(settled, row, column))
        move(s.object + at, s.gradient[at], s.weight[at], s.alpha_object, floor, s.length_object);
}

/* Modes share a weight, but for the first one where there are eigenprobes, which has that of these. */
__device__ inline uint32_t power_of(const struct ff_cuda_shares &shares, uint32_t modes,
                                    uint32_t plane)
{
    return plane == 0 || plane >= modes ? shares.powers - 1 : 0;
}

__device__ inline void move_probe(const struct ff_cuda_settled &settled,
                                  const struct ff_cuda_settled_step &s, uint32_t block,
                                  unsigned &room)
{
    const struct ff_cuda_shares &shares = settled.shares;
    uint32_t pixels = shares.rows * shares.columns;
    struct plane_pixel at = plane_pixel_of(block, pixels);
    uint32_t power = power_of(shares, s.modes, at.plane);
    float floor = floor_of(shares, 1 + power, s.alpha_probe, room);
    if (at.pixel >= pixels)
        return;
    move(s.probe + static_cast<size_t>(at.plane) * pixels + at.pixel,
         probe_sum(shares, at.plane, at.pixel), power_at(shares, power, at.pixel), s.alpha_probe,
         floor, s.length_probe);
}

/* Runs of cells, from `first_run` on, then of the tile, then of the probe. */
struct blocks {
    uint32_t first_run, cells, tile, probe;
};

__global__ void __launch_bounds__(THREADS)
    step_settled(struct ff_cuda_settled settled, struct ff_cuda_settled_step s,
                 struct blocks blocks)
{
    __shared__ unsigned room;
    if (blockIdx.x >= blocks.cells + blocks.tile) {
        move_probe(settled, s, blockIdx.x - blocks.cells - blocks.tile, room);
        return;
    }
    float floor = floor_of(settled.shares, 0, s.alpha_object, room);
    if (blockIdx.x < blocks.cells)
        move_cell(settled, s, blocks.first_run + blockIdx.x, floor);
    else
        move_own(settled, s, blockIdx.x - blocks.cells, floor);
}

__global__ void __launch_bounds__(THREADS)
    fetch_steps(struct ff_cuda_settled settled, float2 *object)
{
    struct shared_pixel pixel =
        shared_pixel_of(settled.cells, settled.cells.own_count + blockIdx.x);
    if (!pixel.there)
        return;
    const struct ff_cuda_whole &whole = settled.whole[pixel.owner];
    object[tile_place_of(settled, pixel)] = whole.sums[place_in(whole, pixel)];
}

struct blocks blocks_of(const struct ff_cuda_settled &settled,
                        const struct ff_cuda_settled_step &step, unsigned parts)
{
    const struct ff_cuda_shares &shares = settled.shares;
    const struct ff_cuda_cells &cells = settled.cells;
    size_t pixels = static_cast<size_t>(step.tile_rows) * step.tile_columns;
    struct blocks blocks = {parts & FF_CUDA_STEP_OWNED ? 0 : cells.own_count, 0, 0, 0};
    uint32_t end = parts & FF_CUDA_STEP_OTHERS ? cells.run_count : cells.own_count;
    if (step.object != nullptr) {
        blocks.cells = end - blocks.first_run;
        blocks.tile = parts & FF_CUDA_STEP_ALONE
                          ? static_cast<uint32_t>((pixels + THREADS - 1) / THREADS)
                          : 0;
    }
    if (step.probe != nullptr && (parts & FF_CUDA_STEP_PROBE))
        blocks.probe = plane_pieces(shares.rows * shares.columns) * shares.probes;
    return blocks;
}

} // namespace

bool ff_cuda_step_settled(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_settled *settled,
                          const struct ff_cuda_settled_step *step, unsigned parts)
{
    const struct blocks blocks = blocks_of(*settled, *step, parts);
    uint32_t count = blocks.cells + blocks.tile + blocks.probe;
    return count == 0 || ff_cuda_launch(calls, stream, dim3(count), dim3(THREADS), 0, step_settled,
                                        "step_settled", *settled, *step, blocks);
}

bool ff_cuda_fetch_steps(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_settled *settled, float2 *object)
{
    uint32_t count = settled->cells.run_count - settled->cells.own_count;
    return count == 0 || ff_cuda_launch(calls, stream, dim3(count), dim3(THREADS), 0, fetch_steps,
                                        "fetch_steps", *settled, object);
}
