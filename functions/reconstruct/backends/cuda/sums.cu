/*
 * What the exit waves' changes ask of object and probe.
 *
 * Both read all of χ. They are one launch, so that what one of them reads the other finds in the second cache, which
 * holds the waves of a chunk.
 */
#include "functions/reconstruct/backends/cuda/lanes.cuh"
#include "functions/reconstruct/backends/cuda/parts.cuh"
#include "functions/reconstruct/backends/cuda/sums.h"

namespace
{

constexpr uint32_t THREADS = FF_LANE_THREADS;
static_assert(THREADS == FF_PART_THREADS, "blocks of both halves are of one launch");

/* --- the object --- */

/* What the exposure asks at every pixel of its window that touches the part: Σ_m P_m* χ_m. */
struct asked {
    float2 product[FF_PART_REACH][FF_PART_REACH];
};

__device__ inline void ask(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                           uint32_t exposure, const struct ff_cuda_place &place, struct part part,
                           struct asked &asked)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const float2 *waves = s.waves + static_cast<size_t>(exposure) * shape.modes * frame_size(shape);
    for_asked(place, part, [&](uint32_t i, uint32_t row, uint32_t column) {
        float2 product = make_float2(0, 0);
        if (row < shape.rows && column < shape.columns) {
            size_t at = window_at(shape, row, column);
            size_t pixel = static_cast<size_t>(row) * shape.columns + column;
            for (uint32_t m = 0; m < shape.modes; m++)
                product =
                    plus(product, conjugate_times(probe_at(s.probes, chunk, exposure, m, pixel),
                                                  waves[m * frame_size(shape) + at]));
        }
        asked.product[i / FF_PART_REACH][i % FF_PART_REACH] = product;
    });
}

/* The adjoint of patch_at() at pixel (row, column) of the part. */
__device__ inline float2 answer(const struct asked &asked, const struct ff_cuda_place &place,
                                uint32_t row, uint32_t column)
{
    float x1 = place.x, x0 = 1 - place.x;
    float y1 = place.y, y0 = 1 - place.y;
    const float2(&p)[FF_PART_REACH][FF_PART_REACH] = asked.product;
    float2 here = plus(scaled(x0, p[row + 1][column + 1]), scaled(x1, p[row + 1][column]));
    float2 above = plus(scaled(x0, p[row][column + 1]), scaled(x1, p[row][column]));
    return scaled(place.scale, plus(scaled(y0, here), scaled(y1, above)));
}

/* The sums that a thread has of its pixels of the part. */
struct own_sums {
    float2 gradient[FF_PART_OWN];
    uint32_t reached; /* a bit for each: some exposure of the chunk does */
    bool any;         /* of them touches the part */
};

__device__ inline void sum_exposures(const struct ff_cuda_chunk &chunk,
                                     const struct ff_cuda_sums &s, struct part part,
                                     struct asked &asked, uint32_t (&found)[FF_PART_WARPS],
                                     struct own_sums &own)
{
    for_touching(chunk, part, found, [&](uint32_t exposure) {
        const struct ff_cuda_place place = place_of(chunk, exposure);
        own.any = true;
        own.reached |= reached_by(chunk.shape, place, part);
        ask(chunk, s, exposure, place, part, asked);
        __syncthreads();
        for (uint32_t i = 0; i < FF_PART_OWN; i++)
            own.gradient[i] =
                plus(own.gradient[i], answer(asked, place, own_row(part, i) - part.row,
                                             own_column(part) - part.column));
        __syncthreads();
    });
}

__device__ inline void sum_object(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                  uint32_t block, struct asked &asked,
                                  uint32_t (&found)[FF_PART_WARPS])
{
    const struct part part = part_of(chunk.shape, block);
    struct own_sums own = {};
    sum_exposures(chunk, s, part, asked, found, own);
    if (!own.any && s.before > 0)
        return;
    const struct turns turns = turns_of(chunk, s.before, s.all, part, own.reached, found);
    for_written(chunk.shape, part, turns, [&](uint32_t i, size_t at, bool is_set) {
        s.gradient[at] = is_set ? plus(s.gradient[at], own.gradient[i]) : own.gradient[i];
    });
}

/* --- the probe --- */

/* N_P and N_E of the lanes of a block. */
__device__ inline void sum_lane(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                const struct ff_lane_work &work, float2 (&sums)[FF_PROBES_AT_ONCE])
{
    const struct ff_cuda_shape &shape = chunk.shape;
    size_t frame = frame_size(shape);
    uint32_t row = static_cast<uint32_t>(work.pixel / shape.columns);
    uint32_t column = static_cast<uint32_t>(work.pixel % shape.columns);
    size_t at = window_at(shape, row, column);
    uint32_t probes = shape.modes + shape.eigenprobes;
    for (uint32_t exposure = work.from; exposure < work.end; exposure++) {
        float2 patch = patch_at(s.object, shape, place_of(chunk, exposure), row, column);
        const float2 *waves = s.waves + static_cast<size_t>(exposure) * shape.modes * frame + at;
        for (uint32_t j = 0; j < FF_PROBES_AT_ONCE; j++) {
            uint32_t i = work.first + j;
            if (i >= probes)
                break;
            float2 product = conjugate_times(patch, waves[(i < shape.modes ? i : 0) * frame]);
            sums[j] = plus(sums[j], scaled(share_of(chunk, exposure, i), product));
        }
    }
}

__device__ inline void sum_probe(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                 uint32_t block, struct ff_lane_room &room)
{
    const struct ff_lane_work work = lane_work_of(chunk, block);
    float2 sums[FF_PROBES_AT_ONCE] = {};
    if (work.pixel < probe_size(chunk.shape))
        sum_lane(chunk, s, work, sums);
    leave_lanes(chunk.shape, work, sums, room, s.before == 0, s.probe_gradient);
}

/* What a block needs to share, by which half it belongs to. */
union room {
    struct asked asked;
    struct ff_lane_room lanes;
};

/* Blocks of the object first: they take longest. Three blocks a multiprocessor leave a thread the registers for its sums. */
__global__ void __launch_bounds__(THREADS, 3)
    sum_exit_waves(struct ff_cuda_chunk chunk, struct ff_cuda_sums s, uint32_t object_blocks)
{
    __shared__ union room room;
    __shared__ uint32_t found[FF_PART_WARPS];
    if (blockIdx.x < object_blocks)
        sum_object(chunk, s, blockIdx.x, room.asked, found);
    else
        sum_probe(chunk, s, blockIdx.x - object_blocks, room.lanes);
}

} // namespace

bool ff_cuda_sum(struct ff_cuda_calls *calls, cudaStream_t stream,
                 const struct ff_cuda_chunk *chunk, const struct ff_cuda_sums *sums)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t object_blocks = sums->object_wanted ? parts_of_tile(shape) : 0;
    uint32_t probe_blocks = sums->probe_wanted ? lane_pieces(shape) * lane_groups(shape) : 0;
    if (object_blocks + probe_blocks == 0)
        return true;
    return ff_cuda_launch(calls, stream, dim3(object_blocks + probe_blocks), dim3(THREADS), 0,
                          sum_exit_waves, "sum_exit_waves", *chunk, *sums, object_blocks);
}
