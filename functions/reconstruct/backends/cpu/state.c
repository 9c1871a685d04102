#include "functions/reconstruct/backends/cpu/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t value, size_t to)
{
    return (value + to - 1) / to * to;
}

/*
 * Blocks are staggered by some cache lines, so that planes of power-of-two sizes do not all fall into the same cache
 * sets. They come from calloc, so that pages which nobody touches cost nothing: a lane's planes have the shape of the
 * whole tile, and it touches a few rows of them.
 */
void *ff_cpu_block(struct ff_backend *backend, size_t count, size_t size, const char *what,
                   struct ff_error *error)
{
    size_t stagger = 128 * (backend->block_count % 16);
    size_t bytes = ff_array_elements(count, size, 1);
    char *block = NULL;
    if (bytes < SIZE_MAX - stagger - FF_ALIGNMENT && backend->block_count < backend->block_limit)
        block = calloc(bytes + stagger + FF_ALIGNMENT, 1);
    if (block == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for %s (%zu × %zu bytes)", what, count, size);
        return NULL;
    }
    backend->blocks[backend->block_count++] = block;
    backend->bytes += bytes + stagger + FF_ALIGNMENT;
    size_t past = (uintptr_t)block % FF_ALIGNMENT;
    return block + (past > 0 ? FF_ALIGNMENT - past : 0) + stagger;
}

static int reals_of(struct ff_backend *backend, size_t count, const char *what, ff_real **values,
                    struct ff_error *error)
{
    *values = ff_cpu_block(backend, count, sizeof(ff_real), what, error);
    return *values != NULL ? 0 : -1;
}

static int planes_of(struct ff_backend *backend, size_t rows, size_t stride, const char *what,
                     struct ff_planes *planes, struct ff_error *error)
{
    planes->stride = stride;
    return reals_of(backend, rows * stride, what, &planes->re, error) < 0 ||
                   reals_of(backend, rows * stride, what, &planes->im, error) < 0
               ? -1
               : 0;
}

