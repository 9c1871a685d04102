/*
 * What the exit waves' changes ask of object and probe.
 *
 * Both read all of χ. They are one launch, so that what one of them reads the other finds in the second cache, which
 * holds the waves of a chunk.
 */
#include "functions/reconstruct/backends/cuda/lanes.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/sums.h"

namespace
{

constexpr uint32_t THREADS = FF_LANE_THREADS;
constexpr uint32_t WARP = 32;
constexpr uint32_t SIDE = 32;                   /* of the object's part of a block */
constexpr uint32_t OWN = SIDE * SIDE / THREADS; /* pixels of it that a thread has */
constexpr uint32_t REACH = SIDE + 1;            /* the taps look one back */

/* The part of the object that a block has. */
struct part {
    uint32_t row, column;
};

/* --- the object --- */

/* What the exposure asks at every pixel of its window that touches the part: Σ_m P_m* χ_m, and Σ_m |P_m|². */
struct asked {
    float2 product[REACH][REACH];
    float light[REACH][REACH];
};

/* Whether the patch, with the row and column that its taps reach further, touches the part. */
__device__ inline bool touches(const struct ff_cuda_shape &shape, const struct ff_cuda_place &place,
                               struct part part)
{
    return place.row < part.row + SIDE && place.row + shape.rows + 1 > part.row &&
           place.column < part.column + SIDE && place.column + shape.columns + 1 > part.column;
}

/* 1 where the patch, with what its taps reach further, has a pixel of the tile. */
__device__ inline uint32_t reaches(const struct ff_cuda_shape &shape,
                                   const struct ff_cuda_place &place, uint32_t row, uint32_t column)
{
    return row - place.row <= shape.rows && column - place.column <= shape.columns ? 1 : 0;
}

/* For pixels [part - 1, part + SIDE) of the tile. */
__device__ inline void ask(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                           uint32_t exposure, const struct ff_cuda_place &place, struct part part,
                           struct asked &asked)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    const float2 *waves = s.waves + static_cast<size_t>(exposure) * shape.modes * frame_size(shape);
    for (uint32_t i = threadIdx.x; i < REACH * REACH; i += THREADS) {
        /* Before the window these wrap, and are far beyond it. */
        uint32_t row = part.row + i / REACH - 1 - place.row;
        uint32_t column = part.column + i % REACH - 1 - place.column;
        float2 product = make_float2(0, 0);
        float light = 0;
        if (row < shape.rows && column < shape.columns) {
            size_t at = window_at(shape, row, column);
            size_t pixel = static_cast<size_t>(row) * shape.columns + column;
            for (uint32_t m = 0; m < shape.modes; m++) {
                float2 probe = probe_at(s.probes, chunk, exposure, m, pixel);
                product = plus(product, conjugate_times(probe, waves[m * frame_size(shape) + at]));
                light += square_of(probe);
            }
        }
        asked.product[i / REACH][i % REACH] = product;
        asked.light[i / REACH][i % REACH] = light;
    }
}

/* The adjoint of patch_at() at pixel (row, column) of the part. */
__device__ inline void answer(const struct asked &asked, const struct ff_cuda_place &place,
                              uint32_t row, uint32_t column, float2 &gradient, float &weight)
{
    float x1 = place.x, x0 = 1 - place.x;
    float y1 = place.y, y0 = 1 - place.y;
    const float2(&p)[REACH][REACH] = asked.product;
    const float(&l)[REACH][REACH] = asked.light;
    float2 here = plus(scaled(x0, p[row + 1][column + 1]), scaled(x1, p[row + 1][column]));
    float2 above = plus(scaled(x0, p[row][column + 1]), scaled(x1, p[row][column]));
    float s = place.scale;
    gradient = plus(gradient, scaled(s, plus(scaled(y0, here), scaled(y1, above))));
    weight += s * s *
              (y0 * (x0 * l[row + 1][column + 1] + x1 * l[row + 1][column]) +
               y1 * (x0 * l[row][column + 1] + x1 * l[row][column]));
}

/* Which of the exposures [base, base + THREADS) touch the part: a bit each. */
__device__ inline void find_touching(const struct ff_cuda_chunk &chunk, uint32_t base,
                                     uint32_t exposures, struct part part,
                                     uint32_t (&found)[THREADS / WARP])
{
    uint32_t exposure = base + threadIdx.x;
    bool hit = exposure < exposures && touches(chunk.shape, place_of(chunk, exposure), part);
    uint32_t bits = __ballot_sync(0xffffffffU, hit);
    if (threadIdx.x % WARP == 0)
        found[threadIdx.x / WARP] = bits;
    __syncthreads();
}

