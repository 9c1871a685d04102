/*
 * functions/reconstruct/backends/cuda/whole.cuh: which pixel a thread has of what devices share.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_WHOLE_CUH
#define FF_RECONSTRUCT_BACKENDS_CUDA_WHOLE_CUH

#include "functions/reconstruct/backends/cuda/launch.cuh"
#include "functions/reconstruct/backends/cuda/whole.h"

/* A pixel of the object that is shared. */
struct shared_pixel {
    uint32_t row, column; /* of the object */
    uint32_t sharers, owner;
    bool there;
};

__device__ inline struct shared_pixel shared_pixel_of(const struct ff_cuda_cells &cells,
                                                      uint32_t run)
{
    struct ff_cuda_run begin = cells.runs[run];
    struct ff_cuda_cell cell = cells.cells[begin.cell];
    uint32_t i = begin.first + threadIdx.x;
    return {cell.row + i / cell.columns, cell.column + i % cell.columns, cell.sharers, cell.owner,
            i < cell.pixels};
}

/* Where it lies in what begins at pixel (row, column) of the object: a tile, a view. */
template <typename Place>
__device__ inline size_t place_in(const Place &place, const struct shared_pixel &pixel)
{
    return static_cast<size_t>(pixel.row - place.row) * place.columns + pixel.column - place.column;
}

__device__ inline size_t tile_place_of(const struct ff_cuda_settled &settled,
                                       const struct shared_pixel &pixel)
{
    return static_cast<size_t>(pixel.row - settled.tile_row) * settled.tile_columns + pixel.column -
           settled.tile_column;
}

/* Calls each(view, place) for those who share a pixel and have sums there, in the order of their numbers. */
template <typename Each>
__device__ inline void for_parts(const struct ff_cuda_view *views, const struct shared_pixel &pixel,
                                 Each each)
{
    for (uint32_t sharers = pixel.there ? pixel.sharers : 0; sharers != 0; sharers &= sharers - 1) {
        const struct ff_cuda_view &view = views[__ffs(static_cast<int>(sharers)) - 1];
        if (pixel.row >= view.first_row && pixel.row < view.end_row)
            each(view, place_in(view, pixel));
    }
}

/* Σ N_O of those who share the pixel. */
__device__ inline float2 object_sum(const struct ff_cuda_view *views,
                                    const struct shared_pixel &pixel)
{
    float2 sum = make_float2(0, 0);
    for_parts(views, pixel, [&](const struct ff_cuda_view &view, size_t at) {
        float2 part = view.object[at];
        sum.x += part.x;
        sum.y += part.y;
    });
    return sum;
}

/* Planes of the probe, of complex numbers first, then of weights: block by block. */
struct plane_pixel {
    uint32_t plane;
    uint32_t pixel; /* of the plane's */
};

__host__ __device__ inline uint32_t plane_pieces(uint32_t pixels)
{
    return (pixels + FF_CUDA_RUN - 1) / FF_CUDA_RUN;
}

__device__ inline struct plane_pixel plane_pixel_of(uint32_t block, uint32_t pixels)
{
    uint32_t pieces = plane_pieces(pixels);
    return {block / pieces, block % pieces * FF_CUDA_RUN + threadIdx.x};
}

/* Σ N_P, or N_E, of a plane at a pixel: of all whose rows have it, in the order of their numbers. */
__device__ inline float2 probe_sum(const struct ff_cuda_shares &shares, size_t plane,
                                   uint32_t pixel)
{
    float2 sum = make_float2(0, 0);
    uint32_t row = pixel / shares.columns;
    for (uint32_t i = 0; i < shares.count; i++) {
        const struct ff_cuda_share &share = shares.of[i];
        size_t size = static_cast<size_t>(share.probe_end - share.probe_first) * shares.columns;
        if (row < share.probe_first || row >= share.probe_end)
            continue;
        float2 part = share.probe[plane * size + pixel -
                                  static_cast<size_t>(share.probe_first) * shares.columns];
        sum.x += part.x;
        sum.y += part.y;
    }
    return sum;
}

/* V likewise, which is always settled. */
__device__ inline float power_at(const struct ff_cuda_shares &shares, size_t plane, uint32_t pixel)
{
    uint32_t owner = 0;
    while (pixel / shares.columns >= shares.of[owner].power_end)
        owner++;
    const struct ff_cuda_share &share = shares.of[owner];
    size_t size = static_cast<size_t>(share.power_end - share.power_first) * shares.columns;
    return share
        .power[plane * size + pixel - static_cast<size_t>(share.power_first) * shares.columns];
}

/* Bits of maximum i of all devices. */
__device__ inline unsigned greatest_of(const struct ff_cuda_shares &shares, uint32_t i)
{
    unsigned most = 0;
    for (uint32_t device = 0; device < shares.count; device++) {
        unsigned one = shares.of[device].greatest[i];
        most = one > most ? one : most;
    }
    return most;
}

#endif
