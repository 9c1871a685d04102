/* The passes that form sums over a batch, and the one that forms the cost alone. */
#include "functions/reconstruct/backends/cuda/state.h"
#include "functions/reconstruct/backends/cuda/waves.h"
#include "functions/reconstruct/backends/cuda/weights.h"

size_t ff_cuda_waves_of(const struct ff_cuda_chunk *chunk)
{
    return (size_t)chunk->count * chunk->shape.fly * chunk->shape.modes;
}

struct ff_cuda_modulus ff_cuda_modulus_of(const struct ff_backend *b, size_t first)
{
    size_t pieces = ff_cuda_modulus_pieces(&b->shape);
    return (struct ff_cuda_modulus){
        .asked = b->noise == FF_NOISE_POISSON ? FF_CUDA_LIKELIHOOD : FF_CUDA_LEAST_SQUARES,
        .measured = b->measured,
        .waves = b->waves,
        .scale = b->scale,
        .back = b->back,
        .numbers = b->piece_numbers + first * pieces * FF_CUDA_PIECE_NUMBERS,
    };
}

void ff_cuda_leave_numbers(struct ff_backend *b, bool scales)
{
    const struct ff_cuda_gathered gathered = {
        .patterns = b->lists[b->list].device,
        .count = (uint32_t)b->batch_count,
        .pieces = ff_cuda_modulus_pieces(&b->shape),
        .numbers = b->piece_numbers,
        .costs = b->terms[FF_TERMS_COSTS],
        .cost_sums = b->cost_sums,
        .scales = scales ? b->terms[FF_TERMS_SCALES] : NULL,
    };
    FF_CUDA(&b->calls, cudaEventRecord(b->modulus_done, b->stream));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->answers, b->modulus_done, 0));
    if (b->batch_count > 0)
        ff_cuda_gather_numbers(&b->calls, b->answers, &gathered);
    FF_CUDA(&b->calls, cudaEventRecord(b->numbers_done, b->answers));
}

/* Patterns of the batch that come before those of a chunk. */
static uint32_t before(const struct ff_backend *b, const struct ff_cuda_chunk *chunk)
{
    return (uint32_t)(chunk->patterns - b->lists[b->list].device);
}

/* Of the chunks of the batch. */
static bool is_last(const struct ff_backend *b, const struct ff_cuda_chunk *chunk)
{
    return chunk->patterns + chunk->count == b->lists[b->list].device + b->batch_count;
}

/* --- weights --- */

static void weigh(struct ff_backend *b, cudaStream_t stream, const struct ff_cuda_chunk *chunk,
                  const struct ff_cuda_probes *probes)
{
    const struct ff_cuda_weights weights = {
        .probes = *probes,
        .before = before(b, chunk),
        .all = (uint32_t)b->batch_count,
        .weight = b->weight,
        .greatest = b->greatest,
    };
    ff_cuda_weigh(&b->calls, stream, chunk, &weights);
}

/* The probes of a batch are everybody's, so that its weights can be formed beside the first waves; where they are shifted, each
 * chunk has its own, and its weights come with it. */
void ff_cuda_weigh_batch(struct ff_backend *b)
{
    const struct ff_cuda_chunk batch = ff_cuda_whole_batch(b);
    const struct ff_cuda_probes probes = {.values = b->probe[0]};
    if (!(b->want & FF_WANT_OBJECT) || b->shifted || b->batch_count == 0)
        return;
    FF_CUDA(&b->calls, cudaEventRecord(b->begun, b->stream));
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->beside, b->begun, 0));
    ff_cuda_await_taken(b, b->beside);
    weigh(b, b->beside, &batch, &probes);
    FF_CUDA(&b->calls, cudaEventRecord(b->weighed, b->beside));
    ff_cuda_offer_weight(b, b->beside);
}

static void weigh_chunk(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                        const struct ff_cuda_probes *probes)
{
    if (!(b->want & FF_WANT_OBJECT) || !b->shifted)
        return;
    if (before(b, chunk) == 0)
        ff_cuda_await_taken(b, b->stream);
    weigh(b, b->stream, chunk, probes);
    if (is_last(b, chunk))
        ff_cuda_offer_weight(b, b->stream);
}

void ff_cuda_await_weights(struct ff_backend *b)
{
    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, b->weighed, 0));
}

/* V of a chunk, for what forms its waves. */
static struct ff_cuda_powers powers_of(const struct ff_backend *b,
                                       const struct ff_cuda_chunk *chunk)
{
    return (struct ff_cuda_powers){
        .power = b->want & FF_WANT_PROBE ? b->power : NULL,
        .greatest = b->greatest + 1,
        .first = before(b, chunk) == 0,
    };
}

void ff_cuda_form(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                  const struct ff_cuda_probes *probes, float2 *waves)
{
    const struct ff_cuda_powers powers = powers_of(b, chunk);
    weigh_chunk(b, chunk, probes);
    if (waves != NULL || powers.power != NULL)
        ff_cuda_form_waves(&b->calls, b->stream, chunk, b->object[0], probes, waves, &powers);
    if (is_last(b, chunk))
        ff_cuda_offer_power(b);
}

/* --- sums --- */

