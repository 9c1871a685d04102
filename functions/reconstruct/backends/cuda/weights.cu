/* What the exposures of a chunk light of the object: W. */
#include "functions/reconstruct/backends/cuda/parts.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/weights.h"

namespace
{

constexpr uint32_t THREADS = FF_PART_THREADS;

/* Σ_m |P_m|² at every pixel of an exposure's window that touches the part. */
struct light {
    float at[FF_PART_REACH][FF_PART_REACH];
};

__device__ inline void find_light(const struct ff_cuda_chunk &chunk,
                                  const struct ff_cuda_weights &w, uint32_t exposure,
                                  const struct ff_cuda_place &place, struct part part,
                                  struct light &light)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    for_asked(place, part, [&](uint32_t i, uint32_t row, uint32_t column) {
        float sum = 0;
        if (row < shape.rows && column < shape.columns)
            for (uint32_t m = 0; m < shape.modes; m++)
                sum += square_of(probe_at(w.probes, chunk, exposure, m,
                                          static_cast<size_t>(row) * shape.columns + column));
        light.at[i / FF_PART_REACH][i % FF_PART_REACH] = sum;
    });
}

/* s² times the light at pixel (row, column) of the part, by the squares' share that the taps of patch_at() have. */
__device__ inline float weight_of(const struct light &light, const struct ff_cuda_place &place,
                                  uint32_t row, uint32_t column)
{
    float x1 = place.x, x0 = 1 - place.x;
    float y1 = place.y, y0 = 1 - place.y;
    const float(&l)[FF_PART_REACH][FF_PART_REACH] = light.at;
    return place.scale * place.scale *
           (y0 * (x0 * l[row + 1][column + 1] + x1 * l[row + 1][column]) +
            y1 * (x0 * l[row][column + 1] + x1 * l[row][column]));
}

/* A block a part of the tile. */
__global__ void __launch_bounds__(THREADS)
    weigh(struct ff_cuda_chunk chunk, struct ff_cuda_weights w)
{
    __shared__ struct light light;
    __shared__ uint32_t found[FF_PART_WARPS];
    __shared__ float room[THREADS / 32];
    const struct part part = part_of(chunk.shape, blockIdx.x);
    float own[FF_PART_OWN] = {}, most = 0;
    uint32_t reached = 0;
    for_touching(chunk, part, found, [&](uint32_t exposure) {
        const struct ff_cuda_place place = place_of(chunk, exposure);
        reached |= reached_by(chunk.shape, place, part);
        find_light(chunk, w, exposure, place, part, light);
        __syncthreads();
        for (uint32_t i = 0; i < FF_PART_OWN; i++)
            own[i] += weight_of(light, place, own_row(part, i) - part.row,
                                own_column(part) - part.column);
        __syncthreads();
    });
    const struct turns turns = turns_of(chunk, w.before, w.all, part, reached, found);
    for_written(chunk.shape, part, turns, [&](uint32_t i, size_t at, bool is_set) {
        float sum = is_set ? w.weight[at] + own[i] : own[i];
        w.weight[at] = sum;
        most = fmaxf(most, sum);
    });
    join_greatest<THREADS>(most, room, threadIdx.x, w.greatest);
}

} // namespace

bool ff_cuda_weigh(struct ff_cuda_calls *calls, cudaStream_t stream,
                   const struct ff_cuda_chunk *chunk, const struct ff_cuda_weights *weights)
{
    return ff_cuda_launch(calls, stream, dim3(parts_of_tile(chunk->shape)), dim3(THREADS), 0, weigh,
                          "weigh", *chunk, *weights);
}
