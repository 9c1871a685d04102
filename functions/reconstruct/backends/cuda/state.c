/* Sizes of everything, and memory for it. */
#include "functions/reconstruct/backends/cuda/state.h"

#include "functions/reconstruct/backends/cuda/chunks.h"
#include "functions/reconstruct/backends/cuda/step.h"
#include "functions/reconstruct/backends/cuda/waves.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a wave of the chunk, where the device does not say how large its second cache is. */
enum { CACHE_OTHERWISE = 32 << 20 };

static void *device_block(struct ff_backend *b, size_t count, size_t size, const char *what,
                          struct ff_error *error)
{
    return ff_cuda_device(&b->memory, &b->calls, b->stream, count, size, what, error);
}

static void *pinned_block(struct ff_backend *b, size_t count, size_t size, const char *what,
                          struct ff_error *error)
{
    return ff_cuda_pinned(&b->memory, &b->calls, count, size, what, error);
}

static void *host_block(size_t count, size_t size, const char *what, struct ff_error *error)
{
    return ff_array_create(count > 0 ? count : 1, size, what, error);
}

static size_t frame_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.frame_rows * b->shape.frame_columns;
}

static size_t probe_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.rows * b->shape.columns;
}

/* Waves of a pattern. */
static size_t waves_each(const struct ff_backend *b)
{
    return (size_t)b->shape.fly * b->shape.modes;
}

/* Bytes of a pattern at work: its waves, and where probes are shifted those that it sees and its products. */
static size_t bytes_each(const struct ff_backend *b)
{
    size_t shifted = b->shifted ? (b->probes + b->shape.modes) * probe_pixels(b) : 0;
    return (waves_each(b) * frame_pixels(b) + b->shape.fly * shifted) * sizeof(float2);
}

static size_t chunk_limit(struct ff_backend *b)
{
    int cache = 0;
    if (!FF_CUDA(&b->calls,
                 cudaDeviceGetAttribute(&cache, cudaDevAttrL2CacheSize, b->calls.device)) ||
        cache <= 0)
        cache = CACHE_OTHERWISE;
    return ff_cuda_chunk_limit((size_t)cache, bytes_each(b), b->batch_limit);
}

static void find_sizes(struct ff_backend *b, const struct ff_backend_plan *plan)
{
    const struct ff_problem *problem = plan->problem;
    b->problem = problem;
    b->number = plan->number;
    b->count = plan->count;
    b->tile = plan->tile;
    b->patterns = plan->pattern_count;
    b->probes = plan->modes + plan->eigenprobes;
    b->needs = plan->needs;
    b->noise = plan->noise;
    b->subpixel = plan->subpixel;
    b->shifted = plan->subpixel == FF_SUBPIXEL_FOURIER;
    b->batch_limit = plan->batch_limit;
    b->exit_limit = plan->exit_limit > 0 && plan->exit_limit < plan->batch_limit
                        ? plan->exit_limit
                        : plan->batch_limit;
    b->shape = (struct ff_cuda_shape){
        .rows = (uint32_t)problem->probe_rows,
        .columns = (uint32_t)problem->probe_columns,
        .frame_rows = (uint32_t)problem->rows,
        .frame_columns = (uint32_t)problem->columns,
        .tile_rows = (uint32_t)plan->tile.rows,
        .tile_columns = (uint32_t)plan->tile.columns,
        .fly = (uint32_t)problem->fly,
        .modes = (uint32_t)plan->modes,
        .eigenprobes = (uint32_t)plan->eigenprobes,
    };
    if (problem->near_field) { /* |F| of the far field does not care where in the pattern */
        b->shape.pad_row = (b->shape.frame_rows - b->shape.rows) / 2;
        b->shape.pad_column = (b->shape.frame_columns - b->shape.columns) / 2;
    }
    b->powers = ff_cuda_powers_of(&b->shape);
    b->chunk_limit = chunk_limit(b);
}

