/* The search along a direction. */
#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/line.h"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/step.h"

#include <algorithm>

namespace
{

constexpr uint32_t THREADS = 256;
constexpr uint32_t PIXELS = 4 * THREADS; /* of a piece of a pattern */
constexpr size_t BLOCKS_MOST = 1U << 20;
constexpr float TINY = 1e-30F;

/* The waves of one mode at a pixel of the window. */
__device__ inline void direction_at(const struct ff_cuda_direction &d,
                                    const struct ff_cuda_chunk &chunk, uint32_t exposure,
                                    uint32_t m, size_t pixel, float2 patch, float2 patch_step,
                                    float2 &wave, float2 &second)
{
    if (d.parts & FF_PART_OBJECT)
        wave = times(patch_step, probe_at(d.probes, chunk, exposure, m, pixel));
    if (d.parts & FF_PART_PROBE) {
        float2 probe_step = probe_at(d.probe_steps, chunk, exposure, m, pixel);
        wave = plus(wave, times(patch, probe_step));
        second = times(patch_step, probe_step);
    }
}

/* A thread a pixel of a frame, for all modes: patches are read once. A block has one exposure. */
__global__ void __launch_bounds__(THREADS)
    form_direction(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_direction d)
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
    float2 patch = make_float2(0, 0), patch_step = make_float2(0, 0);
    if (lit && (d.parts & FF_PART_OBJECT))
        patch_step = patch_at(d.object_step, shape, place_of(chunk, exposure), row, column);
    if (lit && (d.parts & FF_PART_PROBE))
        patch = patch_at(d.object, shape, place_of(chunk, exposure), row, column);
    size_t first = static_cast<size_t>(exposure) * shape.modes * frame + at;
    for (uint32_t m = 0; m < shape.modes; m++) {
        float2 wave = make_float2(0, 0), second = make_float2(0, 0);
        if (lit)
            direction_at(d, chunk, exposure, m, pixel, patch, patch_step, wave, second);
        d.waves[first + m * frame] = wave;
        if (d.second != nullptr)
            d.second[first + m * frame] = second;
    }
}

/* What one wave adds to the coefficients of the intensity. */
__device__ inline void add_quadratic(float2 f, float2 g, float (&sums)[FF_CUDA_JOINT_DEGREE + 1])
{
    sums[0] += square_of(f);
    sums[1] += 2 * real_product(f, g);
    sums[2] += square_of(g);
}

__device__ inline void add_quartic(float2 f, float2 g, float2 h,
                                   float (&sums)[FF_CUDA_JOINT_DEGREE + 1])
{
    add_quadratic(f, g, sums);
    sums[2] += 2 * real_product(f, h);
    sums[3] += 2 * real_product(g, h);
    sums[4] += square_of(h);
}

/* A thread a pixel of a pattern, over all its waves. Six blocks a multiprocessor leave it the registers to read several waves at
 * once. */
__global__ void __launch_bounds__(THREADS, 6)
    form_coefficients(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_coefficients c)
{
    uint32_t i = blockIdx.x / pieces;
    size_t at = static_cast<size_t>(blockIdx.x % pieces) * THREADS + threadIdx.x;
    size_t frame = frame_size(chunk.shape);
    size_t count = static_cast<size_t>(chunk.shape.fly) * chunk.shape.modes;
    size_t number = chunk.patterns[i];
    uint32_t degree = c.second != nullptr ? FF_CUDA_JOINT_DEGREE : FF_CUDA_LINE_DEGREE;
    float sums[FF_CUDA_JOINT_DEGREE + 1] = {0, 0, 0, 0, 0};
    if (at >= frame)
        return;
    if (at == 0)
        c.on_line[number] = 1;
    size_t here = i * count * frame + at, there = number * count * frame + at;
    for (size_t wave = 0; wave < count; wave++, here += frame, there += frame) {
        float2 f = c.kept[there], g = scaled(c.scale, c.waves[here]);
        if (c.second != nullptr)
            add_quartic(f, g, scaled(c.scale, c.second[here]), sums);
        else
            add_quadratic(f, g, sums);
        if (c.directions != nullptr)
            c.directions[there] = g;
    }
    float *values = c.values + number * (degree + 1) * frame + at;
    for (uint32_t j = 0; j <= FF_CUDA_JOINT_DEGREE; j++)
        if (j <= degree)
            values[j * frame] = sums[j];
}

/* A value, and its slope and curve by γ. */
struct along {
    float value, slope, curve;
};

/* Rounding may leave less than nothing where waves all but cancel. */
__device__ inline struct along polynomial(const float (&c)[FF_CUDA_JOINT_DEGREE + 1], float gamma)
{
    struct along i = {0, 0, 0};
    for (uint32_t j = FF_CUDA_JOINT_DEGREE + 1; j-- > 0;) {
        i.curve = i.curve * gamma + 2 * i.slope;
        i.slope = i.slope * gamma + i.value;
        i.value = i.value * gamma + c[j];
    }
    i.value = fmaxf(i.value, 0);
    return i;
}

__device__ inline struct along gaussian(struct along intensity, float counts)
{
    float root = rsqrtf(fmaxf(intensity.value, TINY));
    float measured = sqrtf(counts);
    float error = intensity.value * root - measured;
    float ratio = measured * root;
    float bend = intensity.slope * root;
    return {error * error, intensity.slope * (1 - ratio),
            intensity.curve * (1 - ratio) + 0.5F * ratio * bend * bend};
}

