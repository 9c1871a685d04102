/*
 * Probes shifted by a part of a pixel. The spectra of the probes are found once a batch, and the sums of what is shifted back
 * are made of spectra, so that an exposure takes one transform for each probe that it sees and one for each mode's product.
 */
#include "functions/reconstruct/backends/cuda/shift.h"

#include "functions/reconstruct/backends/cuda/state.h"

#include <stdlib.h>

/* Something of the probe's shape, as the exposures of a chunk see it. */
struct seen {
    const float2 *source; /* whose spectra are at hand; NULL: nobody's */
    float2 *spectra;      /* (modes + eigenprobes, rows, columns) */
    float2 *shifted;      /* (chunk_limit, fly, so many as can be wanted, rows, columns) */
};

struct ff_cuda_shifts {
    struct ff_cuda_transforms *transforms; /* of probes */
    struct seen probe, other;
    float2 *ramps;          /* (chunk_limit, fly, rows + columns) */
    const uint32_t *ramped; /* the patterns of the chunk that they are of; NULL: of none */
    float2 *products;       /* (chunk_limit, fly, modes, rows, columns) */
};

static size_t probe_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.rows * b->shape.columns;
}

static float2 *values(struct ff_backend *b, size_t count, struct ff_error *error)
{
    return ff_cuda_device(&b->memory, &b->calls, b->stream, count, sizeof(float2),
                          "the shifted probes", error);
}

static int allocate_seen(struct ff_backend *b, struct seen *seen, size_t probes,
                         struct ff_error *error)
{
    seen->spectra = values(b, b->probes * probe_pixels(b), error);
    seen->shifted = values(b, b->chunk_limit * b->shape.fly * probes * probe_pixels(b), error);
    return seen->spectra != NULL && seen->shifted != NULL ? 0 : -1;
}

int ff_cuda_shifts_create(struct ff_backend *b, struct ff_error *error)
{
    size_t exposures = b->chunk_limit * b->shape.fly;
    if (!b->shifted)
        return 0;
    struct ff_cuda_shifts *shifts = calloc(1, sizeof *shifts);
    if (shifts == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the shifted probes");
    b->shifts = shifts;
    shifts->ramps = values(b, exposures * (b->shape.rows + b->shape.columns), error);
    shifts->products = values(b, exposures * b->shape.modes * probe_pixels(b), error);
    if (shifts->ramps == NULL || shifts->products == NULL ||
        allocate_seen(b, &shifts->probe, b->probes, error) < 0)
        return -1;
    if ((b->needs & (FF_NEED_EXIT | FF_NEED_LINE | FF_NEED_JOINT_LINE)) &&
        allocate_seen(b, &shifts->other, b->shape.modes, error) < 0)
        return -1;
    shifts->transforms = ff_cuda_transforms_create(&b->calls, &b->memory, b->stream, b->shape.rows,
                                                   b->shape.columns, exposures * b->probes, error);
    return shifts->transforms != NULL ? 0 : -1;
}

void ff_cuda_shifts_destroy(struct ff_cuda_shifts *shifts)
{
    if (shifts == NULL)
        return;
    ff_cuda_transforms_destroy(shifts->transforms);
    free(shifts);
}

void ff_cuda_forget_spectra(struct ff_cuda_shifts *shifts)
{
    shifts->probe.source = NULL;
    shifts->other.source = NULL;
    shifts->ramped = NULL;
}

static void transform(struct ff_backend *b, float2 *waves, size_t count, int direction)
{
    ff_cuda_transform(b->shifts->transforms, waves, count, direction);
    b->transforms_done += count;
}

static void find_spectra(struct ff_backend *b, struct seen *seen, const float2 *source)
{
    if (seen->source == source)
        return;
    FF_CUDA(&b->calls,
            cudaMemcpyAsync(seen->spectra, source, b->probes * probe_pixels(b) * sizeof *source,
                            cudaMemcpyDeviceToDevice, b->stream));
    transform(b, seen->spectra, b->probes, CUFFT_FORWARD);
    seen->source = source;
}

static void find_ramps(struct ff_backend *b, const struct ff_cuda_chunk *chunk)
{
    if (b->shifts->ramped == chunk->patterns)
        return;
    ff_cuda_make_ramps(&b->calls, b->stream, chunk, b->shifts->ramps);
    b->shifts->ramped = chunk->patterns;
}

struct ff_cuda_probes ff_cuda_some_probes_of(struct ff_backend *b,
                                             const struct ff_cuda_chunk *chunk,
                                             const float2 *source, uint32_t probes)
{
    if (!b->shifted)
        return (struct ff_cuda_probes){.values = source};
    struct ff_cuda_shifts *shifts = b->shifts;
    struct seen *seen = source == b->probe[0] ? &shifts->probe : &shifts->other;
    find_spectra(b, seen, source);
    find_ramps(b, chunk);
    ff_cuda_turn_spectra(&b->calls, b->stream, chunk, seen->spectra, shifts->ramps, probes,
                         seen->shifted);
    transform(b, seen->shifted, (size_t)chunk->count * b->shape.fly * probes, CUFFT_INVERSE);
    return (struct ff_cuda_probes){.values = seen->shifted, .stride = probes * probe_pixels(b)};
}

struct ff_cuda_probes ff_cuda_probes_of(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                                        const float2 *source)
{
    return ff_cuda_some_probes_of(b, chunk, source, b->shape.modes);
}

void ff_cuda_find_products(struct ff_backend *b, const struct ff_cuda_chunk *chunk, bool first)
{
    struct ff_cuda_shifts *shifts = b->shifts;
    ff_cuda_form_products(&b->calls, b->stream, chunk, b->object[0], b->waves, shifts->products);
    transform(b, shifts->products, (size_t)chunk->count * b->shape.fly * b->shape.modes,
              CUFFT_FORWARD);
    if (b->want & FF_WANT_PROBE)
        ff_cuda_sum_spectra(&b->calls, b->stream, chunk, shifts->products, shifts->ramps, first,
                            b->probe_gradient);
}

void ff_cuda_leave_spectra(struct ff_backend *b)
{
    transform(b, b->probe_gradient, b->probes, CUFFT_INVERSE);
}

void ff_cuda_shift_slopes(struct ff_backend *b, const struct ff_cuda_chunk *chunk)
{
    const struct ff_cuda_shifts *shifts = b->shifts;
    ff_cuda_shift_pieces(&b->calls, b->stream, chunk, shifts->probe.spectra, shifts->products,
                         shifts->ramps, b->term_numbers);
}
