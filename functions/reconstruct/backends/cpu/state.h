/*
 * functions/reconstruct/backends/cpu/state.h: what the CPU backend holds. Private to backends/cpu.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_STATE_H
#define FF_RECONSTRUCT_BACKENDS_CPU_STATE_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cpu/kernels.h"
#include "functions/reconstruct/backends/cpu/plan.h"
#include "functions/reconstruct/pool.h"

enum {
    LANE_LIMIT = 32,
    PATTERNS_A_LANE = 24, /* with fewer in a lane, adding the lanes costs more than threads gain */
    ROW_PIECES = 32,      /* into so many pieces rows are cut for sums and updates */
    TILE_MARGIN = 16,     /* zero columns left of a tile: the taps look one to the left */
    PLANE_MARGIN = 48,    /* columns right of the object that whole vectors may touch */
};

/* A lane's share of the sums of a batch. Rows [first_row, end_row) of the object planes are its
 * own. */
struct lane {
    uint32_t first, end; /* its patterns in the sorted batch */
    size_t first_row, end_row;
    struct ff_planes object_sum;
    float *weight_sum;
    struct ff_planes *probe_sum; /* one a mode */
    float *power_sum;
    double cost;
};

/* What a thread works in. */
struct workspace {
    struct ff_planes patch;
    struct ff_planes tile;
    float **waves; /* one a mode */
};

struct ff_backend {
    const struct ff_backend_operations *operations; /* first: the head that solvers see */
    const struct ff_problem *problem;
    const struct ff_kernels *kernels;
    struct ff_pool *pool;
    struct ff_plan *plan;
    char description[160];

    size_t rows, columns, width; /* of a pattern; width = columns rounded up to whole vectors */
    size_t wave_stride;          /* complex values */
    size_t object_rows, object_columns;
    size_t modes, batch_limit;
    unsigned lane_count; /* at most; small batches use fewer */

    struct ff_planes object; /* (object_rows + 2, stride) */
    struct ff_planes *probe; /* one a mode: (rows, width), zero beyond the columns */
    float *light;            /* Σ_m |P_m|² in the shape of a tile */
    float *weight;           /* the mask as floats, (rows, width), or NULL */
    struct lane lanes[LANE_LIMIT];
    struct workspace *workspaces; /* one a thread */
    uint32_t *sorted;             /* the batch by row */

    /* the batch at work */
    unsigned lanes_used;
    unsigned want;
    bool cost_only;
    double cost;               /* since it was last taken */
    size_t first_row, end_row; /* rows that the batch touched */
    float piece_max[2][ROW_PIECES];
    struct ff_backend_step step;

    void **blocks; /* every allocation, for destroy */
    size_t block_count, block_limit;
    size_t bytes;
};

/* state.c: memory. */
int ff_cpu_allocate(struct ff_backend *backend, const struct ff_backend_plan *plan,
                    struct ff_error *error) FF_MUST_USE;
void ff_cpu_release(struct ff_backend *backend);

/* sums.c: the batch. */
void ff_cpu_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want);
void ff_cpu_cost(struct ff_backend *backend, struct ff_batch batch);

/* update.c: adding the lanes, and the step. */
void ff_cpu_update(struct ff_backend *backend, struct ff_backend_step step);

#endif
