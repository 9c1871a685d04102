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
    uint32_t at;          /* in the whole sums */
    uint32_t sharers;
    bool there;
};

__device__ inline struct shared_pixel shared_pixel_of(const struct ff_cuda_cells &cells,
                                                      uint32_t run)
{
    struct ff_cuda_run begin = cells.runs[run];
    struct ff_cuda_cell cell = cells.cells[begin.cell];
    uint32_t i = begin.first + threadIdx.x;
    return {cell.row + i / cell.columns, cell.column + i % cell.columns, cell.begin + i,
            cell.sharers, i < cell.pixels};
}

/* Where it lies in the tile. */
__device__ inline size_t tile_place_of(const struct ff_cuda_settled &settled,
                                       const struct shared_pixel &pixel)
{
    return static_cast<size_t>(pixel.row - settled.tile_row) * settled.tile_columns + pixel.column -
           settled.tile_column;
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

/* Where a plane's pixel lies among the shares of all: the owner's number, and the place in a plane of the share, which has
 * `size` pixels. */
struct share_place {
    uint32_t owner;
    size_t size, at;
};

__device__ inline struct share_place share_place_of(const struct ff_cuda_shares &shares,
                                                    uint32_t pixel)
{
    uint32_t owner = 0;
    while (pixel / shares.columns >= shares.of[owner].end)
        owner++;
    const struct ff_cuda_share &share = shares.of[owner];
    return {owner, static_cast<size_t>(share.end - share.first) * shares.columns,
            pixel - static_cast<size_t>(share.first) * shares.columns};
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
