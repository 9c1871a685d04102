/* The search along a direction: its waves and the coefficients are formed once, and lengths tried without a transform. */
#include "functions/reconstruct/backends/cuda/line.h"
#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/backends/cuda/step.h"

#include <stdlib.h>

enum { BOTH = FF_PART_OBJECT | FF_PART_PROBE };

struct ff_cuda_line {
    uint32_t degree;  /* of the last line */
    float *values;    /* (patterns, most of degree + 1, frame) */
    uint8_t *on_line; /* (patterns) */
    float2 *
        directions; /* (patterns, fly, modes, frame); NULL where lines are along both parts alone */
    float2 *second; /* (chunk_limit, fly, modes, frame); NULL where they are along one alone */
};

static size_t frame_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.frame_rows * b->shape.frame_columns;
}

/* Values of the waves of a pattern. */
static size_t values_each(const struct ff_backend *b)
{
    return (size_t)b->shape.fly * b->shape.modes * frame_pixels(b);
}

static int allocate(struct ff_backend *b, struct ff_cuda_line *line, struct ff_error *error)
{
    const char what[] = "the line search";
    bool joint = (b->needs & FF_NEED_JOINT_LINE) != 0;
    size_t numbers = (joint ? FF_CUDA_JOINT_DEGREE : FF_CUDA_LINE_DEGREE) + 1;
    line->on_line = ff_cuda_device(&b->memory, &b->calls, b->stream, b->patterns, 1, what, error);
    if (line->on_line == NULL)
        return -1;
    if (joint) {
        line->second = ff_cuda_device(&b->memory, &b->calls, b->stream, b->chunk_limit,
                                      values_each(b) * sizeof(float2), what, error);
        if (line->second == NULL)
            return -1;
    }
    line->values = ff_cuda_roomy(&b->memory, &b->calls, b->stream, b->patterns,
                                 numbers * frame_pixels(b) * sizeof(float), what, error);
    if (line->values == NULL)
        return -1;
    if (b->needs & FF_NEED_LINE) {
        line->directions =
            ff_cuda_roomy(&b->memory, &b->calls, b->stream, b->patterns,
                          values_each(b) * sizeof(float2), "the direction's waves", error);
        if (line->directions == NULL)
            return -1;
    }
    return 0;
}

int ff_cuda_line_create(struct ff_backend *b, struct ff_error *error)
{
    if (!(b->needs & (FF_NEED_LINE | FF_NEED_JOINT_LINE)))
        return 0;
    b->line = calloc(1, sizeof *b->line);
    if (b->line == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the line search");
    return allocate(b, b->line, error);
}

void ff_cuda_line_destroy(struct ff_cuda_line *line)
{
    free(line);
}

static void line_chunk(struct ff_backend *b, const struct ff_cuda_chunk *chunk, unsigned parts)
{
    const struct ff_cuda_line *line = b->line;
    const struct ff_cuda_direction direction = {
        .parts = parts,
        .object = b->object[0],
        .object_step = b->object[FF_OBJECT_DIRECTION - FF_OBJECT],
        .probes = ff_cuda_probes_of(b, chunk, b->probe[0]),
        .probe_steps = ff_cuda_probes_of(b, chunk, b->probe[FF_PROBE_DIRECTION - FF_PROBE]),
        .waves = b->waves,
        .second = parts == BOTH ? line->second : NULL,
    };
    const struct ff_cuda_coefficients coefficients = {
        .kept = b->kept,
        .waves = b->waves,
        .second = direction.second,
        .scale = b->scale,
        .directions = parts == BOTH ? NULL : line->directions,
        .values = line->values,
        .on_line = line->on_line,
    };
    ff_cuda_form_direction(&b->calls, b->stream, chunk, &direction);
    ff_cuda_forward(b, b->waves, ff_cuda_waves_of(chunk));
    if (direction.second != NULL)
        ff_cuda_forward(b, direction.second, ff_cuda_waves_of(chunk));
    ff_cuda_form_coefficients(&b->calls, b->stream, chunk, &coefficients);
}

void ff_cuda_line(struct ff_backend *b, struct ff_batch batch, unsigned parts)
{
    ff_cuda_begin_batch(b, batch);
    b->line->degree = parts == BOTH ? FF_CUDA_JOINT_DEGREE : FF_CUDA_LINE_DEGREE;
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        line_chunk(b, &chunk, parts);
    }
}

struct ff_line_terms ff_cuda_line_terms(struct ff_backend *b, double gamma)
{
    const struct ff_cuda_length length = {
        .shape = b->shape,
        .patterns = b->patterns,
        .degree = b->line->degree,
        .values = b->line->values,
        .on_line = b->line->on_line,
        .counts = b->counts,
        .measured = b->measured,
        .poisson = b->noise == FF_NOISE_POISSON,
        .gamma = (float)gamma,
    };
    struct ff_line_terms terms = {0, 0, 0, 0};
    ff_cuda_use(&b->calls);
    ff_cuda_length_terms(&b->calls, b->stream, &length, b->answer_pieces, b->answer);
    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));
    for (unsigned i = 0; i < FF_CUDA_PARTS && !b->calls.failed; i++) {
        const double *answer = b->answer + i * FF_CUDA_ANSWER_NUMBERS;
        terms.value += answer[0];
        terms.slope += answer[1];
        terms.curve += answer[2];
        terms.majoriser += answer[3];
    }
    return terms;
}

/* Along both parts at once the waves are no longer those of the line: they are formed anew. */
void ff_cuda_advance(struct ff_backend *b, unsigned parts, double gamma)
{
    struct ff_cuda_line *line = b->line;
    size_t probe = (size_t)b->shape.rows * b->shape.columns;
    ff_cuda_use(&b->calls);
    if (parts & FF_PART_OBJECT)
        ff_cuda_advance_values(&b->calls, b->stream, b->object[0],
                               b->object[FF_OBJECT_DIRECTION - FF_OBJECT], (float)gamma,
                               b->tile.rows, b->tile.columns, NULL);
    if (parts & FF_PART_PROBE)
        ff_cuda_advance_values(&b->calls, b->stream, b->probe[0],
                               b->probe[FF_PROBE_DIRECTION - FF_PROBE], (float)gamma, probe,
                               b->probes, NULL);
    if (parts != BOTH)
        ff_cuda_advance_values(&b->calls, b->stream, b->kept, line->directions, (float)gamma,
                               values_each(b), b->patterns, line->on_line);
    FF_CUDA(&b->calls, cudaMemsetAsync(line->on_line, 0, b->patterns, b->stream));
}