/* The sums that a thread has of its pixels of the part. */
struct own_sums {
    float2 gradient[OWN];
    float weight[OWN];
    uint32_t reached; /* a bit for each: some exposure of the chunk does */
    bool any;         /* of them touches the part */
};

/* Calls each(exposure) for those of the chunk that touch the part, in their order. All threads call. */
template <typename Each>
__device__ inline void for_touching(const struct ff_cuda_chunk &chunk, struct part part,
                                    uint32_t (&found)[THREADS / WARP], Each each)
{
    uint32_t exposures = chunk.count * chunk.shape.fly;
    for (uint32_t base = 0; base < exposures; base += THREADS) {
        find_touching(chunk, base, exposures, part, found);
        for (uint32_t warp = 0; warp < THREADS / WARP; warp++)
            for (uint32_t bits = found[warp]; bits != 0; bits &= bits - 1)
                each(base + warp * WARP + static_cast<uint32_t>(__ffs(static_cast<int>(bits))) - 1);
        __syncthreads();
    }
}

/* The bits of a thread's pixels that the patch reaches. */
__device__ inline uint32_t reached_by(const struct ff_cuda_shape &shape,
                                      const struct ff_cuda_place &place, struct part part)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < OWN; i++)
        bits |= reaches(shape, place, part.row + threadIdx.x / SIDE + i * (THREADS / SIDE),
                        part.column + threadIdx.x % SIDE)
                << i;
    return bits;
}

__device__ inline void sum_exposures(const struct ff_cuda_chunk &chunk,
                                     const struct ff_cuda_sums &s, struct part part,
                                     struct asked &asked, uint32_t (&found)[THREADS / WARP],
                                     struct own_sums &own)
{
    for_touching(chunk, part, found, [&](uint32_t exposure) {
        const struct ff_cuda_place place = place_of(chunk, exposure);
        own.any = true;
        own.reached |= reached_by(chunk.shape, place, part);
        ask(chunk, s, exposure, place, part, asked);
        __syncthreads();
        for (uint32_t i = 0; i < OWN; i++)
            answer(asked, place, threadIdx.x / SIDE + i * (THREADS / SIDE), threadIdx.x % SIDE,
                   own.gradient[i], own.weight[i]);
        __syncthreads();
    });
}

/* Of a thread's pixels those that patterns [from, end) of the batch reach, counted from the first of the chunk. */
__device__ inline uint32_t reached_by_others(const struct ff_cuda_chunk &chunk, int32_t from,
                                             int32_t end, struct part part,
                                             uint32_t (&found)[THREADS / WARP])
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

/* Leaves the sums where they belong, and the greatest weight. The first chunk that reaches a pixel sets it, later ones add, and
 * those of `nothing` are set to zero. Others are not touched: what devices share of them may be under way to them. */
__device__ inline float leave_part(const struct ff_cuda_shape &shape, const struct ff_cuda_sums &s,
                                   struct part part, const struct own_sums &own, uint32_t earlier,
                                   uint32_t nothing)
{
    float most = 0;
    for (uint32_t i = 0; i < OWN; i++) {
        uint32_t row = part.row + threadIdx.x / SIDE + i * (THREADS / SIDE);
        uint32_t column = part.column + threadIdx.x % SIDE;
        bool wanted = ((own.reached | nothing) >> i & 1) != 0;
        if (!wanted || row >= shape.tile_rows || column >= shape.tile_columns)
            continue;
        size_t at = static_cast<size_t>(row) * shape.tile_columns + column;
        bool is_set = (earlier >> i & 1) != 0;
        float weight = is_set ? s.weight[at] + own.weight[i] : own.weight[i];
        s.gradient[at] = is_set ? plus(s.gradient[at], own.gradient[i]) : own.gradient[i];
        s.weight[at] = weight;
        most = fmaxf(most, weight);
    }
    return most;
}

__device__ inline void sum_object(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                  uint32_t block, struct asked &asked,
                                  uint32_t (&found)[THREADS / WARP], float (&room)[THREADS / WARP])
{
    uint32_t across = (chunk.shape.tile_columns + SIDE - 1) / SIDE;
    const struct part part = {block / across * SIDE, block % across * SIDE};
    int32_t before = static_cast<int32_t>(s.before), count = static_cast<int32_t>(chunk.count);
    struct own_sums own = {};
    sum_exposures(chunk, s, part, asked, found, own);
    if (!own.any && before > 0)
        return;
    uint32_t earlier = 0, nothing = 0;
    if (before > 0)
        earlier = reached_by_others(chunk, -before, 0, part, found);
    else
        nothing = ~reached_by_others(chunk, count, static_cast<int32_t>(s.all), part, found);
    float most = leave_part(chunk.shape, s, part, own, earlier, nothing);
    join_greatest<THREADS>(most, room, threadIdx.x, s.greatest);
}

