/* The numbers of each pattern that need its χ. */
#include "functions/reconstruct/backends/cuda/terms.h"

#include "functions/reconstruct/backends/cuda/state.h"

int ff_cuda_terms_create(struct ff_backend *b, struct ff_error *error)
{
    size_t pieces = b->chunk_limit * b->shape.fly * ff_cuda_term_pieces(&b->shape);
    size_t each = FF_CUDA_SLOPE_NUMBERS + FF_CUDA_STRAIN_NUMBERS;
    size_t weights = ff_cuda_weight_numbers(&b->shape);
    b->term_numbers =
        ff_cuda_device(&b->memory, &b->calls, b->stream, pieces * (weights > each ? weights : each),
                       sizeof(double), "the terms of a batch", error);
    return b->term_numbers != NULL ? 0 : -1;
}

/* Leaves numbers [from, from + count) of `each` of the pieces, by exposure, at the beginning of rows of so many. */
static void leave_exposures(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                            enum ff_terms terms, uint32_t each, uint32_t from, uint32_t count)
{
    const struct ff_cuda_rows rows = {
        .numbers = b->term_numbers,
        .groups = b->shape.fly,
        .pieces = ff_cuda_term_pieces(&b->shape),
        .each = each,
        .from = from,
        .count = count,
        .rows = b->terms[terms],
        .width = count,
    };
    ff_cuda_add_rows(&b->calls, b->stream, chunk, &rows);
}

/* What moves of the patches do. */
static void add_moves(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                      const struct ff_cuda_terms *terms)
{
    bool strains = (b->want & FF_WANT_STRAINS) != 0;
    uint32_t each = FF_CUDA_SLOPE_NUMBERS + (strains ? FF_CUDA_STRAIN_NUMBERS : 0);
    if (strains)
        ff_cuda_strain_pieces(&b->calls, b->stream, chunk, terms);
    else
        ff_cuda_slope_pieces(&b->calls, b->stream, chunk, terms);
    if (b->want & FF_WANT_POSITIONS)
        leave_exposures(b, chunk, FF_TERMS_POSITIONS, each, 0, FF_CUDA_SLOPE_NUMBERS);
    if (strains)
        leave_exposures(b, chunk, FF_TERMS_STRAINS, each, FF_CUDA_SLOPE_NUMBERS,
                        FF_CUDA_STRAIN_NUMBERS);
}

/* All exposures of a pattern have the same weights. */
static void add_weights(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                        const struct ff_cuda_terms *terms)
{
    uint32_t each = ff_cuda_weight_numbers(&b->shape);
    const struct ff_cuda_rows rows = {
        .numbers = b->term_numbers,
        .groups = 1,
        .pieces = b->shape.fly * ff_cuda_term_pieces(&b->shape),
        .each = each,
        .count = each,
        .rows = b->terms[FF_TERMS_WEIGHTS],
        .width = each,
    };
    ff_cuda_weight_pieces(&b->calls, b->stream, chunk, terms);
    ff_cuda_add_rows(&b->calls, b->stream, chunk, &rows);
}

void ff_cuda_leave_terms(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                         const struct ff_cuda_probes *probes)
{
    const struct ff_cuda_terms terms = {
        .waves = b->waves,
        .object = b->object[0],
        .probes = *probes,
        .numbers = b->term_numbers,
    };
    if (b->want & (FF_WANT_POSITIONS | FF_WANT_STRAINS))
        add_moves(b, chunk, &terms);
    if ((b->want & FF_WANT_WEIGHTS) && b->shape.eigenprobes > 0)
        add_weights(b, chunk, &terms);
}
