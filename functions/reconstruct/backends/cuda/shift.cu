/* Spectra of probes, of what exposures see of them, and of what they ask of them. */
#include "functions/reconstruct/backends/cuda/lanes.cuh"
#include "functions/reconstruct/backends/cuda/pieces.cuh"
#include "functions/reconstruct/backends/cuda/shift.h"

namespace
{

constexpr uint32_t THREADS = 256;

/* The frequency of element i of n, in cycles over the whole: ff_frequency() of fresnel.h. */
__device__ inline int frequency(uint32_t i, uint32_t n)
{
    return static_cast<int>(i) - (i < (n + 1) / 2 ? 0 : static_cast<int>(n));
}

/* A thread an element of a ramp. */
__global__ void __launch_bounds__(THREADS)
    make_ramps(struct ff_cuda_chunk chunk, uint32_t elements, float2 *ramps)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const uint32_t i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= elements)
        return;
    const uint32_t length = shape.rows + shape.columns;
    const struct ff_cuda_place &place = place_of(chunk, i / length);
    const uint32_t at = i % length;
    const bool row = at < shape.rows;
    const uint32_t n = row ? shape.rows : shape.columns;
    const int f = frequency(row ? at : at - shape.rows, n);
    const double size = row ? 1.0 / (static_cast<double>(shape.rows) * shape.columns) : 1;
    double sine, cosine;
    sincospi(-2.0 * f * static_cast<double>(row ? place.rest_y : place.rest_x) / n, &sine, &cosine);
    ramps[i] = make_float2(static_cast<float>(size * cosine), static_cast<float>(size * sine));
}

/* What turns the spectrum of an exposure at (row, column). */
__device__ inline float2 ramp_at(const struct ff_cuda_shape &shape, const float2 *ramps,
                                 uint32_t exposure, uint32_t row, uint32_t column)
{
    const float2 *own = ramps + static_cast<size_t>(exposure) * (shape.rows + shape.columns);
    return times(own[row], own[shape.rows + column]);
}

/* The pixel of the window that a thread has, and its exposure, where a block has 1 / pieces of one. */
struct spot {
    uint32_t exposure, pixel, row, column;
    bool inside;
};

__device__ inline struct spot spot_of(const struct ff_cuda_shape &shape, uint32_t block,
                                      uint32_t pieces)
{
    const uint32_t pixel = block % pieces * THREADS + threadIdx.x;
    return {block / pieces, pixel, pixel / shape.columns, pixel % shape.columns,
            pixel < shape.rows * shape.columns};
}

__global__ void __launch_bounds__(THREADS)
    turn_spectra(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_probes spectra,
                 const float2 *ramps, uint32_t probes, float2 *shifted)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct spot spot = spot_of(shape, blockIdx.x, pieces);
    if (!spot.inside)
        return;
    const size_t size = probe_size(shape);
    const float2 ramp = ramp_at(shape, ramps, spot.exposure, spot.row, spot.column);
    float2 *to = shifted + static_cast<size_t>(spot.exposure) * probes * size + spot.pixel;
    for (uint32_t i = 0; i < probes; i++)
        to[i * size] = times(ramp, probe_at(spectra, chunk, spot.exposure, i, spot.pixel));
}

__global__ void __launch_bounds__(THREADS)
    form_products(struct ff_cuda_chunk chunk, uint32_t pieces, const float2 *object,
                  const float2 *waves, float2 *products)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct spot spot = spot_of(shape, blockIdx.x, pieces);
    if (!spot.inside)
        return;
    const size_t size = probe_size(shape), frame = frame_size(shape);
    const float2 patch =
        patch_at(object, shape, place_of(chunk, spot.exposure), spot.row, spot.column);
    const float2 *from = waves + static_cast<size_t>(spot.exposure) * shape.modes * frame +
                         window_at(shape, spot.row, spot.column);
    float2 *to = products + static_cast<size_t>(spot.exposure) * shape.modes * size + spot.pixel;
    for (uint32_t m = 0; m < shape.modes; m++)
        to[m * size] = conjugate_times(patch, from[m * frame]);
}

__device__ inline void sum_lane(const struct ff_cuda_chunk &chunk, const float2 *products,
                                const float2 *ramps, const struct ff_lane_work &work,
                                float2 (&sums)[FF_PROBES_AT_ONCE])
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const size_t size = probe_size(shape);
    const uint32_t probes = shape.modes + shape.eigenprobes;
    const uint32_t row = static_cast<uint32_t>(work.pixel / shape.columns);
    const uint32_t column = static_cast<uint32_t>(work.pixel % shape.columns);
    for (uint32_t exposure = work.from; exposure < work.end; exposure++) {
        float2 ramp = ramp_at(shape, ramps, exposure, row, column);
        const float2 *from =
            products + static_cast<size_t>(exposure) * shape.modes * size + work.pixel;
        for (uint32_t j = 0; j < FF_PROBES_AT_ONCE; j++) {
            uint32_t i = work.first + j;
            if (i >= probes)
                break;
            float2 back = conjugate_times(ramp, from[(i < shape.modes ? i : 0) * size]);
            sums[j] = plus(sums[j], scaled(share_of(chunk, exposure, i), back));
        }
    }
}

