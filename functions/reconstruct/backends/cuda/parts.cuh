/*
 * functions/reconstruct/backends/cuda/parts.cuh: sums over the exposures of a chunk at each pixel of the object, for kernels. A block
 * has a part of the tile, asks each exposure that touches it in turn, and its threads add up what their own pixels are answered.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_PARTS_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_PARTS_CUH

#include "functions/reconstruct/backends/cuda/exposure.cuh"

constexpr uint32_t FF_PART_THREADS = 256;
constexpr uint32_t FF_PART_SIDE = 32; /* of the object's part of a block */
constexpr uint32_t FF_PART_OWN =
    FF_PART_SIDE * FF_PART_SIDE / FF_PART_THREADS;   /* pixels of it that a thread has */
constexpr uint32_t FF_PART_REACH = FF_PART_SIDE + 1; /* the taps look one back */
constexpr uint32_t FF_PART_WARPS = FF_PART_THREADS / 32;

/* The part of the object that a block has. */
struct part {
    uint32_t row, column;
};

__device__ inline struct part part_of(const struct ff_cuda_shape &shape, uint32_t block)
{
    uint32_t across = (shape.tile_columns + FF_PART_SIDE - 1) / FF_PART_SIDE;
    return {block / across * FF_PART_SIDE, block % across * FF_PART_SIDE};
}

__host__ inline uint32_t parts_of_tile(const struct ff_cuda_shape &shape)
{
    return (shape.tile_rows + FF_PART_SIDE - 1) / FF_PART_SIDE *
           ((shape.tile_columns + FF_PART_SIDE - 1) / FF_PART_SIDE);
}

/* Where pixel i of those that a thread has lies in the tile. */
__device__ inline uint32_t own_row(struct part part, uint32_t i)
{
    return part.row + threadIdx.x / FF_PART_SIDE + i * (FF_PART_THREADS / FF_PART_SIDE);
}

__device__ inline uint32_t own_column(struct part part)
{
    return part.column + threadIdx.x % FF_PART_SIDE;
}

/* Whether the patch, with the row and column that its taps reach further, touches the part. */
__device__ inline bool touches(const struct ff_cuda_shape &shape, const struct ff_cuda_place &place,
                               struct part part)
{
    return place.row < part.row + FF_PART_SIDE && place.row + shape.rows + 1 > part.row &&
           place.column < part.column + FF_PART_SIDE &&
           place.column + shape.columns + 1 > part.column;
}

/* 1 where the patch, with what its taps reach further, has a pixel of the tile. */
__device__ inline uint32_t reaches(const struct ff_cuda_shape &shape,
                                   const struct ff_cuda_place &place, uint32_t row, uint32_t column)
{
    return row - place.row <= shape.rows && column - place.column <= shape.columns ? 1 : 0;
}

/* Calls each(i, row, column) for the pixels [part - 1, part + FF_PART_SIDE) of a part, i by row, that are a thread's to ask; row and
 * column are of the patch at `place`. */
template <typename Each>
__device__ inline void for_asked(const struct ff_cuda_place &place, struct part part, Each each)
{
    for (uint32_t i = threadIdx.x; i < FF_PART_REACH * FF_PART_REACH; i += FF_PART_THREADS) {
        /* Before the window these wrap, and are far beyond it. */
        uint32_t row = part.row + i / FF_PART_REACH - 1 - place.row;
        uint32_t column = part.column + i % FF_PART_REACH - 1 - place.column;
        each(i, row, column);
    }
}

/* Which of the exposures [base, base + FF_PART_THREADS) touch the part: a bit each. */
__device__ inline void find_touching(const struct ff_cuda_chunk &chunk, uint32_t base,
                                     uint32_t exposures, struct part part,
                                     uint32_t (&found)[FF_PART_WARPS])
{
    uint32_t exposure = base + threadIdx.x;
    bool hit = exposure < exposures && touches(chunk.shape, place_of(chunk, exposure), part);
    uint32_t bits = __ballot_sync(0xffffffffU, hit);
    if (threadIdx.x % 32 == 0)
        found[threadIdx.x / 32] = bits;
    __syncthreads();
}

/* Calls each(exposure) for those of the chunk that touch the part, in their order. All threads call. */
template <typename Each>
__device__ inline void for_touching(const struct ff_cuda_chunk &chunk, struct part part,
                                    uint32_t (&found)[FF_PART_WARPS], Each each)
{
    uint32_t exposures = chunk.count * chunk.shape.fly;
    for (uint32_t base = 0; base < exposures; base += FF_PART_THREADS) {
        find_touching(chunk, base, exposures, part, found);
        for (uint32_t warp = 0; warp < FF_PART_WARPS; warp++)
            for (uint32_t bits = found[warp]; bits != 0; bits &= bits - 1)
                each(base + warp * 32 + static_cast<uint32_t>(__ffs(static_cast<int>(bits))) - 1);
        __syncthreads();
    }
}

/* The bits of a thread's pixels that the patch reaches. */
__device__ inline uint32_t reached_by(const struct ff_cuda_shape &shape,
                                      const struct ff_cuda_place &place, struct part part)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < FF_PART_OWN; i++)
        bits |= reaches(shape, place, own_row(part, i), own_column(part)) << i;
    return bits;
}

/* Of a thread's pixels those that patterns [from, end) of the batch reach, counted from the first of the chunk. */
__device__ inline uint32_t reached_by_others(const struct ff_cuda_chunk &chunk, int32_t from,
                                             int32_t end, struct part part,
                                             uint32_t (&found)[FF_PART_WARPS])
{
    struct ff_cuda_chunk others = chunk;
    uint32_t bits = 0;
    others.patterns += from;
    others.count = static_cast<uint32_t>(end - from);
    for_touching(others, part, found, [&](uint32_t exposure) {
        bits |= reached_by(chunk.shape, place_of(others, exposure), part);
    });
    return bits;
}

/* What becomes of a thread's pixels, a bit each. The first chunk that reaches a pixel sets it, later ones add, and the first of all
 * zeroes what nobody reaches. Others are not touched: what devices share of them may be under way to them. */
struct turns {
    uint32_t written, earlier; /* of the written those that earlier chunks of the batch have set */
};

/* Of those that the chunk `reached`, of whose batch `before` of `all` patterns come before it. */
__device__ inline struct turns turns_of(const struct ff_cuda_chunk &chunk, uint32_t before,
                                        uint32_t all, struct part part, uint32_t reached,
                                        uint32_t (&found)[FF_PART_WARPS])
{
    int32_t count = static_cast<int32_t>(chunk.count);
    uint32_t earlier = 0, nothing = 0;
    if (before > 0)
        earlier = reached_by_others(chunk, -static_cast<int32_t>(before), 0, part, found);
    else
        nothing = ~reached_by_others(chunk, count, static_cast<int32_t>(all), part, found);
    return {reached | nothing, earlier};
}

/* Calls each(i, at, is_set) for those of a thread's pixels that are written, `at` in the tile. */
template <typename Each>
__device__ inline void for_written(const struct ff_cuda_shape &shape, struct part part,
                                   struct turns turns, Each each)
{
    for (uint32_t i = 0; i < FF_PART_OWN; i++) {
        uint32_t row = own_row(part, i), column = own_column(part);
        if ((turns.written >> i & 1) != 0 && row < shape.tile_rows && column < shape.tile_columns)
            each(i, static_cast<size_t>(row) * shape.tile_columns + column,
                 (turns.earlier >> i & 1) != 0);
    }
}

#endif
