/* Projections on exit waves that are kept, and the sums of what these ask of object and probe. */
#include "functions/reconstruct/backends/cuda/projection.h"
#include "functions/reconstruct/backends/cuda/state.h"

static struct ff_cuda_mixture mixture_of(const struct ff_backend *b,
                                         const struct ff_cuda_probes *probes)
{
    return (struct ff_cuda_mixture){
        .object = b->object[0],
        .probes = *probes,
        .kept = b->kept,
        .waves = b->waves,
        .of_formed = 1,
    };
}

void ff_cuda_start_waves(struct ff_backend *b, struct ff_batch batch)
{
    ff_cuda_begin_batch(b, batch);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        const struct ff_cuda_probes probes = ff_cuda_probes_of(b, &chunk, b->probe[0]);
        const struct ff_cuda_mixture mixture = mixture_of(b, &probes);
        ff_cuda_mix_kept(&b->calls, b->stream, &chunk, &mixture);
    }
}

/* χ = Ψ - P S, which was never beyond the window. */
void ff_cuda_overlap(struct ff_backend *b, struct ff_batch batch, unsigned want)
{
    ff_cuda_begin_sums(b, batch, want & (FF_WANT_OBJECT | FF_WANT_PROBE));
    ff_cuda_weigh_batch(b);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        const struct ff_cuda_probes probes = ff_cuda_probes_of(b, &chunk, b->probe[0]);
        struct ff_cuda_mixture mixture = mixture_of(b, &probes);
        mixture.of_kept = 1;
        mixture.of_formed = -1;
        ff_cuda_form(b, &chunk, &probes, NULL);
        ff_cuda_mix_waves(&b->calls, b->stream, &chunk, &mixture);
        ff_cuda_add_sums(b, &chunk, &probes);
        ff_cuda_offer_early(b, first + chunk.count);
    }
    ff_cuda_await_weights(b);
    ff_cuda_offer(b);
}

/*
 * With X = (1-c) Ψ + c P S and χ = back(F(X) (√d/√I - 1)), back(modulus(F(X))) is X + χ, and the step is
 * Ψ ← (1 - a - b c) Ψ + (a + b c) P S + b χ.
 */
static void project_chunk(struct ff_backend *b, size_t first, const struct ff_cuda_chunk *chunk,
                          const struct ff_cuda_probes *probes, const struct ff_projection *p)
{
    struct ff_cuda_mixture mixture = mixture_of(b, probes);
    struct ff_cuda_modulus modulus = ff_cuda_modulus_of(b, first);
    double share = p->a + p->b * p->c;
    mixture.of_kept = (float)(1 - p->c);
    mixture.of_formed = (float)p->c;
    ff_cuda_mix_waves(&b->calls, b->stream, chunk, &mixture);
    ff_cuda_forward(b, b->waves, ff_cuda_waves_of(chunk));
    modulus.bound = FF_CHI_BOUND;
    if (b->noise == FF_NOISE_POISSON)
        modulus.asked = FF_CUDA_PROXIMAL;
    ff_cuda_match(b, first, chunk, &modulus);
    ff_cuda_back(b, b->waves, ff_cuda_waves_of(chunk));
    mixture.of_kept = (float)(1 - share);
    mixture.of_formed = (float)share;
    mixture.of_waves = (float)p->b;
    ff_cuda_mix_kept(&b->calls, b->stream, chunk, &mixture);
}

/* The cost of P S comes last: the numbers of a pattern's pieces that are left are then its own. */
void ff_cuda_project(struct ff_backend *b, struct ff_batch batch,
                     const struct ff_projection *projection)
{
    ff_cuda_begin_batch(b, batch);
    for (size_t first = 0; first < batch.count; first = ff_cuda_chunk_end(b, first)) {
        const struct ff_cuda_chunk chunk = ff_cuda_chunk_of(b, first);
        const struct ff_cuda_probes probes = ff_cuda_probes_of(b, &chunk, b->probe[0]);
        project_chunk(b, first, &chunk, &probes, projection);
        ff_cuda_cost_of(b, first, &chunk, &probes);
    }
    ff_cuda_leave_numbers(b, false);
}