__device__ inline struct along poisson(struct along intensity, float counts)
{
    float lit = intensity.value + static_cast<float>(FF_POISSON_DARK);
    float ratio = counts / lit;
    float bend = intensity.slope / lit;
    return {intensity.value - counts * logf(lit), intensity.slope * (1 - ratio),
            intensity.curve * (1 - ratio) + counts * bend * bend};
}

/* Pixel `at` of pattern `number`. */
__device__ inline void add_pixel(const struct ff_cuda_length &l, size_t number, size_t frame,
                                 size_t at, double (&sums)[FF_CUDA_ANSWER_NUMBERS])
{
    float c[FF_CUDA_JOINT_DEGREE + 1];
    if (l.measured != nullptr && l.measured[at] == 0)
        return;
    const float *values = l.values + number * (l.degree + 1) * frame + at;
    for (uint32_t j = 0; j <= FF_CUDA_JOINT_DEGREE; j++)
        c[j] = j <= l.degree ? values[j * frame] : 0;
    float counts = counts_at(l.counts, number * frame + at);
    struct along intensity = polynomial(c, l.gamma);
    struct along here = l.poisson ? poisson(intensity, counts) : gaussian(intensity, counts);
    sums[0] += static_cast<double>(here.value);
    sums[1] += static_cast<double>(here.slope);
    sums[2] += static_cast<double>(here.curve);
    sums[3] += 2 * static_cast<double>(c[2]);
}

/* Pieces of all patterns go round the blocks, whose number is fixed, and so is the order of the sums. */
__global__ void __launch_bounds__(THREADS) line_pieces(struct ff_cuda_length l, double *pieces)
{
    __shared__ double room[FF_CUDA_ANSWER_NUMBERS][THREADS / 32];
    double sums[FF_CUDA_ANSWER_NUMBERS] = {0, 0, 0, 0};
    size_t frame = frame_size(l.shape);
    size_t each = (frame + PIXELS - 1) / PIXELS;
    if (blockIdx.x >= l.patterns * each) {
        leave_zeros<FF_CUDA_ANSWER_NUMBERS>(pieces);
        return;
    }
    for (size_t piece = blockIdx.x; piece < l.patterns * each; piece += gridDim.x) {
        size_t number = piece / each;
        if (!l.on_line[number])
            continue;
        size_t first = piece % each * PIXELS + threadIdx.x;
        for (uint32_t step = 0; step < PIXELS; step += THREADS)
            if (first + step < frame)
                add_pixel(l, number, frame, first + step, sums);
    }
    leave_piece<THREADS>(sums, room, pieces);
}

__global__ void __launch_bounds__(THREADS)
    advance(float2 *to, const float2 *from, float gamma, size_t each, size_t values,
            const uint8_t *on_line)
{
    size_t stride = static_cast<size_t>(gridDim.x) * THREADS;
    for (size_t i = static_cast<size_t>(blockIdx.x) * THREADS + threadIdx.x; i < values;
         i += stride)
        if (on_line == nullptr || on_line[i / each])
            to[i] = plus(to[i], scaled(gamma, from[i]));
}

uint32_t pieces_of(const struct ff_cuda_shape &shape)
{
    size_t frame = static_cast<size_t>(shape.frame_rows) * shape.frame_columns;
    return static_cast<uint32_t>((frame + THREADS - 1) / THREADS);
}

} // namespace

bool ff_cuda_form_direction(struct ff_cuda_calls *calls, cudaStream_t stream,
                            const struct ff_cuda_chunk *chunk,
                            const struct ff_cuda_direction *direction)
{
    uint32_t pieces = pieces_of(chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(THREADS), 0, form_direction, "form_direction", *chunk, pieces,
                          *direction);
}

bool ff_cuda_form_coefficients(struct ff_cuda_calls *calls, cudaStream_t stream,
                               const struct ff_cuda_chunk *chunk,
                               const struct ff_cuda_coefficients *coefficients)
{
    uint32_t pieces = pieces_of(chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * pieces), dim3(THREADS), 0,
                          form_coefficients, "form_coefficients", *chunk, pieces, *coefficients);
}

bool ff_cuda_length_terms(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_length *length, double *pieces, double *answer)
{
    return ff_cuda_launch(calls, stream, dim3(FF_CUDA_PARTS * FF_CUDA_ANSWER_PIECES), dim3(THREADS),
                          0, line_pieces, "line_pieces", *length, pieces) &&
           ff_cuda_add_pieces(calls, stream, FF_CUDA_PARTS, pieces, answer);
}

bool ff_cuda_advance_values(struct ff_cuda_calls *calls, cudaStream_t stream, float2 *to,
                            const float2 *from, float gamma, size_t each, size_t count,
                            const uint8_t *on_line)
{
    size_t values = each * count;
    size_t blocks = std::min((values + THREADS - 1) / THREADS, BLOCKS_MOST);
    if (values == 0)
        return true;
    return ff_cuda_launch(calls, stream, dim3(static_cast<uint32_t>(blocks)), dim3(THREADS), 0,
                          advance, "advance", to, from, gamma, each, values, on_line);
}
