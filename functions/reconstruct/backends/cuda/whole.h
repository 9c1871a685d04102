/*
 * functions/reconstruct/backends/cuda/whole.h: the kernels of the exchange: whole sums from the partial ones of all devices.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CUDA_WHOLE_H
#define FF_RECONSTRUCT_BACKENDS_CUDA_WHOLE_H

#include "functions/reconstruct/backends/cuda/calls.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FF_CUDA_DEVICES = 16 }; /* in one reconstruction, at most */

/* Where the partial sums of one device can be read: on it, or in memory of the host. */
struct ff_cuda_view {
    const float2 *object; /* from pixel (row, column) of the object on, `columns` wide */
    const float *weight;
    const float2 *probe; /* (probes, rows, columns) */
    const float *power;  /* (powers, rows, columns) */
    uint32_t row, column, columns;
    uint32_t first_row, end_row; /* of the object: what has sums */
};

struct ff_cuda_views {
    struct ff_cuda_view of[FF_CUDA_DEVICES]; /* by number of the device */
    uint32_t count;
};

/* A region: pixels of the object that the same devices share. */
struct ff_cuda_cell {
    uint32_t row, column, columns, pixels;
    uint32_t sharers; /* set of numbers */
    uint32_t begin;   /* of its pixels in the whole sums */
};

/* A run of pixels of one cell, for one block of threads. */
struct ff_cuda_run {
    uint32_t cell, first;
};

enum { FF_CUDA_RUN = 256 }; /* pixels of a run, at most */

/* What a device shares of the object, on the device. */
struct ff_cuda_cells {
    const struct ff_cuda_cell *cells;
    const struct ff_cuda_run *runs;
    uint32_t run_count;
    float2 *object; /* whole sums, of all cells one behind the other, row by row */
    float *weight;
};

/* The probe's rows [first, end) of one device, and where they can be read: its whole sums, and its maxima. */
struct ff_cuda_share {
    const float2 *probe;      /* (probes, end - first, columns) */
    const float *power;       /* (powers, end - first, columns) */
    const unsigned *greatest; /* (1 + powers): of whole sums; W also of partial ones */
    uint32_t first, end;
};

struct ff_cuda_shares {
    struct ff_cuda_share of[FF_CUDA_DEVICES]; /* by number of the device */
    uint32_t count, probes, powers, rows, columns;
};

/* Rows [first, end) of the probe, whose whole sums go into `probe` and `power`, shaped as in struct ff_cuda_share. */
struct ff_cuda_settled_rows {
    uint32_t first, end, rows, columns;
    uint32_t probes, powers; /* none: no rows */
    float2 *probe;
    float *power;
    const unsigned
        *partial;       /* bits of the greatest W of this device's own sums, or NULL: not yet */
    unsigned *greatest; /* (1 + powers): joined are the greatest W, and the greatest V of each */
};

/* Whole sums of the cells (none where run_count is 0), and of rows. */
bool ff_cuda_settle_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_views *views, const struct ff_cuda_cells *cells,
                         const struct ff_cuda_settled_rows *rows);
struct ff_cuda_box {
    uint32_t row, column, rows, columns;
};

/* What a device has of an exchange: whole sums of its cells, and everybody's shares of the probe. */
struct ff_cuda_settled {
    struct ff_cuda_cells cells;                /* none where run_count is 0 */
    struct ff_cuda_shares shares;              /* none where both probes and powers are 0 */
    struct ff_cuda_box boxes[FF_CUDA_DEVICES]; /* together the cells' pixels, in the tile */
    uint32_t box_count;
    uint32_t tile_row, tile_column, tile_columns; /* of the object; cells know no tile */
};

/* Puts settled sums in their place, and the maxima of all. */
struct ff_cuda_place_of_sums {
    float2 *object, *probe;
    float *weight, *power;
    unsigned *greatest;
    uint32_t maxima_first, maxima_end; /* which maxima */
};
bool ff_cuda_spread_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_settled *settled,
                         const struct ff_cuda_place_of_sums *to);

/* A step with settled sums where they lie, and with the device's own in the rest of the tile: update() of backends/backend.h
 * without a momentum. */
struct ff_cuda_settled_step {
    float2 *object;         /* of the tile; NULL: it stays */
    const float2 *gradient; /* the device's own sums */
    const float *weight;
    uint32_t tile_rows, tile_columns;
    float2 *probe; /* (probes, rows, columns); NULL: it stays */
    uint32_t modes;
    float alpha_object, alpha_probe, length_object, length_probe;
};
bool ff_cuda_step_settled(struct ff_cuda_calls *calls, cudaStream_t stream,
                          const struct ff_cuda_settled *settled,
                          const struct ff_cuda_settled_step *step);

#ifdef __cplusplus
}
#endif

#endif