static int copy_plan(struct ff_backend *b, const struct ff_backend_plan *plan,
                     struct ff_error *error)
{
    b->owned = host_block(plan->owned_count, sizeof *b->owned, "a tile", error);
    b->links = host_block(plan->link_count, sizeof *b->links, "a tile", error);
    b->numbers = host_block(plan->pattern_count, sizeof *b->numbers, "the patterns", error);
    if (b->owned == NULL || b->links == NULL || b->numbers == NULL)
        return -1;
    b->owned_count = plan->owned_count;
    b->link_count = plan->link_count;
    if (plan->owned_count > 0)
        memcpy(b->owned, plan->owned, plan->owned_count * sizeof *b->owned);
    if (plan->link_count > 0)
        memcpy(b->links, plan->links, plan->link_count * sizeof *b->links);
    memcpy(b->numbers, plan->patterns, plan->pattern_count * sizeof *b->numbers);
    return 0;
}

/* By enum ff_field from FF_OBJECT on, and likewise from FF_PROBE on: what is needed of a kind. */
static bool field_needed(const struct ff_backend *b, int kind)
{
    if (kind == FF_OBJECT_VELOCITY - FF_OBJECT)
        return (b->needs & FF_NEED_VELOCITIES) != 0;
    return kind == 0 || (b->needs & FF_NEED_DIRECTIONS) != 0;
}

static int allocate_fields(struct ff_backend *b, struct ff_error *error)
{
    size_t tile = b->tile.rows * b->tile.columns;
    for (int kind = 0; kind < 4; kind++) {
        if (!field_needed(b, kind))
            continue;
        b->object[kind] = device_block(b, tile, sizeof(float2), "the object", error);
        b->probe[kind] =
            device_block(b, b->probes * probe_pixels(b), sizeof(float2), "the probe", error);
        if (b->object[kind] == NULL || b->probe[kind] == NULL)
            return -1;
    }
    return 0;
}

static int allocate_sums(struct ff_backend *b, struct ff_error *error)
{
    const char what[] = "the gradients";
    size_t tile = b->tile.rows * b->tile.columns;
    size_t probe = b->probes * probe_pixels(b);
    size_t power = b->powers * probe_pixels(b);
    b->gradient = device_block(b, tile, sizeof(float2), what, error);
    b->weight = device_block(b, tile, sizeof(float), what, error);
    b->probe_gradient = device_block(b, probe, sizeof(float2), what, error);
    b->power = device_block(b, power, sizeof(float), what, error);
    b->answer_pieces =
        device_block(b, (size_t)FF_CUDA_PARTS * FF_CUDA_ANSWER_PIECES * FF_CUDA_ANSWER_NUMBERS,
                     sizeof(double), what, error);
    b->answer =
        pinned_block(b, FF_CUDA_PARTS * FF_CUDA_ANSWER_NUMBERS, sizeof(double), what, error);
    b->owned_device = device_block(b, b->owned_count, sizeof *b->owned_device, what, error);
    return b->gradient != NULL && b->weight != NULL && b->probe_gradient != NULL &&
                   b->power != NULL && b->answer_pieces != NULL && b->answer != NULL &&
                   b->owned_device != NULL
               ? 0
               : -1;
}

/* Where the tile begins the owned areas have their origin, on the device. */
static int upload_owned(struct ff_backend *b, struct ff_error *error)
{
    struct ff_area *areas = host_block(b->owned_count, sizeof *areas, "a tile", error);
    if (areas == NULL)
        return -1;
    for (size_t i = 0; i < b->owned_count; i++) {
        areas[i] = b->owned[i];
        areas[i].row -= b->tile.row;
        areas[i].column -= b->tile.column;
    }
    FF_CUDA(&b->calls, cudaMemcpyAsync(b->owned_device, areas, b->owned_count * sizeof *areas,
                                       cudaMemcpyHostToDevice, b->stream));
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    free(areas);
    return ff_cuda_report(&b->calls, error);
}

