/* Waves at the detector against what was measured there. */
#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/modulus.h"
#include "functions/reconstruct/backends/cuda/reduce.cuh"

namespace
{

constexpr uint32_t THREADS = 256;
constexpr uint32_t PIXELS = 4 * THREADS; /* of a piece */
constexpr unsigned WARP = 32;
constexpr float TINY = 1e-30F;

/* The objective there and what the wave is multiplied with to be χ's transform. */
struct factors {
    float amplitude, objective, factor;
};

/* 1 / √a, or next to nothing's where a is nothing. */
__device__ inline float reciprocal_root(float a)
{
    return rsqrtf(fmaxf(a, TINY));
}

__device__ inline struct factors gaussian(float intensity, float counts, float scale, float back)
{
    float root = reciprocal_root(intensity);
    float measured = sqrtf(counts);
    float error = intensity * root * scale - measured;
    return {error * error, error * error, measured * root * (back / scale) - back};
}

__device__ inline struct factors poisson(float intensity, float counts, float scale, float back)
{
    struct factors factors = gaussian(intensity, counts, scale, back);
    float lit = intensity * scale * scale + static_cast<float>(FF_POISSON_DARK);
    factors.objective = intensity * scale * scale - counts * logf(lit);
    factors.factor = (counts / lit - 1) * 0.5F * back;
    return factors;
}

/* With q = √d / √I, z / √I = (ρ + √(ρ² + 4 (1+ρ) q²)) / (2 (1+ρ)): struct ff_projection. */
__device__ inline struct factors proximal(float intensity, float counts, float scale, float back)
{
    const float rho = FF_POISSON_PROXIMAL;
    const float endless = 1e6F; /* for q, whose square is then still a number */
    struct factors factors = poisson(intensity, counts, scale, back);
    float q = fminf(sqrtf(counts) * reciprocal_root(intensity * scale * scale), endless);
    float ratio = (sqrtf(q * q * (4 * (1 + rho)) + rho * rho) + rho) / (2 * (1 + rho));
    factors.factor = (ratio - 1) * back;
    return factors;
}

__device__ inline struct factors factors_of(const struct ff_cuda_modulus &m, float intensity,
                                            float counts)
{
    if (m.asked == FF_CUDA_PROXIMAL)
        return proximal(intensity, counts, m.scale, m.back);
    if (m.asked == FF_CUDA_LIKELIHOOD)
        return poisson(intensity, counts, m.scale, m.back);
    return gaussian(intensity, counts, m.scale, m.back);
}

/* One pixel of a pattern: I over all its waves, then the factor for each. What is read twice is in the caches. */
__device__ inline void pixel_of(const struct ff_cuda_modulus &m, size_t count, size_t frame,
                                const float2 *from, float2 *to, float2 *keep, float counts,
                                bool measured, double (&sums)[FF_CUDA_PIECE_NUMBERS])
{
    float intensity = 0;
    for (size_t i = 0; i < count; i++)
        intensity += square_of(from[i * frame]);
    if (keep != nullptr)
        for (size_t i = 0; i < count; i++)
            keep[i * frame] = scaled(m.scale, from[i * frame]);
    struct factors here = factors_of(m, intensity, counts);
    float factor = m.bound > 0 ? fminf(here.factor, m.bound * m.back) : here.factor;
    if (measured) {
        sums[0] += static_cast<double>(here.amplitude);
        sums[1] += static_cast<double>(here.objective);
        if (m.scales_wanted) {
            float lit = intensity * m.scale * m.scale;
            sums[2] += static_cast<double>(sqrtf(lit * counts));
            sums[3] += static_cast<double>(lit);
        }
    }
    for (size_t i = 0; i < count && !m.cost_alone; i++)
        to[i * frame] = measured ? scaled(factor, from[i * frame]) : make_float2(0, 0);
}

/* A block has a piece of one pattern. */
__global__ void __launch_bounds__(THREADS)
    modulus(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_modulus m)
{
    __shared__ double room[FF_CUDA_PIECE_NUMBERS][THREADS / WARP];
    uint32_t i = blockIdx.x / pieces;
    uint32_t piece = blockIdx.x % pieces;
    size_t number = chunk.patterns[i];
    size_t frame = frame_size(chunk.shape);
    size_t count = static_cast<size_t>(chunk.shape.fly) * chunk.shape.modes;
    float2 *to = m.waves + i * count * frame;
    float2 *kept = m.kept != nullptr ? m.kept + number * count * frame : nullptr;
    const float2 *from = m.from_kept ? kept : to;
    const size_t counts = (m.counts.by_place ? i : number) * frame;
    double sums[FF_CUDA_PIECE_NUMBERS] = {0, 0, 0, 0};
    for (uint32_t step = 0; step < PIXELS / THREADS; step++) {
        size_t at = static_cast<size_t>(piece) * PIXELS + step * THREADS + threadIdx.x;
        if (at >= frame)
            break;
        pixel_of(m, count, frame, from + at, to + at,
                 kept != nullptr && !m.from_kept ? kept + at : nullptr,
                 counts_at(m.counts, counts + at), m.measured == nullptr || m.measured[at] != 0,
                 sums);
    }
    double all[FF_CUDA_PIECE_NUMBERS];
    block_sums<THREADS>(sums, room, threadIdx.x, all);
    double *numbers = m.numbers + static_cast<size_t>(blockIdx.x) * FF_CUDA_PIECE_NUMBERS;
    for (uint32_t k = 0; threadIdx.x == 0 && k < FF_CUDA_PIECE_NUMBERS; k++)
        numbers[k] = all[k];
}

/* A warp a pattern: each lane takes every 32nd piece. */
__global__ void __launch_bounds__(THREADS) gather_numbers(struct ff_cuda_gathered g)
{
    uint32_t i = blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP;
    if (i >= g.count)
        return;
    double sums[FF_CUDA_PIECE_NUMBERS] = {0, 0, 0, 0};
    for (uint32_t piece = threadIdx.x % WARP; piece < g.pieces; piece += WARP)
        for (uint32_t k = 0; k < FF_CUDA_PIECE_NUMBERS; k++)
            sums[k] +=
                g.numbers[(static_cast<size_t>(i) * g.pieces + piece) * FF_CUDA_PIECE_NUMBERS + k];
    for (uint32_t k = 0; k < FF_CUDA_PIECE_NUMBERS; k++)
        sums[k] = warp_sum(sums[k]);
    if (threadIdx.x % WARP > 0)
        return;
    size_t number = g.patterns[i];
    g.costs[number] = sums[0];
    g.cost_sums[2 * number] += sums[0];
    g.cost_sums[2 * number + 1] += sums[1];
    if (g.scales != nullptr) {
        g.scales[2 * number] = sums[2];
        g.scales[2 * number + 1] = sums[3];
    }
}

/* A single block. */
__global__ void __launch_bounds__(THREADS)
    take_costs(double *cost_sums, size_t patterns, double *answer)
{
    __shared__ double room[2][THREADS / WARP];
    double sums[2] = {0, 0}, all[2];
    for (size_t n = threadIdx.x; n < patterns; n += THREADS)
        for (uint32_t k = 0; k < 2; k++) {
            sums[k] += cost_sums[2 * n + k];
            cost_sums[2 * n + k] = 0;
        }
    block_sums<THREADS>(sums, room, threadIdx.x, all);
    for (uint32_t k = 0; threadIdx.x == 0 && k < 2; k++)
        answer[k] = all[k];
}

} // namespace

uint32_t ff_cuda_modulus_pieces(const struct ff_cuda_shape *shape)
{
    size_t frame = static_cast<size_t>(shape->frame_rows) * shape->frame_columns;
    return static_cast<uint32_t>((frame + PIXELS - 1) / PIXELS);
}

bool ff_cuda_apply_modulus(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const struct ff_cuda_modulus *m)
{
    uint32_t pieces = ff_cuda_modulus_pieces(&chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * pieces), dim3(THREADS), 0, modulus,
                          "modulus", *chunk, pieces, *m);
}

bool ff_cuda_gather_numbers(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_gathered *gathered)
{
    uint32_t warps = THREADS / WARP;
    return ff_cuda_launch(calls, stream, dim3((gathered->count + warps - 1) / warps), dim3(THREADS),
                          0, gather_numbers, "gather_numbers", *gathered);
}

bool ff_cuda_take_costs(struct ff_cuda_calls *calls, cudaStream_t stream, double *cost_sums,
                        size_t patterns, double *answer)
{
    return ff_cuda_launch(calls, stream, dim3(1), dim3(THREADS), 0, take_costs, "take_costs",
                          cost_sums, patterns, answer);
}