void ff_cuda_add_sums(struct ff_backend *b, const struct ff_cuda_chunk *chunk,
                      const struct ff_cuda_probes *probes)
{
    const struct ff_cuda_sums sums = {
        .waves = b->waves,
        .object = b->object[0],
        .probes = *probes,
        .object_wanted = (b->want & FF_WANT_OBJECT) != 0,
        .probe_wanted = (b->want & FF_WANT_PROBE) && !b->shifted,
        .before = before(b, chunk),
        .all = (uint32_t)b->batch_count,
        .gradient = b->gradient,
        .probe_gradient = b->probe_gradient,
    };
    if (sums.before == 0)
        ff_cuda_await_taken(b, b->stream);
    if (b->shifted && (b->want & (FF_WANT_PROBE | FF_WANT_POSITIONS)))
        ff_cuda_find_products(b, chunk, sums.before == 0);
    ff_cuda_sum(&b->calls, b->stream, chunk, &sums);
    if (b->shifted && (b->want & FF_WANT_PROBE) && is_last(b, chunk))
        ff_cuda_leave_spectra(b);
}

static void clear(struct ff_backend *b, void *to, size_t size)
{
    FF_CUDA(&b->calls, cudaMemsetAsync(to, 0, size, b->stream));
}

void ff_cuda_clear_sums(struct ff_backend *b)
{
    size_t tile = b->tile.rows * b->tile.columns;
    size_t probe = (size_t)b->shape.rows * b->shape.columns;
    ff_cuda_await_taken(b, b->stream);
    if (b->want & FF_WANT_OBJECT) {
        clear(b, b->gradient, tile * sizeof *b->gradient);
        clear(b, b->weight, tile * sizeof *b->weight);
    }
    if (b->want & FF_WANT_PROBE) {
        clear(b, b->probe_gradient, b->probes * probe * sizeof *b->probe_gradient);
        clear(b, b->power, b->powers * probe * sizeof *b->power);
    }
    ff_cuda_offer_weight(b, b->stream);
    ff_cuda_offer_power(b);
}

void ff_cuda_match(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk,
                   struct ff_cuda_modulus *modulus)
{
    modulus->counts = ff_cuda_frames_of(b, first, chunk);
    ff_cuda_apply_modulus(&b->calls, b->stream, chunk, modulus);
    ff_cuda_frames_done(b);
}

/* F as it was kept is in its true scale already. */
static void use_kept(const struct ff_backend *b, struct ff_cuda_modulus *modulus)
{
    modulus->kept = b->kept;
    modulus->from_kept = 1;
    modulus->scale = 1;
    modulus->back = b->back / b->scale;
}

static void gradients_of(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk)
{
    bool with_eigenprobes = (b->want & FF_WANT_WEIGHTS) != 0;
    const struct ff_cuda_probes probes = ff_cuda_some_probes_of(
        b, chunk, b->probe[0], with_eigenprobes ? (uint32_t)b->probes : b->shape.modes);
    struct ff_cuda_modulus modulus = ff_cuda_modulus_of(b, first);
    modulus.scales_wanted = (b->want & FF_WANT_SCALES) != 0;
    modulus.bound = b->want & FF_WANT_BOUNDED ? FF_CHI_BOUND : 0;
    ff_cuda_form(b, chunk, &probes, b->want & FF_WANT_FROM_WAVES ? NULL : b->waves);
    if (b->want & FF_WANT_FROM_WAVES)
        use_kept(b, &modulus);
    else
        ff_cuda_forward(b, b->waves, ff_cuda_waves_of(chunk));
    if (b->want & FF_WANT_WAVES)
        modulus.kept = b->kept;
    ff_cuda_match(b, first, chunk, &modulus);
    ff_cuda_back(b, b->waves, ff_cuda_waves_of(chunk));
    ff_cuda_add_sums(b, chunk, &probes);
    ff_cuda_leave_terms(b, chunk, &probes);
    if (b->want & FF_WANT_EXIT)
        ff_cuda_leave_exits(b, first, chunk);
    ff_cuda_offer_early(b, first + chunk->count);
}

void ff_cuda_gradients(struct ff_backend *b, struct ff_batch batch, unsigned want)
{
    ff_cuda_begin_sums(b, batch, want);
    ff_cuda_weigh_batch(b);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        gradients_of(b, first, &chunk);
    }
    ff_cuda_leave_numbers(b, (want & FF_WANT_SCALES) != 0);
    ff_cuda_await_weights(b);
    ff_cuda_offer(b);
}

void ff_cuda_cost_of(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk,
                     const struct ff_cuda_probes *probes)
{
    struct ff_cuda_modulus modulus = ff_cuda_modulus_of(b, first);
    const struct ff_cuda_powers none = {.power = NULL};
    modulus.cost_alone = 1;
    ff_cuda_form_waves(&b->calls, b->stream, chunk, b->object[0], probes, b->waves, &none);
    ff_cuda_forward(b, b->waves, ff_cuda_waves_of(chunk));
    ff_cuda_match(b, first, chunk, &modulus);
}

void ff_cuda_cost(struct ff_backend *b, struct ff_batch batch)
{
    ff_cuda_begin_batch(b, batch);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        const struct ff_cuda_probes probes = ff_cuda_probes_of(b, &chunk, b->probe[0]);
        ff_cuda_cost_of(b, first, &chunk, &probes);
    }
    ff_cuda_leave_numbers(b, false);
}
