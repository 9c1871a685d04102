/* Numbers of each pattern: inner products of χ with what would change the exit wave. */
#include "functions/reconstruct/backends/cuda/pieces.cuh"

namespace
{

constexpr uint32_t THREADS = FF_PIECE_THREADS;
constexpr uint32_t WARP = 32;
constexpr uint32_t PAIRS_AT_ONCE = 4; /* of eigenprobes, that share the reading of a patch */
constexpr uint32_t SLOPES = FF_CUDA_SLOPE_NUMBERS;
constexpr uint32_t STRAINS = FF_CUDA_STRAIN_NUMBERS;

/* --- moves of the patch --- */

/* What a pixel has to say of moves: b_y b_x A_yy A_yx A_xx of FF_TERMS_POSITIONS before they are summed. */
struct slopes {
    float b[2], h[3];
};

/* The derivatives of patch_at() by a move. */
__device__ inline void derive_patch(const float2 *object, const struct ff_cuda_shape &shape,
                                    const struct ff_cuda_place &place, uint32_t row,
                                    uint32_t column, float2 &by_row, float2 &by_column)
{
    const float2 *at =
        object + static_cast<size_t>(place.row + row) * shape.tile_columns + place.column + column;
    float2 a = at[0], b = at[1], c = at[shape.tile_columns], d = at[shape.tile_columns + 1];
    float x1 = place.scale * place.x, x0 = place.scale * (1 - place.x);
    float y1 = place.scale * place.y, y0 = place.scale * (1 - place.y);
    by_row = make_float2(x0 * (c.x - a.x) + x1 * (d.x - b.x), x0 * (c.y - a.y) + x1 * (d.y - b.y));
    by_column =
        make_float2(y0 * (b.x - a.x) + y1 * (d.x - c.x), y0 * (b.y - a.y) + y1 * (d.y - c.y));
}

__device__ inline struct slopes slopes_at(const struct ff_cuda_chunk &chunk,
                                          const struct ff_cuda_terms &t, uint32_t exposure,
                                          uint32_t row, uint32_t column)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const size_t frame = frame_size(shape);
    const size_t pixel = static_cast<size_t>(row) * shape.columns + column;
    const float2 *wave = t.waves + static_cast<size_t>(exposure) * shape.modes * frame +
                         window_at(shape, row, column);
    float2 product = make_float2(0, 0);
    float light = 0;
    for (uint32_t m = 0; m < shape.modes; m++) {
        float2 probe = probe_at(t.probes, chunk, exposure, m, pixel);
        product = plus(product, conjugate_times(probe, wave[m * frame]));
        light += square_of(probe);
    }
    float2 by_row, by_column;
    derive_patch(t.object, shape, place_of(chunk, exposure), row, column, by_row, by_column);
    return {{real_product(by_row, product), real_product(by_column, product)},
            {light * square_of(by_row), light * real_product(by_row, by_column),
             light * square_of(by_column)}};
}

__device__ inline void add_slopes(const struct slopes &here, float *sums)
{
    for (uint32_t i = 0; i < 2; i++)
        sums[i] += here.b[i];
    for (uint32_t i = 0; i < 3; i++)
        sums[2 + i] += here.h[i];
}

/* In the order of FF_TERMS_STRAINS, at (y, x) from the middle of the window. */
__device__ inline void add_strains(const struct slopes &here, float y, float x, float *sums)
{
    for (uint32_t i = 0; i < 2; i++) {
        sums[2 * i] += here.b[i] * y;
        sums[2 * i + 1] += here.b[i] * x;
    }
    for (uint32_t i = 0; i < 3; i++) {
        sums[4 + 2 * i] += here.h[i] * y;
        sums[5 + 2 * i] += here.h[i] * x;
        sums[10 + 3 * i] += here.h[i] * y * y;
        sums[11 + 3 * i] += here.h[i] * y * x;
        sums[12 + 3 * i] += here.h[i] * x * x;
    }
}

__global__ void __launch_bounds__(THREADS)
    slope_pieces(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_terms t)
{
    __shared__ struct ff_piece_room<SLOPES> room;
    const struct ff_piece piece = piece_of(chunk.shape, blockIdx.x, pieces);
    float sums[SLOPES] = {};
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += THREADS)
        add_slopes(
            slopes_at(chunk, t, piece.exposure, at / chunk.shape.columns, at % chunk.shape.columns),
            sums);
    leave_sums(sums, room, t.numbers + static_cast<size_t>(blockIdx.x) * SLOPES);
}

__global__ void __launch_bounds__(THREADS)
    strain_pieces(struct ff_cuda_chunk chunk, uint32_t pieces, struct ff_cuda_terms t)
{
    constexpr uint32_t NUMBERS = SLOPES + STRAINS;
    __shared__ struct ff_piece_room<NUMBERS> room;
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct ff_piece piece = piece_of(shape, blockIdx.x, pieces);
    const float middle_row = static_cast<float>(shape.rows - 1) / 2;
    const float middle_column = static_cast<float>(shape.columns - 1) / 2;
    float sums[NUMBERS] = {};
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += THREADS) {
        uint32_t row = at / shape.columns, column = at % shape.columns;
        const struct slopes here = slopes_at(chunk, t, piece.exposure, row, column);
        add_slopes(here, sums);
        add_strains(here, static_cast<float>(row) - middle_row,
                    static_cast<float>(column) - middle_column, sums + SLOPES);
    }
    leave_sums(sums, room, t.numbers + static_cast<size_t>(blockIdx.x) * NUMBERS);
}

/* --- weights of eigenprobes --- */