__global__ void __launch_bounds__(FF_LANE_THREADS)
    sum_spectra(struct ff_cuda_chunk chunk, const float2 *products, const float2 *ramps, bool first,
                float2 *spectra)
{
    __shared__ struct ff_lane_room room;
    const struct ff_lane_work work = lane_work_of(chunk, blockIdx.x);
    float2 sums[FF_PROBES_AT_ONCE] = {};
    if (work.pixel < probe_size(chunk.shape))
        sum_lane(chunk, products, ramps, work, sums);
    leave_lanes(chunk.shape, work, sums, room, first, spectra);
}

/* b of a move along each axis is Re Σ (∂P)* S* χ over pixels, and so over frequencies, where ∂ is a factor i κ. */
__global__ void __launch_bounds__(FF_PIECE_THREADS)
    shift_pieces(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_probes spectra,
                 const float2 *products, const float2 *ramps, double *numbers)
{
    __shared__ struct ff_piece_room<FF_CUDA_SHIFT_NUMBERS> room;
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct ff_piece piece = piece_of(shape, blockIdx.x, pieces);
    const size_t size = probe_size(shape);
    const float2 *own = products + static_cast<size_t>(piece.exposure) * shape.modes * size;
    const float turn = -6.283185307179586F;
    float sums[FF_CUDA_SHIFT_NUMBERS] = {};
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += FF_PIECE_THREADS) {
        const uint32_t row = at / shape.columns, column = at % shape.columns;
        float2 seen = make_float2(0, 0); /* Σ_m of P* S* χ */
        for (uint32_t m = 0; m < shape.modes; m++)
            seen = plus(seen, conjugate_times(probe_at(spectra, chunk, piece.exposure, m, at),
                                              own[m * size + at]));
        seen = conjugate_times(ramp_at(shape, ramps, piece.exposure, row, column), seen);
        sums[0] += turn * static_cast<float>(frequency(row, shape.rows)) /
                   static_cast<float>(shape.rows) * seen.y;
        sums[1] += turn * static_cast<float>(frequency(column, shape.columns)) /
                   static_cast<float>(shape.columns) * seen.y;
    }
    leave_sums(sums, room, numbers + static_cast<size_t>(blockIdx.x) * FF_CUDA_SHIFT_NUMBERS);
}

uint32_t pieces_of(const struct ff_cuda_shape &shape)
{
    return (shape.rows * shape.columns + THREADS - 1) / THREADS;
}

/* A thread a pixel of each exposure's window. */
dim3 grid_of(const struct ff_cuda_chunk *chunk)
{
    return dim3(chunk->count * chunk->shape.fly * pieces_of(chunk->shape));
}

} // namespace

bool ff_cuda_make_ramps(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, float2 *ramps)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t elements = chunk->count * shape.fly * (shape.rows + shape.columns);
    return ff_cuda_launch(calls, stream, dim3((elements + THREADS - 1) / THREADS), dim3(THREADS), 0,
                          make_ramps, "make_ramps", *chunk, elements, ramps);
}

bool ff_cuda_turn_spectra(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const float2 *spectra,
                          const float2 *ramps, uint32_t probes, float2 *shifted)
{
    const struct ff_cuda_probes all = {spectra, 0};
    return ff_cuda_launch(calls, stream, grid_of(chunk), dim3(THREADS), 0, turn_spectra,
                          "turn_spectra", *chunk, pieces_of(chunk->shape), all, ramps, probes,
                          shifted);
}

bool ff_cuda_form_products(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const float2 *object,
                           const float2 *waves, float2 *products)
{
    return ff_cuda_launch(calls, stream, grid_of(chunk), dim3(THREADS), 0, form_products,
                          "form_products", *chunk, pieces_of(chunk->shape), object, waves,
                          products);
}

bool ff_cuda_sum_spectra(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_chunk *chunk, const float2 *products,
                         const float2 *ramps, bool first, float2 *spectra)
{
    const uint32_t blocks = lane_pieces(chunk->shape) * lane_groups(chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(blocks), dim3(FF_LANE_THREADS), 0, sum_spectra,
                          "sum_spectra", *chunk, products, ramps, first, spectra);
}

bool ff_cuda_shift_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const float2 *spectra,
                          const float2 *products, const float2 *ramps, double *numbers)
{
    const uint32_t pieces = ff_cuda_term_pieces(&chunk->shape);
    const struct ff_cuda_probes all = {spectra, 0};
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(FF_PIECE_THREADS), 0, shift_pieces, "shift_pieces", *chunk, pieces,
                          all, products, ramps, numbers);
}
