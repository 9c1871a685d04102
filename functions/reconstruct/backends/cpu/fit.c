/*
 * The second pass of LSQ-ML (Odstrčil, Menzel, Guizar-Sicairos, Opt. Express 26, 3108 (2018), eq. 22): what the
 * normalised sums would change in the exit wave of each pattern, against what was asked of it.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include <string.h>

void ff_cpu_sample(struct ff_backend *backend, struct ff_batch patterns)
{
    memset(backend->sampled, 0, backend->patterns * sizeof *backend->sampled);
    for (size_t i = 0; i < patterns.count; i++)
        backend->sampled[patterns.patterns[i]] = true;
}

/* In the order of the sorted batch, in which fit() comes to them again. */
void ff_cpu_place_exits(struct ff_backend *backend)
{
    uint32_t place = 0;
    for (size_t i = 0; i < backend->batch_count; i++)
        backend->exit_places[i] = backend->sampled[backend->sorted[i]] ? place++ : NO_EXIT;
}

char *ff_cpu_exit_of(const struct ff_backend *backend, size_t exit_place, size_t k)
{
    size_t word = sizeof(ff_real) == sizeof(float) ? sizeof(float) : 2 * sizeof(ff_real);
    return backend->exits + (exit_place * backend->fly + k) * backend->rows * backend->width * word;
}

/* D_P,0 + Σ_c w_nc D_E,c as a position sees it. */
static struct ff_planes probe_step(struct ff_backend *backend, struct workspace *space,
                                   uint32_t local, const struct place *place)
{
    const struct ff_planes *steps = backend->sums.probe;
    struct ff_planes step = steps[0];
    if (backend->eigenprobes > 0) {
        step = space->probes[backend->fly][0];
        ff_cpu_vary(backend, steps, local, step);
    }
    if (backend->subpixel != FF_SUBPIXEL_FOURIER)
        return step;
    ff_cpu_shift(backend, space, step, place->rest, false, space->shifted[0]);
    return space->shifted[0];
}

/* A part that does not move has no step: zeros take its place. */
static struct ff_steps steps_of(struct ff_backend *backend, struct workspace *space, uint32_t local,
                                size_t k)
{
    const struct place place = ff_cpu_place(backend, local, k);
    bool object_moves = (backend->want & FF_WANT_OBJECT) != 0;
    bool probe_moves = (backend->want & FF_WANT_PROBE) != 0;
    return (struct ff_steps){
        .object = ff_cpu_planes_at(backend->object[0], &place),
        .object_step =
            object_moves ? ff_cpu_planes_at(backend->sums.object, &place) : backend->nothing,
        .taps = place.taps,
        .probe = ff_cpu_probes(backend, space, backend->probe[0], local, &place, k)[0],
        .probe_step = probe_moves ? probe_step(backend, space, local, &place) : backend->nothing,
    };
}

static void fit_pattern(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                        uint32_t local, uint32_t index)
{
    (void)lane;
    double *sums = ff_cpu_terms_of(backend, FF_TERMS_STEPS, local);
    memset(sums, 0, 6 * sizeof *sums);
    for (size_t k = 0; k < backend->fly; k++) {
        const struct ff_steps steps = steps_of(backend, space, local, k);
        backend->kernels->term->steps(&steps, ff_cpu_exit_of(backend, index, k), backend->rows,
                                      backend->width, sums);
    }
}

/* The batch is that of the exit waves at hand, so its places in order are theirs. */
void ff_cpu_fit(struct ff_backend *backend, struct ff_batch batch)
{
    ff_cpu_run(backend, batch, fit_pattern);
}
