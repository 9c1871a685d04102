/* Exit waves that are kept against those that object and probe make. */
#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/projection.h"

namespace
{

constexpr uint32_t THREADS = 256;

/* The kept waves of an exposure of the chunk, at the corner. */
__device__ inline float2 *kept_of(const struct ff_cuda_chunk &chunk, float2 *kept,
                                  uint32_t exposure)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    size_t number = chunk.patterns[exposure / shape.fly];
    return kept + (number * shape.fly + exposure % shape.fly) * shape.modes * frame_size(shape);
}

/* A thread a pixel of a frame, for all modes: the patch is read once. A block has one exposure. */
__global__ void __launch_bounds__(THREADS)
    mix_waves(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_mixture mixture)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    uint32_t exposure = blockIdx.x / pieces;
    size_t at = static_cast<size_t>(blockIdx.x % pieces) * THREADS + threadIdx.x;
    size_t frame = frame_size(shape);
    if (at >= frame)
        return;
    const struct window_pixel window = window_pixel_of(shape, at);
    const uint32_t row = window.row, column = window.column;
    const bool lit = window.lit;
    const size_t pixel = window.pixel;
    const float2 *kept = kept_of(chunk, mixture.kept, exposure) +
                         static_cast<size_t>(row) * shape.frame_columns + column;
    float2 *to = mixture.waves + static_cast<size_t>(exposure) * shape.modes * frame + at;
    float2 patch = make_float2(0, 0);
    if (lit)
        patch = scaled(mixture.of_formed,
                       patch_at(mixture.object, shape, place_of(chunk, exposure), row, column));
    for (uint32_t m = 0; m < shape.modes; m++) {
        float2 value = make_float2(0, 0);
        if (lit)
            value = plus(times(patch, probe_at(mixture.probes, chunk, exposure, m, pixel)),
                         scaled(mixture.of_kept, kept[m * frame]));
        to[m * frame] = value;
    }
}

/* A thread a pixel of a window. */
__global__ void __launch_bounds__(THREADS)
    mix_kept(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_mixture mixture)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    uint32_t exposure = blockIdx.x / pieces;
    size_t pixel = static_cast<size_t>(blockIdx.x % pieces) * THREADS + threadIdx.x;
    size_t frame = frame_size(shape);
    if (pixel >= probe_size(shape))
        return;
    uint32_t row = static_cast<uint32_t>(pixel / shape.columns);
    uint32_t column = static_cast<uint32_t>(pixel % shape.columns);
    float2 *kept = kept_of(chunk, mixture.kept, exposure) +
                   static_cast<size_t>(row) * shape.frame_columns + column;
    const float2 *waves = mixture.waves + static_cast<size_t>(exposure) * shape.modes * frame +
                          window_at(shape, row, column);
    float2 patch = scaled(mixture.of_formed,
                          patch_at(mixture.object, shape, place_of(chunk, exposure), row, column));
    for (uint32_t m = 0; m < shape.modes; m++) {
        float2 value = times(patch, probe_at(mixture.probes, chunk, exposure, m, pixel));
        if (mixture.of_waves != 0)
            value = plus(value, scaled(mixture.of_waves, waves[m * frame]));
        if (mixture.of_kept != 0)
            value = plus(value, scaled(mixture.of_kept, kept[m * frame]));
        kept[m * frame] = value;
    }
}

uint32_t pieces_of(uint32_t rows, uint32_t columns)
{
    size_t size = static_cast<size_t>(rows) * columns;
    return static_cast<uint32_t>((size + THREADS - 1) / THREADS);
}

} // namespace

bool ff_cuda_mix_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                       const struct ff_cuda_chunk *chunk, const struct ff_cuda_mixture *mixture)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t pieces = pieces_of(shape.frame_rows, shape.frame_columns);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * shape.fly * pieces), dim3(THREADS), 0,
                          mix_waves, "mix_waves", *chunk, pieces, *mixture);
}

bool ff_cuda_mix_kept(struct ff_cuda_calls *calls, cudaStream_t stream,
                      const struct ff_cuda_chunk *chunk, const struct ff_cuda_mixture *mixture)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t pieces = pieces_of(shape.rows, shape.columns);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * shape.fly * pieces), dim3(THREADS), 0,
                          mix_kept, "mix_kept", *chunk, pieces, *mixture);
}
