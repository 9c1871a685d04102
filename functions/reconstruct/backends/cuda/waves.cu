/* From object and probe to exit waves, and to V. */
#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/reduce.cuh"
#include "functions/reconstruct/backends/cuda/waves.h"

namespace
{

constexpr uint32_t THREADS = 256;
constexpr uint32_t LANES = 8; /* at most: a warp has one lane */

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

/* What a thread has: a pixel of a frame, and a lane of the exposures, [from, end). */
struct work {
    size_t at;
    uint32_t lane, from, end;
};

__device__ inline struct work work_of(const struct ff_cuda_chunk &chunk, uint32_t lanes)
{
    uint32_t pixels = THREADS / lanes, lane = threadIdx.x / pixels;
    uint64_t exposures = static_cast<uint64_t>(chunk.count) * chunk.shape.fly;
    return {static_cast<size_t>(blockIdx.x) * pixels + threadIdx.x % pixels, lane,
            static_cast<uint32_t>(exposures * lane / lanes),
            static_cast<uint32_t>(exposures * (lane + 1) / lanes)};
}

/* All modes of a pixel: the patch is read once. */
__device__ inline void form(const struct ff_cuda_chunk &chunk, uint32_t exposure,
                            const struct ff_cuda_probes &probes, float2 patch, bool lit,
                            size_t pixel, float2 *to)
{
    const struct ff_cuda_shape &shape = chunk.shape;
    for (uint32_t m = 0; m < shape.modes; m++)
        to[m * frame_size(shape)] =
            lit ? times(patch, probe_at(probes, chunk, exposure, m, pixel)) : make_float2(0, 0);
}

/* V of the lanes of a block at its pixels, added in their order by the threads of the first one; all call. */
__device__ inline void leave_powers(const struct ff_cuda_shape &shape,
                                    const struct ff_cuda_powers &p, const struct work &work,
                                    uint32_t lanes, bool lit, size_t pixel,
                                    const float (&powers)[2], float (&room)[2][THREADS],
                                    float (&greatest)[THREADS / 32])
{
    for (uint32_t i = 0; i < 2; i++)
        room[i][threadIdx.x] = powers[i];
    __syncthreads();
    for (uint32_t i = 0; i < (shape.eigenprobes > 0 ? 2U : 1U); i++) {
        float sum = 0;
        if (lit && work.lane == 0) {
            float *to = p.power + i * probe_size(shape) + pixel;
            sum = p.first != 0 ? 0 : *to;
            for (uint32_t lane = 0; lane < lanes; lane++)
                sum += room[i][lane * (THREADS / lanes) + threadIdx.x];
            *to = sum;
        }
        join_greatest<THREADS>(sum, greatest, threadIdx.x, p.greatest + i);
    }
}

__global__ void __launch_bounds__(THREADS)
    form_waves(struct ff_cuda_chunk chunk, uint32_t lanes, const float2 *object,
               struct ff_cuda_probes probes, float2 *waves, struct ff_cuda_powers p)
{
    __shared__ float room[2][THREADS];
    __shared__ float greatest[THREADS / 32];
    const struct ff_cuda_shape &shape = chunk.shape;
    const struct work work = work_of(chunk, lanes);
    const size_t frame = frame_size(shape);
    const bool there = work.at < frame;
    const struct window_pixel window = window_pixel_of(shape, work.at);
    const bool lit = there && window.lit;
    float powers[2] = {0, 0};
    for (uint32_t exposure = work.from; there && exposure < work.end; exposure++) {
        float2 patch = make_float2(0, 0);
        if (lit)
            patch = patch_at(object, shape, place_of(chunk, exposure), window.row, window.column);
        if (waves != nullptr)
            form(chunk, exposure, probes, patch, lit, window.pixel,
                 waves + static_cast<size_t>(exposure) * shape.modes * frame + work.at);
        powers[0] += square_of(patch);
        if (shape.eigenprobes > 0)
            powers[1] += varied_share(chunk, exposure) * square_of(patch);
    }
    if (p.power != nullptr)
        leave_powers(shape, p, work, lanes, lit, window.pixel, powers, room, greatest);
}

/* No more lanes than there is something to do for. */
uint32_t lanes_of(const struct ff_cuda_chunk &chunk)
{
    uint64_t exposures = static_cast<uint64_t>(chunk.count) * chunk.shape.fly;
    uint32_t lanes = LANES;
    while (lanes > exposures && lanes > 1)
        lanes /= 2;
    return lanes;
}

} // namespace

bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *object,
                        const struct ff_cuda_probes *probes, float2 *waves,
                        const struct ff_cuda_powers *powers)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    size_t frame = static_cast<size_t>(shape.frame_rows) * shape.frame_columns;
    uint32_t lanes = lanes_of(*chunk), pixels = THREADS / lanes;
    uint32_t blocks = static_cast<uint32_t>((frame + pixels - 1) / pixels);
    return ff_cuda_launch(calls, stream, dim3(blocks), dim3(THREADS), 0, form_waves, "form_waves",
                          *chunk, lanes, object, *probes, waves, *powers);
}
