/* From object and probe to exit waves. */
#include "functions/reconstruct/backends/cuda/launch.cuh"
#include "functions/reconstruct/backends/cuda/waves.h"

#include <algorithm>

namespace
{

constexpr uint32_t BLOCK_COLUMNS = 32, BLOCK_ROWS = 8;
constexpr size_t GRID_LIMIT = 65535; /* of y and z */

__device__ inline float2 times(float2 a, float2 b)
{
    return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

/* The object at a pixel of the patch, between its four neighbours. */
__device__ inline float2 blend(const float2 *at, uint32_t stride, const float *taps)
{
    float2 a = at[0], b = at[1], c = at[stride], d = at[stride + 1];
    return make_float2(taps[0] * a.x + taps[1] * b.x + taps[2] * c.x + taps[3] * d.x,
                       taps[0] * a.y + taps[1] * b.y + taps[2] * c.y + taps[3] * d.y);
}

/* A thread a pixel, for all modes: the patch is read once. Patterns beyond the grid's limit follow in steps of it. */
__global__ void __launch_bounds__(BLOCK_COLUMNS *BLOCK_ROWS)
    form_waves(struct ff_cuda_exposure e, uint32_t patterns)
{
    uint32_t column = blockIdx.x * BLOCK_COLUMNS + threadIdx.x;
    uint32_t row = blockIdx.y * BLOCK_ROWS + threadIdx.y;
    if (row >= e.rows || column >= e.columns)
        return;
    bool lit = row < e.probe_rows && column < e.probe_columns;
    size_t wave = static_cast<size_t>(e.rows) * e.columns;
    size_t probe = static_cast<size_t>(e.probe_rows) * e.probe_columns;
    size_t pixel = static_cast<size_t>(row) * e.columns + column;
    size_t probe_pixel = static_cast<size_t>(row) * e.probe_columns + column;
    for (uint32_t n = blockIdx.z; n < patterns; n += gridDim.z) {
        float2 patch = make_float2(0, 0);
        if (lit) {
            const struct ff_cuda_patch *place = &e.patches[n];
            patch = blend(e.object + static_cast<size_t>(place->row + row) * e.object_columns +
                              place->column + column,
                          e.object_columns, place->taps);
        }
        float2 *to = e.waves + static_cast<size_t>(n) * e.modes * wave + pixel;
        for (uint32_t m = 0; m < e.modes; m++)
            to[m * wave] = lit ? times(patch, e.probe[m * probe + probe_pixel]) : patch;
    }
}

unsigned blocks(uint32_t size, unsigned block)
{
    return (size + block - 1) / block;
}

} // namespace

bool ff_cuda_form_waves(struct ff_cuda_calls *calls, cudaStream_t stream,
                        const struct ff_cuda_exposure *exposure, size_t patterns)
{
    if (patterns == 0)
        return true;
    dim3 grid(blocks(exposure->columns, BLOCK_COLUMNS), blocks(exposure->rows, BLOCK_ROWS),
              static_cast<unsigned>(std::min(patterns, GRID_LIMIT)));
    return ff_cuda_launch(calls, stream, grid, dim3(BLOCK_COLUMNS, BLOCK_ROWS), 0, form_waves,
                          "form_waves", *exposure, static_cast<uint32_t>(patterns));
}