/* Of eigenprobe c with `pairs` others from d on: (S E_c)* χ_0, then |S|² E_c* E_d of each. */
__device__ inline void add_pairs(const struct ff_cuda_chunk &chunk, const struct ff_cuda_terms &t,
                                 const struct ff_piece &piece, uint32_t c, uint32_t d,
                                 uint32_t pairs, float (&sums)[1 + PAIRS_AT_ONCE])
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct ff_cuda_place &place = place_of(chunk, piece.exposure);
    const size_t size = probe_size(shape);
    const float2 *waves =
        t.waves + static_cast<size_t>(piece.exposure) * shape.modes * frame_size(shape);
    const float2 *eigenprobes =
        t.probes.values + piece.exposure * t.probes.stride + shape.modes * size;
    for (uint32_t at = piece.from + threadIdx.x; at < piece.end; at += THREADS) {
        uint32_t row = at / shape.columns, column = at % shape.columns;
        float2 patch = patch_at(t.object, shape, place, row, column);
        float2 own = eigenprobes[c * size + at];
        float2 lit = scaled(square_of(patch), own);
        sums[0] += real_product(times(patch, own), waves[window_at(shape, row, column)]);
        for (uint32_t i = 0; i < PAIRS_AT_ONCE; i++)
            if (i < pairs)
                sums[1 + i] += real_product(lit, eigenprobes[(d + i) * size + at]);
    }
}

/* A block has one eigenprobe of its piece, with all before it. */
__global__ void __launch_bounds__(THREADS)
    weight_pieces(struct ff_cuda_chunk chunk, uint32_t pieces, uint32_t each,
                  struct ff_cuda_terms t)
{
    __shared__ struct ff_piece_room<1 + PAIRS_AT_ONCE> room;
    const uint32_t eigenprobes = chunk.shape.eigenprobes;
    const uint32_t c = blockIdx.x % eigenprobes;
    const uint32_t block = blockIdx.x / eigenprobes;
    const struct ff_piece piece = piece_of(chunk.shape, block, pieces);
    double *numbers = t.numbers + static_cast<size_t>(block) * each;
    double *products = numbers + eigenprobes + c * (c + 1) / 2;
    for (uint32_t d = 0; d <= c; d += PAIRS_AT_ONCE) {
        const uint32_t pairs = c + 1 - d < PAIRS_AT_ONCE ? c + 1 - d : PAIRS_AT_ONCE;
        float sums[1 + PAIRS_AT_ONCE] = {};
        double wide[1 + PAIRS_AT_ONCE], all[1 + PAIRS_AT_ONCE];
        add_pairs(chunk, t, piece, c, d, pairs, sums);
        for (uint32_t i = 0; i < 1 + PAIRS_AT_ONCE; i++)
            wide[i] = static_cast<double>(sums[i]);
        block_sums<THREADS>(wide, room.sums, threadIdx.x, all);
        if (threadIdx.x > 0)
            continue;
        numbers[c] = all[0];
        for (uint32_t i = 0; i < pairs; i++)
            products[d + i] = all[1 + i];
    }
}

/* --- rows --- */

/* A warp a number: each lane takes every 32nd piece. */
__global__ void __launch_bounds__(THREADS)
    add_rows(const uint32_t *patterns, size_t numbers, struct ff_cuda_rows r)
{
    size_t i = static_cast<size_t>(blockIdx.x) * (THREADS / WARP) + threadIdx.x / WARP;
    if (i >= numbers)
        return;
    size_t group = i / r.count, k = i % r.count;
    const double *from = r.numbers + group * r.pieces * r.each + r.from + k;
    double sum = 0;
    for (uint32_t piece = threadIdx.x % WARP; piece < r.pieces; piece += WARP)
        sum += from[static_cast<size_t>(piece) * r.each];
    sum = warp_sum(sum);
    if (threadIdx.x % WARP == 0)
        r.rows[(patterns[group / r.groups] * static_cast<size_t>(r.groups) + group % r.groups) *
                   r.width +
               r.to + k] = sum;
}

} // namespace

uint32_t ff_cuda_term_pieces(const struct ff_cuda_shape *shape)
{
    return (shape->rows * shape->columns + FF_PIECE_PIXELS - 1) / FF_PIECE_PIXELS;
}

bool ff_cuda_slope_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms)
{
    uint32_t pieces = ff_cuda_term_pieces(&chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(THREADS), 0, slope_pieces, "slope_pieces", *chunk, pieces, *terms);
}

bool ff_cuda_strain_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms)
{
    uint32_t pieces = ff_cuda_term_pieces(&chunk->shape);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * chunk->shape.fly * pieces),
                          dim3(THREADS), 0, strain_pieces, "strain_pieces", *chunk, pieces, *terms);
}

bool ff_cuda_weight_pieces(struct ff_cuda_calls *calls, cudaStream_t stream,
                           const struct ff_cuda_chunk *chunk, const struct ff_cuda_terms *terms)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t pieces = ff_cuda_term_pieces(&shape);
    return ff_cuda_launch(
        calls, stream, dim3(chunk->count * shape.fly * pieces * shape.eigenprobes), dim3(THREADS),
        0, weight_pieces, "weight_pieces", *chunk, pieces, ff_cuda_weight_numbers(&shape), *terms);
}

bool ff_cuda_add_rows(struct ff_cuda_calls *calls, cudaStream_t stream,
                      const struct ff_cuda_chunk *chunk, const struct ff_cuda_rows *rows)
{
    const uint32_t warps = THREADS / WARP;
    size_t numbers = static_cast<size_t>(chunk->count) * rows->groups * rows->count;
    return ff_cuda_launch(calls, stream, dim3(static_cast<uint32_t>((numbers + warps - 1) / warps)),
                          dim3(THREADS), 0, add_rows, "add_rows", chunk->patterns, numbers, *rows);
}