static int allocate_rows(struct ff_backend *b, struct ff_error *error)
{
    const char what[] = "the patterns";
    size_t places = b->patterns * b->shape.fly;
    size_t weights = b->patterns * b->shape.eigenprobes;
    b->positions = host_block(places, 2 * sizeof(double), what, error);
    b->scales = host_block(b->patterns, sizeof(double), what, error);
    b->weights = host_block(weights, sizeof(double), what, error);
    b->shares = host_block(b->patterns, sizeof(bool), what, error);
    b->along = host_block(b->patterns, sizeof *b->along, what, error);
    b->sorted = host_block(b->batch_limit, sizeof *b->sorted, what, error);
    b->sorted_shared = host_block(b->batch_limit, sizeof *b->sorted_shared, what, error);
    if (b->sorted == NULL || b->sorted_shared == NULL || b->shares == NULL || b->along == NULL ||
        b->positions == NULL || b->scales == NULL || b->weights == NULL)
        return -1;
    b->places_host = pinned_block(b, places, sizeof *b->places_host, what, error);
    b->weights_host = pinned_block(b, weights, sizeof(float), what, error);
    b->places = device_block(b, places, sizeof *b->places, what, error);
    b->weights_device = device_block(b, weights, sizeof(float), what, error);
    b->cost_sums = device_block(b, b->patterns, 2 * sizeof(double), what, error);
    if (b->places_host == NULL || b->weights_host == NULL || b->places == NULL ||
        b->weights_device == NULL || b->cost_sums == NULL)
        return -1;
    for (int kind = 0; kind < FF_CUDA_TERM_KINDS; kind++) {
        size_t width = ff_terms_width((enum ff_terms)kind, b->shape.fly, b->shape.eigenprobes);
        b->terms[kind] = device_block(b, b->patterns * width, sizeof(double), what, error);
        if (b->terms[kind] == NULL)
            return -1;
    }
    return 0;
}

static int allocate_batch(struct ff_backend *b, struct ff_error *error)
{
    size_t pieces = ff_cuda_modulus_pieces(&b->shape);
    b->waves = device_block(b, b->chunk_limit * waves_each(b) * frame_pixels(b), sizeof(float2),
                            "the waves of a batch", error);
    b->piece_numbers = device_block(b, b->batch_limit * pieces * FF_CUDA_PIECE_NUMBERS,
                                    sizeof(double), "a batch", error);
    if (b->waves == NULL || b->piece_numbers == NULL)
        return -1;
    return ff_cuda_report(&b->calls, error);
}

static int upload_mask(struct ff_backend *b, struct ff_error *error)
{
    if (b->problem->measured == NULL)
        return 0;
    b->measured = device_block(b, frame_pixels(b), 1, "the mask", error);
    if (b->measured == NULL)
        return -1;
    FF_CUDA(&b->calls, cudaMemcpyAsync(b->measured, b->problem->measured, frame_pixels(b),
                                       cudaMemcpyHostToDevice, b->stream));
    return ff_cuda_report(&b->calls, error);
}

int ff_cuda_allocate(struct ff_backend *b, const struct ff_backend_plan *plan,
                     struct ff_error *error)
{
    find_sizes(b, plan);
    return copy_plan(b, plan, error) == 0 && allocate_fields(b, error) == 0 &&
                   allocate_sums(b, error) == 0 && upload_owned(b, error) == 0 &&
                   allocate_rows(b, error) == 0 && ff_cuda_batches_create(b, error) == 0 &&
                   allocate_batch(b, error) == 0 && upload_mask(b, error) == 0
               ? 0
               : -1;
}

int ff_cuda_allocate_kept(struct ff_backend *b, struct ff_error *error)
{
    if (!(b->needs & FF_NEED_WAVES))
        return 0;
    b->kept = ff_cuda_roomy(&b->memory, &b->calls, b->stream,
                            b->patterns * waves_each(b) * frame_pixels(b), sizeof(float2),
                            "the waves of all patterns", error);
    return b->kept != NULL ? 0 : -1;
}
