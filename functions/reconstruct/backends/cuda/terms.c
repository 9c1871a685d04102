/* The numbers of each pattern that need its χ. */
#include "functions/reconstruct/backends/cuda/terms.h"

#include "functions/reconstruct/backends/cuda/shift.h"
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

struct ff_cuda_rows ff_cuda_rows_of(const struct ff_backend *b, enum ff_terms terms)
{
    bool by_exposure = terms == FF_TERMS_POSITIONS || terms == FF_TERMS_STRAINS;
    uint32_t pieces = ff_cuda_term_pieces(&b->shape);
    uint32_t width = (uint32_t)ff_terms_width(terms, 1, b->shape.eigenprobes);
    return (struct ff_cuda_rows){
        .numbers = b->term_numbers,
        .groups = by_exposure ? b->shape.fly : 1,
        .pieces = by_exposure ? pieces : b->shape.fly * pieces,
        .each = width,
        .count = width,
        .rows = b->terms[terms],
        .width = width,
    };
}

/* Where a move shifts the probe, b is that of this shift. */
static void leave_shift_slopes(struct ff_backend *b, const struct ff_cuda_chunk *chunk)
{
    struct ff_cuda_rows rows = ff_cuda_rows_of(b, FF_TERMS_POSITIONS);
    rows.each = FF_CUDA_SHIFT_NUMBERS;
    rows.count = FF_CUDA_SHIFT_NUMBERS;
    ff_cuda_shift_slopes(b, chunk);
    ff_cuda_add_rows(&b->calls, b->stream, chunk, &rows);
}

/* What moves of the patches do. */
static void add_moves(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                      const struct ff_cuda_terms *terms)
{
    struct ff_cuda_rows positions = ff_cuda_rows_of(b, FF_TERMS_POSITIONS);
    struct ff_cuda_rows strains = ff_cuda_rows_of(b, FF_TERMS_STRAINS);
    if (b->want & FF_WANT_STRAINS) {
        ff_cuda_strain_pieces(&b->calls, b->stream, chunk, terms);
        positions.each += FF_CUDA_STRAIN_NUMBERS;
        strains.each = positions.each;
        strains.from = FF_CUDA_SLOPE_NUMBERS;
        ff_cuda_add_rows(&b->calls, b->stream, chunk, &strains);
    } else {
        ff_cuda_slope_pieces(&b->calls, b->stream, chunk, terms);
    }
    if (!(b->want & FF_WANT_POSITIONS))
        return;
    ff_cuda_add_rows(&b->calls, b->stream, chunk, &positions);
    if (b->shifted)
        leave_shift_slopes(b, chunk);
}

/* All exposures of a pattern have the same weights. */
static void add_weights(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                        const struct ff_cuda_terms *terms)
{
    const struct ff_cuda_rows rows = ff_cuda_rows_of(b, FF_TERMS_WEIGHTS);
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
