#include "functions/reconstruct/backends/cpu/state.h"

#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t value, size_t to)
{
    return (value + to - 1) / to * to;
}

/*
 * A zeroed block of floats that destroy frees. Blocks are staggered by some cache lines, so that
 * planes of power-of-two sizes do not all fall into the same cache sets. They come from calloc, so
 * that pages which nobody touches cost nothing: a lane's planes have the shape of the whole object,
 * and it touches a few rows of them.
 */
static float *block_of(struct ff_backend *backend, size_t floats, const char *what,
                       struct ff_error *error)
{
    size_t stagger = 32 * (backend->block_count % 16) * sizeof(float);
    size_t bytes = floats * sizeof(float) + stagger + FF_ALIGNMENT;
    char *block = calloc(bytes, 1);
    if (block == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %s (%zu bytes)", what, bytes);
        return NULL;
    }
    backend->blocks[backend->block_count++] = block;
    backend->bytes += bytes;
    size_t past = (uintptr_t)block % FF_ALIGNMENT;
    return (float *)(void *)(block + (past > 0 ? FF_ALIGNMENT - past : 0) + stagger);
}

static int planes_of(struct ff_backend *backend, size_t rows, size_t stride, const char *what,
                     struct ff_planes *planes, struct ff_error *error)
{
    planes->stride = stride;
    planes->re = block_of(backend, rows * stride, what, error);
    planes->im = planes->re != NULL ? block_of(backend, rows * stride, what, error) : NULL;
    return planes->im != NULL ? 0 : -1;
}

static int probe_planes_of(struct ff_backend *backend, const char *what, struct ff_planes **planes,
                           struct ff_error *error)
{
    *planes = calloc(backend->modes, sizeof **planes);
    if (*planes == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for %s", what);
    backend->blocks[backend->block_count++] = *planes;
    for (size_t m = 0; m < backend->modes; m++)
        if (planes_of(backend, backend->rows, backend->width, what, &(*planes)[m], error) < 0)
            return -1;
    return 0;
}

static int allocate_lane(struct ff_backend *backend, struct lane *lane, struct ff_error *error)
{
    size_t stride = backend->object.stride;
    if (planes_of(backend, backend->object_rows, stride, "the object's gradient", &lane->object_sum,
                  error) < 0 ||
        probe_planes_of(backend, "the probe's gradient", &lane->probe_sum, error) < 0)
        return -1;
    lane->weight_sum = block_of(backend, backend->object_rows * stride, "the illumination", error);
    lane->power_sum =
        block_of(backend, backend->rows * backend->width, "the probe's weight", error);
    return lane->weight_sum != NULL && lane->power_sum != NULL ? 0 : -1;
}

static int allocate_workspace(struct ff_backend *backend, struct workspace *space,
                              struct ff_error *error)
{
    size_t tile_stride = TILE_MARGIN + backend->width + 2 * FF_KERNEL_WIDTH;
    struct ff_planes whole;
    if (planes_of(backend, backend->rows, backend->width, "a patch", &space->patch, error) < 0 ||
        planes_of(backend, backend->rows + 2, tile_stride, "a tile", &whole, error) < 0)
        return -1;
    /* The tile proper begins behind one row and one margin of zeros. */
    space->tile = (struct ff_planes){whole.re + tile_stride + TILE_MARGIN,
                                     whole.im + tile_stride + TILE_MARGIN, tile_stride};
    space->waves = calloc(backend->modes, sizeof *space->waves);
    if (space->waves == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for exit waves");
    backend->blocks[backend->block_count++] = space->waves;
    for (size_t m = 0; m < backend->modes; m++) {
        space->waves[m] =
            block_of(backend, 2 * backend->rows * backend->wave_stride, "an exit wave", error);
        if (space->waves[m] == NULL)
            return -1;
    }
    return 0;
}

static int allocate_mask(struct ff_backend *backend, struct ff_error *error)
{
    const uint8_t *measured = backend->problem->measured;
    if (measured == NULL)
        return 0;
    backend->weight = block_of(backend, backend->rows * backend->width, "the mask", error);
    if (backend->weight == NULL)
        return -1;
    for (size_t r = 0; r < backend->rows; r++)
        for (size_t c = 0; c < backend->columns; c++)
            backend->weight[r * backend->width + c] =
                measured[r * backend->columns + c] != 0 ? 1.0f : 0.0f;
    return 0;
}

static unsigned lanes_for(size_t patterns)
{
    size_t lanes = patterns / PATTERNS_A_LANE;
    return lanes < 1 ? 1 : lanes > LANE_LIMIT ? LANE_LIMIT : (unsigned)lanes;
}

int ff_cpu_allocate(struct ff_backend *backend, const struct ff_backend_plan *plan,
                    struct ff_error *error)
{
    const struct ff_problem *problem = plan->problem;
    unsigned threads = ff_pool_threads(backend->pool);
    backend->problem = problem;
    backend->rows = problem->rows;
    backend->columns = problem->columns;
    backend->width = round_up(problem->columns, FF_KERNEL_WIDTH);
    backend->wave_stride = backend->width + 8;
    backend->object_rows = problem->object_rows;
    backend->object_columns = problem->object_columns;
    backend->modes = plan->modes;
    backend->batch_limit = plan->batch_limit;
    backend->lane_count = lanes_for(plan->batch_limit);
    size_t stride = round_up(problem->object_columns, FF_KERNEL_WIDTH) + PLANE_MARGIN;

    backend->block_limit = 64 + (size_t)LANE_LIMIT * (8 + 2 * plan->modes) +
                           threads * (8 + plan->modes) + 4 * plan->modes;
    backend->blocks = calloc(backend->block_limit, sizeof *backend->blocks);
    backend->workspaces = calloc(threads, sizeof *backend->workspaces);
    backend->sorted = calloc(plan->batch_limit, sizeof *backend->sorted);
    if (backend->blocks == NULL || backend->workspaces == NULL || backend->sorted == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the CPU backend");
    if (planes_of(backend, backend->object_rows + 2, stride, "the object", &backend->object,
                  error) < 0 ||
        probe_planes_of(backend, "the probe", &backend->probe, error) < 0 ||
        allocate_mask(backend, error) < 0)
        return -1;
    for (unsigned i = 0; i < threads; i++)
        if (allocate_workspace(backend, &backend->workspaces[i], error) < 0)
            return -1;
    size_t tile_stride = backend->workspaces[0].tile.stride;
    float *light = block_of(backend, (backend->rows + 2) * tile_stride, "the illumination", error);
    if (light == NULL)
        return -1;
    backend->light = light + tile_stride + TILE_MARGIN;
    for (unsigned i = 0; i < backend->lane_count; i++)
        if (allocate_lane(backend, &backend->lanes[i], error) < 0)
            return -1;
    return 0;
}

void ff_cpu_release(struct ff_backend *backend)
{
    for (size_t i = 0; i < backend->block_count; i++)
        free(backend->blocks[i]);
    free(backend->blocks);
    free(backend->workspaces);
    free(backend->sorted);
}
