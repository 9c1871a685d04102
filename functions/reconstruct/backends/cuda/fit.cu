/* Kept χ_0, and how far steps of object and probe fit it. */
#include "functions/reconstruct/backends/cuda/fit.h"
#include "functions/reconstruct/backends/cuda/pieces.cuh"

namespace
{

constexpr uint32_t THREADS = FF_PIECE_THREADS;

/* To the nearest that has zeros in its lower half, ties to even. */
__device__ inline uint32_t upper_half(float value)
{
    uint32_t bits = __float_as_uint(value);
    return (bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U;
}

__device__ inline float2 kept_value(uint32_t word)
{
    return make_float2(__uint_as_float(word & 0xffff0000U), __uint_as_float(word << 16));
}

__global__ void __launch_bounds__(THREADS)
    keep_exits(struct ff_cuda_chunk chunk, uint32_t pieces, const float2 *waves,
               const uint32_t *places, uint32_t *exits)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct ff_piece piece = piece_of(shape, blockIdx.x, pieces);
    const uint32_t place = places[piece.exposure / shape.fly];
    if (place == FF_CUDA_NO_EXIT)
        return;
    const float2 *wave =
        waves + static_cast<size_t>(piece.exposure) * shape.modes * frame_size(shape);
    uint32_t *to = exits + (static_cast<size_t>(place) * shape.fly + piece.exposure % shape.fly) *
                               probe_size(shape);
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += THREADS) {
        float2 value = wave[window_at(shape, at / shape.columns, at % shape.columns)];
        to[at] = upper_half(value.x) | upper_half(value.y) >> 16;
    }
}

/* What the steps change in the exit wave of the first mode at a pixel: by that of the object, and by that of the probe. */
struct changes {
    float2 u, v;
};

__device__ inline struct changes changes_at(const struct ff_cuda_chunk &chunk,
                                            const struct ff_cuda_fit &fit,
                                            const struct ff_cuda_place &place, uint32_t exposure,
                                            uint32_t at)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const uint32_t row = at / shape.columns, column = at % shape.columns;
    struct changes changes = {make_float2(0, 0), make_float2(0, 0)};
    if (fit.object_step != nullptr)
        changes.u = times(patch_at(fit.object_step, shape, place, row, column),
                          probe_at(fit.probes, chunk, exposure, 0, at));
    if (fit.probe_steps.values != nullptr)
        changes.v = times(patch_at(fit.object, shape, place, row, column),
                          probe_at(fit.probe_steps, chunk, exposure, 0, at));
    return changes;
}

__global__ void __launch_bounds__(THREADS)
    fit_pieces(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_fit fit)
{
    __shared__ struct ff_piece_room<FF_CUDA_STEP_NUMBERS> room;
    const struct ff_piece piece = piece_of(chunk.shape, blockIdx.x, pieces);
    const struct ff_cuda_place &place = place_of(chunk, piece.exposure);
    const uint32_t *exits = fit.exits + piece.exposure * probe_size(chunk.shape);
    float sums[FF_CUDA_STEP_NUMBERS] = {};
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += THREADS) {
        const struct changes here = changes_at(chunk, fit, place, piece.exposure, at);
        const float2 kept = kept_value(exits[at]);
        const float2 cross = conjugate_times(here.v, here.u);
        sums[0] += square_of(here.u);
        sums[1] += square_of(here.v);
        sums[2] += cross.x;
        sums[3] += cross.y;
        sums[4] += real_product(here.u, kept);
        sums[5] += real_product(here.v, kept);
    }
    leave_sums(sums, room, fit.numbers + static_cast<size_t>(blockIdx.x) * FF_CUDA_STEP_NUMBERS);
}

} // namespace

bool ff_cuda_keep_exits(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *waves,
                        const uint32_t *places, uint32_t *exits)
{
    uint32_t pieces = ff_cuda_term_pieces(&chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(THREADS), 0, keep_exits, "keep_exits", *chunk, pieces, waves, places,
                          exits);
}

bool ff_cuda_fit_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const struct ff_cuda_fit *fit)
{
    uint32_t pieces = ff_cuda_term_pieces(&chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(THREADS), 0, fit_pieces, "fit_pieces", *chunk, pieces, *fit);
}
