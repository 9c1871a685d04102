/*
 * functions/reconstruct/backends/cuda/exposure.cuh: what a pattern sees at a pixel, for kernels.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_EXPOSURE_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_EXPOSURE_CUH

#include "functions/reconstruct/backends/cuda/complex.cuh"
#include "functions/reconstruct/backends/cuda/exposure.h"

__device__ inline size_t frame_size(const struct ff_cuda_shape &shape)
{
    return static_cast<size_t>(shape.frame_rows) * shape.frame_columns;
}

__device__ inline size_t probe_size(const struct ff_cuda_shape &shape)
{
    return static_cast<size_t>(shape.rows) * shape.columns;
}

/* Where pixel (row, column) of the probe's window lies in a wave. */
__device__ inline size_t window_at(const struct ff_cuda_shape &shape, uint32_t row, uint32_t column)
{
    return static_cast<size_t>(row + shape.pad_row) * shape.frame_columns + column +
           shape.pad_column;
}

/* Pixel `at` of a frame as one of the probe's window. */
struct window_pixel {
    uint32_t row, column;
    bool lit;     /* it lies there; else the rest says nothing */
    size_t pixel; /* of the probe */
};

__device__ inline struct window_pixel window_pixel_of(const struct ff_cuda_shape &shape, size_t at)
{
    /* Left of the window or above it these wrap, and are far beyond it. */
    uint32_t row = static_cast<uint32_t>(at / shape.frame_columns) - shape.pad_row;
    uint32_t column = static_cast<uint32_t>(at % shape.frame_columns) - shape.pad_column;
    return {row, column, row < shape.rows && column < shape.columns,
            static_cast<size_t>(row) * shape.columns + column};
}

/* The place of an exposure of the chunk. */
__device__ inline const struct ff_cuda_place &place_of(const struct ff_cuda_chunk &chunk,
                                                       uint32_t exposure)
{
    uint32_t fly = chunk.shape.fly;
    return chunk.places[static_cast<size_t>(chunk.patterns[exposure / fly]) * fly + exposure % fly];
}

/* The patch at (row, column): s times the bilinear mean of the four pixels of `object` around it. The tile has a row and a
 * column more than any patch reaches. */
__device__ inline float2 patch_at(const float2 *object, const struct ff_cuda_shape &shape,
                                  const struct ff_cuda_place &place, uint32_t row, uint32_t column)
{
    const float2 *at =
        object + static_cast<size_t>(place.row + row) * shape.tile_columns + place.column + column;
    float2 a = at[0], b = at[1], c = at[shape.tile_columns], d = at[shape.tile_columns + 1];
    float x1 = place.x, x0 = 1 - place.x;
    float y1 = place.scale * place.y, y0 = place.scale * (1 - place.y);
    return make_float2(y0 * (x0 * a.x + x1 * b.x) + y1 * (x0 * c.x + x1 * d.x),
                       y0 * (x0 * a.y + x1 * b.y) + y1 * (x0 * c.y + x1 * d.y));
}

/* Mode m of the probe of an exposure at `pixel`: P_m, for the first P_0 + Σ_c w_nc E_c. Probes that were made for each exposure
 * have that in them. */
__device__ inline float2 probe_at(const struct ff_cuda_probes &probes,
                                  const struct ff_cuda_chunk &chunk, uint32_t exposure, uint32_t m,
                                  size_t pixel)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    size_t size = probe_size(shape);
    float2 value = probes.values[exposure * probes.stride + m * size + pixel];
    if (m > 0 || shape.eigenprobes == 0 || probes.stride > 0)
        return value;
    const float *weights =
        chunk.weights +
        static_cast<size_t>(chunk.patterns[exposure / shape.fly]) * shape.eigenprobes;
    for (uint32_t c = 0; c < shape.eigenprobes; c++) {
        float2 e = probes.values[(shape.modes + c) * size + pixel];
        value.x += weights[c] * e.x;
        value.y += weights[c] * e.y;
    }
    return value;
}

__device__ inline float counts_at(const struct ff_cuda_frames &counts, size_t at)
{
    return counts.u16 != nullptr ? static_cast<float>(counts.u16[at]) : counts.f32[at];
}

/* How an exposure counts for probe i: N_E,c has w_nc of χ_0. */
__device__ inline float share_of(const struct ff_cuda_chunk &chunk, uint32_t exposure, uint32_t i)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    if (i < shape.modes)
        return 1;
    return chunk
        .weights[static_cast<size_t>(chunk.patterns[exposure / shape.fly]) * shape.eigenprobes + i -
                 shape.modes];
}

#endif
