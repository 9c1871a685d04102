/* The step with settled sums where they lie: one launch less on the way from the last sum to the next batch. */
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
    if (pixel.there)
        move(s.object + tile_place_of(settled, pixel), settled.cells.object[pixel.at],
             settled.cells.weight[pixel.at], s.alpha_object, floor, s.length_object);
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
    struct share_place place = share_place_of(shares, at.pixel);
    const struct ff_cuda_share &share = shares.of[place.owner];
    move(s.probe + static_cast<size_t>(at.plane) * pixels + at.pixel,
         share.probe[at.plane * place.size + place.at], share.power[power * place.size + place.at],
         s.alpha_probe, floor, s.length_probe);
}

/* Blocks of the cells first, then of the tile, then of the probe. */
__global__ void __launch_bounds__(THREADS)
    step_settled(struct ff_cuda_settled settled, struct ff_cuda_settled_step s,
                 uint32_t cell_blocks, uint32_t tile_blocks)
{
    __shared__ unsigned room;
    if (blockIdx.x >= cell_blocks + tile_blocks) {
        move_probe(settled, s, blockIdx.x - cell_blocks - tile_blocks, room);
        return;
    }
    float floor = floor_of(settled.shares, 0, s.alpha_object, room);
    if (blockIdx.x < cell_blocks)
        move_cell(settled, s, blockIdx.x, floor);
    else
        move_own(settled, s, blockIdx.x - cell_blocks, floor);
}

} // namespace

bool ff_cuda_step_settled(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_settled *settled,
                          const struct ff_cuda_settled_step *step)
{
    const struct ff_cuda_shares &shares = settled->shares;
    bool object = step->object != nullptr;
    size_t pixels = static_cast<size_t>(step->tile_rows) * step->tile_columns;
    uint32_t cell_blocks = object ? settled->cells.run_count : 0;
    uint32_t tile_blocks = object ? static_cast<uint32_t>((pixels + THREADS - 1) / THREADS) : 0;
    uint32_t probe_blocks =
        step->probe != nullptr ? plane_pieces(shares.rows * shares.columns) * shares.probes : 0;
    uint32_t blocks = cell_blocks + tile_blocks + probe_blocks;
    return blocks == 0 ||
           ff_cuda_launch(calls, stream, dim3(blocks), dim3(THREADS), 0, step_settled,
                          "step_settled", *settled, *step, cell_blocks, tile_blocks);
}
