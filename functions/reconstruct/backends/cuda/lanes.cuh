/*
 * functions/reconstruct/backends/cuda/lanes.cuh: sums over all exposures of a chunk at each pixel of the probe, for kernels. A
 * block has as many pixels as a warp has threads, each of its warps is a lane of the exposures, and the lanes are added in
 * shared memory, in their order.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_LANES_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_LANES_CUH

#include "functions/reconstruct/backends/cuda/exposure.cuh"

constexpr uint32_t FF_LANES = 8, FF_LANE_PIXELS = 32;
constexpr uint32_t FF_LANE_THREADS = FF_LANES * FF_LANE_PIXELS; /* of a block */
constexpr uint32_t FF_PROBES_AT_ONCE =
    4; /* whose sums a thread has: they share what it reads of the patch */

struct ff_lane_room {
    float2 sums[FF_PROBES_AT_ONCE][FF_LANES][FF_LANE_PIXELS];
};

/* What a thread adds up: probes from `first` on, exposures [from, end), at a pixel that may lie beyond the probe. */
struct ff_lane_work {
    uint32_t first, from, end;
    size_t pixel;
};

__host__ __device__ inline uint32_t lane_pieces(const struct ff_cuda_shape &shape)
{
    size_t size = static_cast<size_t>(shape.rows) * shape.columns;
    return static_cast<uint32_t>((size + FF_LANE_PIXELS - 1) / FF_LANE_PIXELS);
}

/* Into so many groups the probes are cut. */
__host__ __device__ inline uint32_t lane_groups(const struct ff_cuda_shape &shape)
{
    return (shape.modes + shape.eigenprobes + FF_PROBES_AT_ONCE - 1) / FF_PROBES_AT_ONCE;
}

/* Of block `block`, of lane_pieces() × groups. */
__device__ inline struct ff_lane_work lane_work_of(const struct ff_cuda_chunk &chunk,
                                                   uint32_t block)
{
    uint32_t pieces = lane_pieces(chunk.shape);
    uint32_t lane = threadIdx.x / FF_LANE_PIXELS;
    uint64_t exposures = static_cast<uint64_t>(chunk.count) * chunk.shape.fly;
    struct ff_lane_work work;
    work.first = block / pieces * FF_PROBES_AT_ONCE;
    work.from = static_cast<uint32_t>(exposures * lane / FF_LANES);
    work.end = static_cast<uint32_t>(exposures * (lane + 1) / FF_LANES);
    work.pixel =
        static_cast<size_t>(block % pieces) * FF_LANE_PIXELS + threadIdx.x % FF_LANE_PIXELS;
    return work;
}

/* The sums of all lanes go to those of the probes, set where the chunk is the `first` of its batch, else added. All threads
 * call. */
__device__ inline void leave_lanes(const struct ff_cuda_shape &shape,
                                   const struct ff_lane_work &work,
                                   const float2 (&sums)[FF_PROBES_AT_ONCE],
                                   struct ff_lane_room &room, bool first, float2 *probes)
{
    size_t size = probe_size(shape);
    uint32_t warp = threadIdx.x / FF_LANE_PIXELS, thread = threadIdx.x % FF_LANE_PIXELS;
    for (uint32_t j = 0; j < FF_PROBES_AT_ONCE; j++)
        room.sums[j][warp][thread] = sums[j];
    __syncthreads();
    uint32_t i = work.first + warp;
    if (warp < FF_PROBES_AT_ONCE && i < shape.modes + shape.eigenprobes && work.pixel < size) {
        float2 *to = probes + i * size + work.pixel;
        float2 sum = first ? make_float2(0, 0) : *to;
        for (uint32_t lane = 0; lane < FF_LANES; lane++)
            sum = plus(sum, room.sums[warp][lane][thread]);
        *to = sum;
    }
    __syncthreads();
}

#endif
