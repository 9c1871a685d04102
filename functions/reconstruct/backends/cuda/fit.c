/*
 * The second pass of LSQ-ML (Odstrčil, Menzel, Guizar-Sicairos, Opt. Express 26, 3108 (2018), eq. 22): what the normalised
 * sums would change in the exit wave of each pattern, against what was asked of it.
 */
#include "functions/reconstruct/backends/cuda/fit.h"

#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/backends/cuda/terms.h"

#include <stdlib.h>
#include <string.h>

struct ff_cuda_exits {
    uint32_t *kept; /* on the device: (exit_limit, fly, rows, columns) */
    bool *sampled;  /* (patterns) */
};

static size_t exit_pixels(const struct ff_backend *b)
{
    return (size_t)b->shape.fly * b->shape.rows * b->shape.columns;
}

int ff_cuda_exits_create(struct ff_backend *b, struct ff_error *error)
{
    if (!(b->needs & FF_NEED_EXIT))
        return 0;
    struct ff_cuda_exits *exits = calloc(1, sizeof *exits);
    if (exits == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the exit waves");
    b->exits = exits;
    exits->sampled = ff_array_create(b->patterns + 1, sizeof(bool), "the exit waves", error);
    exits->kept = ff_cuda_device(&b->memory, &b->calls, b->stream, b->exit_limit * exit_pixels(b),
                                 sizeof *exits->kept, "the exit waves of a batch", error);
    if (exits->sampled == NULL || exits->kept == NULL)
        return -1;
    memset(exits->sampled, 1, b->patterns); /* until sample() is called */
    return 0;
}

void ff_cuda_exits_destroy(struct ff_cuda_exits *exits)
{
    if (exits == NULL)
        return;
    free(exits->sampled);
    free(exits);
}

void ff_cuda_sample(struct ff_backend *b, struct ff_batch patterns)
{
    memset(b->exits->sampled, 0, b->patterns);
    for (size_t i = 0; i < patterns.count; i++)
        b->exits->sampled[patterns.patterns[i]] = true;
}

/* In the order of the sorted batch, in which fit() comes to them again. */
void ff_cuda_place_exits(struct ff_backend *b, uint32_t *places)
{
    uint32_t place = 0;
    for (size_t i = 0; i < b->batch_count; i++)
        places[i] = b->exits->sampled[b->lists[b->list].host[i]] ? place++ : FF_CUDA_NO_EXIT;
}

void ff_cuda_leave_exits(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk)
{
    ff_cuda_keep_exits(&b->calls, b->stream, chunk, b->waves,
                       b->lists[b->list].device + b->batch_count + first, b->exits->kept);
}

/* backend->want is still that of the pass that kept them. */
static void fit_chunk(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk)
{
    struct ff_cuda_fit fit = {
        .exits = b->exits->kept + first * exit_pixels(b),
        .object = b->object[0],
        .numbers = b->term_numbers,
    };
    if (b->want & FF_WANT_OBJECT) {
        fit.object_step = b->gradient;
        fit.probes = ff_cuda_some_probes_of(b, chunk, b->probe[0], 1);
    }
    if (b->want & FF_WANT_PROBE)
        fit.probe_steps = ff_cuda_some_probes_of(b, chunk, b->probe_gradient, 1);
    const struct ff_cuda_rows rows = ff_cuda_rows_of(b, FF_TERMS_STEPS);
    ff_cuda_fit_pieces(&b->calls, b->stream, chunk, &fit);
    ff_cuda_add_rows(&b->calls, b->stream, chunk, &rows);
}

/* The batch is that of the exit waves at hand, so its places in order are theirs. */
void ff_cuda_fit(struct ff_backend *b, struct ff_batch batch)
{
    ff_cuda_begin_batch(b, batch);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        fit_chunk(b, first, &chunk);
    }
}
