/* From object and probe to exit waves. */
#include "functions/reconstruct/backends/cuda/exposure.cuh"
#include "functions/reconstruct/backends/cuda/waves.h"

namespace
{

constexpr uint32_t THREADS = 256;

/* A thread a pixel of a frame, for all modes: the patch is read once. A block has one exposure. */
__global__ void __launch_bounds__(THREADS)
    form_waves(struct ff_cuda_chunk chunk, uint32_t pieces, const float2 *object,
               struct ff_cuda_probes probes, float2 *waves)
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
    float2 patch = make_float2(0, 0);
    if (lit)
        patch = patch_at(object, shape, place_of(chunk, exposure), row, column);
    float2 *to = waves + static_cast<size_t>(exposure) * shape.modes * frame + at;
    for (uint32_t m = 0; m < shape.modes; m++)
        to[m * frame] =
            lit ? times(patch, probe_at(probes, chunk, exposure, m, pixel)) : make_float2(0, 0);
}

} // namespace

bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_chunk *chunk, const float2 *object,
                        const struct ff_cuda_probes *probes, float2 *waves)
{
    const struct ff_cuda_shape &shape = chunk->shape;
    size_t frame = static_cast<size_t>(shape.frame_rows) * shape.frame_columns;
    uint32_t pieces = static_cast<uint32_t>((frame + THREADS - 1) / THREADS);
    return ff_cuda_launch(calls, stream, dim3(chunk->count * shape.fly * pieces), dim3(THREADS), 0,
                          form_waves, "form_waves", *chunk, pieces, object, *probes, waves);
}