/* --- the probe --- */

/* 1 + Σ_c w_nc² */
__device__ inline float varied_share(const struct ff_cuda_chunk &chunk, uint32_t exposure)
{
    float share = 1;
    for (uint32_t c = 0; c < chunk.shape.eigenprobes; c++) {
        float w = share_of(chunk, exposure, chunk.shape.modes + c);
        share += w * w;
    }
    return share;
}

/* N_P, N_E and V of the lanes of a block. */
__device__ inline void sum_lane(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                const struct ff_lane_work &work, float2 (&sums)[FF_PROBES_AT_ONCE],
                                float (&powers)[2])
{
    const struct ff_cuda_shape &shape = chunk.shape;
    size_t frame = frame_size(shape);
    uint32_t row = static_cast<uint32_t>(work.pixel / shape.columns);
    uint32_t column = static_cast<uint32_t>(work.pixel % shape.columns);
    size_t at = window_at(shape, row, column);
    uint32_t probes = s.power_alone ? 0 : shape.modes + shape.eigenprobes;
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
        if (work.first == 0) {
            powers[0] += square_of(patch);
            if (shape.eigenprobes > 0)
                powers[1] += varied_share(chunk, exposure) * square_of(patch);
        }
    }
}

/* V likewise, and the greatest of it. A warp has a power. */
__device__ inline void leave_powers(const struct ff_cuda_shape &shape, const struct ff_cuda_sums &s,
                                    const struct ff_lane_work &work, const float (&powers)[2],
                                    struct ff_lane_room &room)
{
    size_t size = probe_size(shape);
    uint32_t power = threadIdx.x / WARP, thread = threadIdx.x % WARP;
    float sum = 0;
    for (uint32_t i = 0; i < 2; i++)
        room.powers[i][power][thread] = powers[i];
    __syncthreads();
    if (power >= (shape.eigenprobes > 0 ? 2U : 1U))
        return;
    if (work.pixel < size) {
        float *to = s.power + power * size + work.pixel;
        sum = s.before == 0 ? 0 : *to;
        for (uint32_t lane = 0; lane < FF_LANES; lane++)
            sum += room.powers[power][lane][thread];
        *to = sum;
    }
    sum = warp_greatest(sum);
    if (thread == 0)
        join_one(sum, s.greatest + 1 + power);
}

__device__ inline void sum_probe(const struct ff_cuda_chunk &chunk, const struct ff_cuda_sums &s,
                                 uint32_t block, struct ff_lane_room &room)
{
    const struct ff_lane_work work = lane_work_of(chunk, block);
    float2 sums[FF_PROBES_AT_ONCE] = {};
    float powers[2] = {0, 0};
    if (work.pixel < probe_size(chunk.shape))
        sum_lane(chunk, s, work, sums, powers);
    if (!s.power_alone)
        leave_lanes(chunk.shape, work, sums, room, s.before == 0, s.probe_gradient);
    if (work.first == 0)
        leave_powers(chunk.shape, s, work, powers, room);
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
    __shared__ uint32_t found[THREADS / WARP];
    __shared__ float greatest[THREADS / WARP];
    if (blockIdx.x < object_blocks)
        sum_object(chunk, s, blockIdx.x, room.asked, found, greatest);
    else
        sum_probe(chunk, s, blockIdx.x - object_blocks, room.lanes);
}

uint32_t blocks_across(uint32_t size)
{
    return (size + SIDE - 1) / SIDE;
}

} // namespace

bool ff_cuda_sum(struct ff_cuda_calls *calls, cudaStream_t stream,
                 const struct ff_cuda_chunk *chunk, const struct ff_cuda_sums *sums)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    uint32_t object_blocks =
        sums->object_wanted ? blocks_across(shape.tile_rows) * blocks_across(shape.tile_columns)
                            : 0;
    uint32_t groups = sums->power_alone ? 1 : lane_groups(shape);
    uint32_t probe_blocks = sums->probe_wanted ? lane_pieces(shape) * groups : 0;
    if (object_blocks + probe_blocks == 0)
        return true;
    return ff_cuda_launch(calls, stream, dim3(object_blocks + probe_blocks), dim3(THREADS), 0,
                          sum_exit_waves, "sum_exit_waves", *chunk, *sums, object_blocks);
}
