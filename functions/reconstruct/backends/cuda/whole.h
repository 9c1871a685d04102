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

/* Where partial sums of one device can be read: on it, or in memory of the host. */
struct ff_cuda_view {
    const float2 *object; /* N_O, from pixel (row, column) of the object on, `columns` wide */
    const float *weight;  /* W, likewise */
    const float2 *probe;  /* (probes, rows, columns) */
    const float *power;   /* (powers, rows, columns) */
    uint32_t row, column, columns;
    uint32_t first_row, end_row; /* of the object: what has sums */
};

struct ff_cuda_views {
    struct ff_cuda_view of[FF_CUDA_DEVICES]; /* by number of the device */
    uint32_t count;
};

/* Pixels of the object that the same devices share and one of them owns: it makes their sums whole. */
struct ff_cuda_cell {
    uint32_t row, column, columns, pixels;
    uint32_t sharers; /* set of numbers */
    uint32_t owner;
};

/* A run of pixels of one cell, for one block of threads. */
struct ff_cuda_run {
    uint32_t cell, first;
};

enum { FF_CUDA_RUN = 256 }; /* pixels of a run, at most */

/* What a device shares of the object, on the device: the runs of its own cells first. */
struct ff_cuda_cells {
    const struct ff_cuda_cell *cells;
    const struct ff_cuda_run *runs;
    uint32_t own_count, run_count;
};

/* What a device has of the object's shape, its tile or a part of it; whole in the cells that it owns. */
struct ff_cuda_whole {
    const float2 *sums; /* N_O; where it took a step for others, O */
    const float *weight;
    uint32_t row, column, columns;
};

/* Whole sums go where the device has its own: its tile. */
struct ff_cuda_tile {
    float2 *sums;  /* NULL: not these */
    float *weight; /* likewise */
    uint32_t row, column, columns;
};

/* Rows [first, end) of the probe, whose whole sums go into `probe` and `power`. */
struct ff_cuda_settled_rows {
    uint32_t first, end, rows, columns;
    uint32_t probes, powers; /* none: no rows of that kind */
    float2 *probe;           /* (probes, end - first, columns) */
    float *power;            /* (powers, end - first, columns) */
    const unsigned *partial; /* bits of the greatest W of this device's own sums, or NULL */
    unsigned *greatest; /* (1 + powers): joined are the greatest W, and the greatest V of each */
};

/* Whole sums of this device's cells, of the kinds that `tile` has, and of rows. */
bool ff_cuda_settle_sums(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_views *views, const struct ff_cuda_cells *cells,
                         const struct ff_cuda_tile *tile, const struct ff_cuda_settled_rows *rows);

/* What one device has of the probe's sums, where it can be read: rows [first, end) of each kind. Of a pixel the sum is that of
 * all that have its row: one, if it was settled, or all devices. */
struct ff_cuda_share {
    const float2 *probe;      /* (probes, probe_end - probe_first, columns) */
    const float *power;       /* (powers, power_end - power_first, columns) */
    const unsigned *greatest; /* (1 + powers): of whole sums; W also of partial ones */
    uint32_t probe_first, probe_end, power_first, power_end;
};

struct ff_cuda_shares {
    struct ff_cuda_share of[FF_CUDA_DEVICES]; /* by number of the device */
    uint32_t count, probes, powers, rows, columns;
};

struct ff_cuda_box {
    uint32_t row, column, rows, columns;
};

/* What a device has of an exchange. */
struct ff_cuda_settled {
    struct ff_cuda_cells cells;                  /* none where run_count is 0 */
    struct ff_cuda_view parts[FF_CUDA_DEVICES];  /* of those who share: where N_O is not settled */
    struct ff_cuda_whole whole[FF_CUDA_DEVICES]; /* of those who share */
    struct ff_cuda_shares shares;                /* none where both probes and powers are 0 */
    struct ff_cuda_box boxes[FF_CUDA_DEVICES];   /* together the cells' pixels, in the tile */
    uint32_t box_count;
    uint32_t number;                              /* of this device */
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

/* The parts of a step, as a set. */
enum ff_cuda_step_part {
    FF_CUDA_STEP_OWNED = 1,  /* pixels that others have too, of this device's cells */
    FF_CUDA_STEP_OTHERS = 2, /* those of the others' cells */
    FF_CUDA_STEP_ALONE = 4,  /* pixels that no other device has */
    FF_CUDA_STEP_PROBE = 8,
};

/* A step with whole weights, where they lie, and with partial sums, which are added up as they are read: update() of
 * backends/backend.h without a momentum. */
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
                          const struct ff_cuda_settled_step *step, unsigned parts);

/* Takes the pixels of the others' cells from where their owners took the step: `whole` has O. */
bool ff_cuda_fetch_steps(struct ff_cuda_calls *calls, cudaStream_t stream,
                         const struct ff_cuda_settled *settled, float2 *object);

#ifdef __cplusplus
}
#endif

#endif