/* Planes of the probe's shape. */
static int probe_planes_of(struct ff_backend *backend, size_t count, const char *what,
                           struct ff_planes **planes, struct ff_error *error)
{
    *planes = ff_cpu_block(backend, count, sizeof **planes, what, error);
    if (*planes == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (planes_of(backend, backend->rows, backend->width, what, &(*planes)[i], error) < 0)
            return -1;
    return 0;
}

static int waves_of(struct ff_backend *backend, size_t count, struct ff_wave shape,
                    struct ff_wave **waves, struct ff_error *error)
{
    const char what[] = "waves";
    *waves = ff_cpu_block(backend, count, sizeof **waves, what, error);
    if (*waves == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        (*waves)[i] = shape;
        if (reals_of(backend, 2 * shape.rows * shape.stride, what, &(*waves)[i].values, error) < 0)
            return -1;
    }
    return 0;
}

/* The shapes of waves at the detector, and of a probe's spectrum. */
static struct ff_wave frame_shape(const struct ff_backend *backend)
{
    return (struct ff_wave){NULL, backend->wave_stride, backend->frame_rows, backend->frame_width};
}

static struct ff_wave spectrum_shape(const struct ff_backend *backend)
{
    return (struct ff_wave){NULL, backend->shift_stride, backend->rows, backend->width};
}

/* Of planes of the object's shape. */
static size_t plane_stride(const struct ff_backend *backend)
{
    return round_up(backend->tile.columns, FF_KERNEL_WIDTH) + PLANE_MARGIN;
}

/* A tile proper begins behind one row and one margin of zeros. */
static size_t tile_stride(const struct ff_backend *backend)
{
    return TILE_MARGIN + backend->width + 2 * FF_KERNEL_WIDTH;
}

static int light_of(struct ff_backend *backend, ff_real **light, struct ff_error *error)
{
    size_t stride = tile_stride(backend);
    if (reals_of(backend, (backend->rows + 2) * stride, "the illumination", light, error) < 0)
        return -1;
    *light += stride + TILE_MARGIN;
    return 0;
}

/* Rows of the tile that a lane touches, as far as patterns lie evenly. */
static size_t rows_touched(const struct ff_backend *backend)
{
    size_t touched = backend->tile.rows / backend->lane_count + backend->rows + 1;
    return touched < backend->tile.rows ? touched : backend->tile.rows;
}

static int allocate_sums(struct ff_backend *backend, struct sums *sums, struct ff_error *error)
{
    size_t stride = plane_stride(backend);
    size_t rows = backend->tile.rows + 2;
    size_t powers = backend->powers;
    if (planes_of(backend, rows, stride, "the object's gradient", &sums->object, error) < 0 ||
        reals_of(backend, rows * stride, "the illumination", &sums->weight, error) < 0 ||
        probe_planes_of(backend, backend->probes, "the probe's gradient", &sums->probe, error) < 0)
        return -1;
    sums->power = ff_cpu_block(backend, powers, sizeof *sums->power, "the probe's weight", error);
    for (size_t i = 0; sums->power != NULL && i < powers; i++)
        if (reals_of(backend, backend->rows * backend->width, "the probe's weight", &sums->power[i],
                     error) < 0)
            return -1;
    if (sums->power == NULL)
        return -1;
    return backend->subpixel == FF_SUBPIXEL_FOURIER
               ? waves_of(backend, backend->probes, spectrum_shape(backend), &sums->spectrum, error)
               : 0;
}

/* Sums of all, and beside them those of the lanes at work. What no lane touches of the latter is memory that is never
 * there. */
static int allocate_lanes(struct ff_backend *backend, struct ff_error *error)
{
    size_t untouched = backend->tile.rows + 2 - rows_touched(backend);
    backend->beside =
        ff_cpu_block(backend, backend->beside_count, sizeof *backend->beside, "lanes", error);
    if (backend->beside == NULL || allocate_sums(backend, &backend->sums, error) < 0)
        return -1;
    for (unsigned i = 0; i < backend->beside_count; i++) {
        if (allocate_sums(backend, &backend->beside[i], error) < 0)
            return -1;
        backend->bytes -= 3 * untouched * plane_stride(backend) * sizeof(ff_real);
    }
    return 0;
}

/* Room for the probes of a pattern: without shifts only the first of them is not everybody's. */
static int allocate_set(struct ff_backend *backend, struct ff_planes **set, struct ff_error *error)
{
    const char what[] = "the probes of a pattern";
    size_t own = backend->subpixel == FF_SUBPIXEL_FOURIER ? backend->probes : 1;
    *set = ff_cpu_block(backend, backend->probes, sizeof **set, what, error);
    for (size_t i = 0; *set != NULL && i < own; i++)
        if (planes_of(backend, backend->rows, backend->width, what, &(*set)[i], error) < 0)
            return -1;
    return *set != NULL ? 0 : -1;
}

/* What a thread shifts probes in. */
static int allocate_shifts(struct ff_backend *backend, struct workspace *space,
                           struct ff_error *error)
{
    const char what[] = "shifts of the probe";
    space->spectrum = spectrum_shape(backend);
    space->ramp_distance[0] = space->ramp_distance[1] = NAN; /* of none yet */
    if (reals_of(backend, 2 * backend->rows * backend->shift_stride, what, &space->spectrum.values,
                 error) < 0)
        return -1;
    for (unsigned i = 0; i < 3; i++)
        if (planes_of(backend, backend->rows, backend->width, what, &space->shifted[i], error) < 0)
            return -1;
    for (unsigned i = 0; i < 4; i++)
        if (reals_of(backend, i < 2 ? backend->rows : backend->width, what, &space->ramps[i],
                     error) < 0)
            return -1;
    return 0;
}

/* What a thread needs where the probe differs by pattern or position. */
static int allocate_own_probes(struct ff_backend *backend, struct workspace *space,
                               struct ff_error *error)
{
    const char what[] = "the probes of a pattern";
    space->probes = ff_cpu_block(backend, backend->fly + 1, sizeof *space->probes, what, error);
    space->lights = ff_cpu_block(backend, backend->fly, sizeof *space->lights, what, error);
    if (space->probes == NULL || space->lights == NULL ||
        reals_of(backend, backend->rows * backend->width, what, &space->power, error) < 0)
        return -1;
    for (size_t k = 0; k <= backend->fly; k++)
        if (allocate_set(backend, &space->probes[k], error) < 0 ||
            (k < backend->fly && light_of(backend, &space->lights[k], error) < 0))
            return -1;
    return backend->subpixel == FF_SUBPIXEL_FOURIER ? allocate_shifts(backend, space, error) : 0;
}

static int allocate_workspace(struct ff_backend *backend, struct workspace *space,
                              struct ff_error *error)
{
    size_t stride = tile_stride(backend);
    struct ff_planes whole;
    if (planes_of(backend, backend->rows + 2, stride, "a tile", &whole, error) < 0 ||
        waves_of(backend, backend->fly * backend->modes, frame_shape(backend), &space->waves,
                 error) < 0)
        return -1;
    space->tile = (struct ff_planes){whole.re + stride + TILE_MARGIN,
                                     whole.im + stride + TILE_MARGIN, stride};
    space->exposures =
        ff_cpu_block(backend, backend->fly, sizeof *space->exposures, "patches", error);
    if (space->exposures == NULL)
        return -1;
    for (size_t k = 0; k < backend->fly; k++)
        if (planes_of(backend, backend->rows, backend->width, "a patch", &space->exposures[k].patch,
                      error) < 0)
            return -1;
    space->kept =
        ff_cpu_block(backend, backend->fly * backend->modes, sizeof *space->kept, "waves", error);
    if (space->kept == NULL)
        return -1;
    bool lines = (backend->needs & (FF_NEED_LINE | FF_NEED_JOINT_LINE)) != 0;
    if (lines && (waves_of(backend, 2 * backend->fly * backend->modes, frame_shape(backend),
                           &space->others, error) < 0 ||
                  planes_of(backend, backend->rows, backend->width, "a patch", &space->other_patch,
                            error) < 0))
        return -1;
    return backend->probes_differ ? allocate_own_probes(backend, space, error) : 0;
}

static int allocate_mask(struct ff_backend *backend, struct ff_error *error)
{
    const uint8_t *measured = backend->problem->measured;
    if (measured == NULL)
        return 0;
    size_t width = backend->frame_width;
    if (reals_of(backend, backend->frame_rows * width, "the mask", &backend->weight, error) < 0)
        return -1;
    for (size_t r = 0; r < backend->frame_rows; r++)
        for (size_t c = 0; c < backend->frame_columns; c++)
            backend->weight[r * width + c] =
                measured[r * backend->frame_columns + c] != 0 ? 1.0f : 0.0f;
    return 0;
}

/* What all patterns share where probes are shifted. */
static int allocate_spectra(struct ff_backend *backend, struct ff_error *error)
{
    const char what[] = "shifts of the probe";
    size_t most = backend->width > backend->rows ? backend->width : backend->rows;
    if (waves_of(backend, backend->probes, spectrum_shape(backend), &backend->spectra, error) < 0 ||
        reals_of(backend, most, what, &backend->slopes[0], error) < 0 ||
        reals_of(backend, most, what, &backend->slopes[1], error) < 0 ||
        reals_of(backend, most, what, &backend->ones, error) < 0 ||
        reals_of(backend, most, what, &backend->zeros, error) < 0)
        return -1;
    ff_cpu_make_slopes(backend);
    return 0;
}

/* Object and probe, and what an algorithm keeps of their shapes. */
static int allocate_fields(struct ff_backend *backend, struct ff_error *error)
{
    size_t stride = plane_stride(backend);
    const bool needed[4] = {true, backend->needs & FF_NEED_DIRECTIONS,
                            backend->needs & FF_NEED_DIRECTIONS,
                            backend->needs & FF_NEED_VELOCITIES};
    for (unsigned i = 0; i < 4; i++)
        if (needed[i] &&
            (planes_of(backend, backend->tile.rows + 2, stride, "the object", &backend->object[i],
                       error) < 0 ||
             probe_planes_of(backend, backend->probes, "the probe", &backend->probe[i], error) < 0))
            return -1;
    if ((backend->needs & FF_NEED_EXIT) &&
        planes_of(backend, backend->rows + 1, backend->width + PLANE_MARGIN, "a step that is none",
                  &backend->nothing, error) < 0)
        return -1;
    return light_of(backend, &backend->light, error) < 0 ||
                   (backend->eigenprobes > 0 && light_of(backend, &backend->rest_light, error) < 0)
               ? -1
               : 0;
}

/*
 * Lanes for the largest batch. Each has sums of its own over the rows that its patterns touch, at least as many as a
 * patch has; beyond LANES_ALWAYS, these may take an eighth of what the counts take.
 */
static unsigned lanes_for(const struct ff_backend *backend)
{
    size_t lanes = backend->batch_limit / PATTERNS_A_LANE;
    size_t counts = backend->patterns * backend->frame_rows * backend->frame_columns;
    size_t sums = backend->rows * backend->tile.columns * 3 * sizeof(ff_real);
    size_t affordable = counts * sizeof(uint16_t) / 8 / sums;
    if (affordable < LANES_ALWAYS)
        affordable = LANES_ALWAYS;
    if (lanes > affordable)
        lanes = affordable;
    return lanes < 1 ? 1 : lanes > LANE_LIMIT ? LANE_LIMIT : (unsigned)lanes;
}

/*
 * How many lanes run at once, each in sums of its own: all where these take no more than a sixteenth of the counts,
 * else as many whole rounds of the threads as do. Merged wave by wave, the sums are the same to the bit.
 */
static unsigned wave_for(const struct ff_backend *backend, unsigned threads)
{
    size_t counts = backend->patterns * backend->frame_rows * backend->frame_columns;
    size_t probes = (2 * backend->probes + backend->powers) * backend->width;
    size_t sums = (3 * rows_touched(backend) * plane_stride(backend) + probes * backend->rows) *
                  sizeof(ff_real);
    size_t bytes = counts * sizeof(uint16_t) / 16;
    size_t affordable = (bytes > SUMS_ALWAYS ? bytes : SUMS_ALWAYS) / sums;
    size_t rounds = affordable / threads * threads;
    if (affordable >= backend->lane_count || threads >= backend->lane_count)
        return backend->lane_count;
    return rounds > 0 ? (unsigned)rounds : threads;
}

/* Places for χ_0 that stay empty, as far as batches are spread evenly over the devices: memory that is never there. */
static size_t exits_untouched(const struct ff_backend *backend)
{
    size_t all = backend->problem->patterns;
    size_t share = (backend->exit_limit * backend->patterns + all - 1) / all;
    return backend->exit_limit - share;
}

/* Rows of patterns, and the waves that algorithms keep of them. */
static int allocate_patterns(struct ff_backend *backend, struct ff_error *error)
{
    size_t n = backend->patterns;
    size_t frame = backend->frame_rows * backend->frame_width;
    size_t waves = ff_array_elements(n * backend->fly * backend->modes, 2, frame);
    backend->positions =
        ff_cpu_block(backend, 2 * n * backend->fly, sizeof(double), "positions", error);
    backend->scales = ff_cpu_block(backend, n, sizeof(double), "scales", error);
    backend->weights =
        ff_cpu_block(backend, n * backend->eigenprobes + 1, sizeof(double), "weights", error);
    if (backend->positions == NULL || backend->scales == NULL || backend->weights == NULL)
        return -1;
    for (unsigned kind = 0; kind < TERM_KINDS; kind++) {
        size_t width = ff_terms_width(kind, backend->fly, backend->eigenprobes);
        backend->terms[kind] = ff_cpu_block(backend, n * width + 1, sizeof(double), "terms", error);
        if (backend->terms[kind] == NULL)
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        backend->scales[i] = 1;
    for (size_t i = 0; i < n * backend->fly; i++) { /* somewhere inside, until they are put */
        backend->positions[2 * i] = (double)backend->tile.row + 1;
        backend->positions[2 * i + 1] = (double)backend->tile.column + 1;
    }
    if ((backend->needs & FF_NEED_WAVES) &&
        reals_of(backend, waves, "the waves", &backend->waves, error) < 0)
        return -1;
    if (backend->needs & FF_NEED_EXIT) {
        size_t one = backend->fly * backend->rows * backend->width;
        size_t word = sizeof(ff_real) == sizeof(float) ? sizeof(float) : 2 * sizeof(ff_real);
        backend->exits = ff_cpu_block(backend, backend->exit_limit * one, word,
                                      "the exit waves of a batch", error);
        backend->sampled = ff_cpu_block(backend, n, sizeof(bool), "the exit waves", error);
        backend->exit_places =
            ff_cpu_block(backend, backend->batch_limit, sizeof(uint32_t), "the exit waves", error);
        if (backend->exits == NULL || backend->sampled == NULL || backend->exit_places == NULL)
            return -1;
        backend->bytes -= exits_untouched(backend) * one * word;
        memset(backend->sampled, 1, n * sizeof *backend->sampled); /* until sample() is called */
    }
    if ((backend->needs & (FF_NEED_LINE | FF_NEED_JOINT_LINE)) == 0)
        return 0;
    size_t numbers = 1 + (backend->needs & FF_NEED_JOINT_LINE ? FF_JOINT_DEGREE : FF_LINE_DEGREE);
    backend->on_line = ff_cpu_block(backend, n, sizeof(bool), "the line", error);
    if (backend->on_line == NULL || reals_of(backend, ff_array_elements(n, numbers, frame),
                                             "the line", &backend->coefficients, error) < 0)
        return -1;
    return backend->needs & FF_NEED_LINE
               ? reals_of(backend, waves, "the direction's waves", &backend->directions, error)
               : 0;
}

static int copy_plan(struct ff_backend *backend, const struct ff_backend_plan *plan,
                     struct ff_error *error)
{
    backend->numbers =
        ff_cpu_block(backend, plan->pattern_count, sizeof *backend->numbers, "patterns", error);
    backend->owned =
        ff_cpu_block(backend, plan->owned_count + 1, sizeof *backend->owned, "tiles", error);
    backend->links =
        ff_cpu_block(backend, plan->link_count + 1, sizeof *backend->links, "links", error);
    if (backend->numbers == NULL || backend->owned == NULL || backend->links == NULL)
        return -1;
    backend->owned_count = plan->owned_count;
    backend->link_count = plan->link_count;
    memcpy(backend->numbers, plan->patterns, plan->pattern_count * sizeof *backend->numbers);
    if (plan->owned_count > 0)
        memcpy(backend->owned, plan->owned, plan->owned_count * sizeof *backend->owned);
    if (plan->link_count > 0)
        memcpy(backend->links, plan->links, plan->link_count * sizeof *backend->links);
    return 0;
}

static void set_shapes(struct ff_backend *backend, const struct ff_backend_plan *plan)
{
    const struct ff_problem *problem = plan->problem;
    backend->problem = problem;
    backend->number = plan->number;
    backend->count = plan->count;
    backend->tile = plan->tile;
    backend->patterns = plan->pattern_count;
    backend->fly = problem->fly;
    backend->modes = plan->modes;
    backend->eigenprobes = plan->eigenprobes;
    backend->probes = plan->modes + plan->eigenprobes;
    backend->powers = plan->eigenprobes > 0 ? 2 : 1;
    backend->batch_limit = plan->batch_limit;
    backend->exit_limit = plan->exit_limit > 0 && plan->exit_limit < plan->batch_limit
                              ? plan->exit_limit
                              : plan->batch_limit;
    backend->needs = plan->needs;
    backend->noise = plan->noise;
    backend->subpixel = plan->subpixel;
    backend->probes_differ = plan->eigenprobes > 0 || plan->subpixel == FF_SUBPIXEL_FOURIER;
    backend->rows = problem->probe_rows;
    backend->columns = problem->probe_columns;
    backend->width = round_up(problem->probe_columns, FF_KERNEL_WIDTH);
    backend->frame_rows = problem->rows;
    backend->frame_columns = problem->columns;
    backend->frame_width = round_up(problem->columns, FF_KERNEL_WIDTH);
    backend->wave_stride = backend->frame_width + 8;
    backend->shift_stride = backend->width + 8;
    backend->padded =
        backend->rows < backend->frame_rows || backend->columns < backend->frame_columns;
    if (problem->near_field) { /* |F| of the far field does not care where in the pattern */
        backend->pad_row = (backend->frame_rows - backend->rows) / 2;
        backend->pad_column = (backend->frame_columns - backend->columns) / 2;
    }
    backend->lane_count = lanes_for(backend);
}

int ff_cpu_allocate(struct ff_backend *backend, const struct ff_backend_plan *plan,
                    struct ff_error *error)
{
    unsigned threads = ff_pool_threads(backend->pool);
    set_shapes(backend, plan);
    size_t probes = backend->probes;
    unsigned others = backend->lane_count - 1;
    backend->wave = wave_for(backend, threads);
    backend->beside_count = others < backend->wave ? others : backend->wave;
    backend->block_limit =
        64 + 14 * probes + (size_t)LANE_LIMIT * (10 + 4 * probes) +
        threads * (32 + (backend->fly + 1) * (4 + 3 * backend->modes + 2 * probes));
    backend->blocks = calloc(backend->block_limit, sizeof *backend->blocks);
    if (backend->blocks == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the CPU backend");
    backend->workspaces =
        ff_cpu_block(backend, threads, sizeof *backend->workspaces, "threads", error);
    backend->sorted =
        ff_cpu_block(backend, plan->batch_limit, sizeof *backend->sorted, "a batch", error);
    backend->touched = ff_cpu_block(backend, backend->tile.rows, sizeof(bool), "a batch", error);
    if (backend->workspaces == NULL || backend->sorted == NULL || backend->touched == NULL ||
        reals_of(backend, backend->powers * ROW_PIECES, "a batch", &backend->piece_probe, error) <
            0 ||
        reals_of(backend, backend->powers, "a batch", &backend->greatest_probe, error) < 0)
        return -1;
    if (copy_plan(backend, plan, error) < 0 || allocate_fields(backend, error) < 0 ||
        (backend->subpixel == FF_SUBPIXEL_FOURIER && allocate_spectra(backend, error) < 0) ||
        allocate_mask(backend, error) < 0 || allocate_patterns(backend, error) < 0)
        return -1;
    for (unsigned i = 0; i < threads; i++)
        if (allocate_workspace(backend, &backend->workspaces[i], error) < 0)
            return -1;
    return allocate_lanes(backend, error);
}

void ff_cpu_release(struct ff_backend *backend)
{
    for (size_t i = 0; i < backend->block_count; i++)
        free(backend->blocks[i]);
    free(backend->blocks);
}
