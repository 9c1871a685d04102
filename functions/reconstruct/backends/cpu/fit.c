/*
 * The second pass of LSQ-ML (Odstrčil, Menzel, Guizar-Sicairos, Opt. Express 26, 3108 (2018), eq. 22): what the
 * normalised sums would change in the exit wave of each pattern, against what was asked of it.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include <string.h>

/* D_P,0 as a position sees it. */
static struct ff_planes probe_step(struct ff_backend *backend, struct workspace *space,
                                   const struct place *place)
{
    struct ff_planes step = backend->lanes[0].probe_sum[0];
    if (backend->subpixel != FF_SUBPIXEL_FOURIER)
        return step;
    ff_cpu_shift(backend, space, step, place->rest, false, space->shifted[0]);
    return space->shifted[0];
}

static void fit_pattern(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                        uint32_t local, uint32_t index)
{
    (void)lane;
    size_t word = sizeof(ff_real) == sizeof(float) ? sizeof(float) : 2 * sizeof(ff_real);
    double *sums = ff_cpu_terms_of(backend, FF_TERMS_STEPS, local);
    memset(sums, 0, 6 * sizeof *sums);
    for (size_t k = 0; k < backend->fly; k++) {
        const struct exposure *exposure = &space->exposures[k];
        ff_cpu_expose(backend, space, NULL, local, k);
        backend->kernels->wave->gather(ff_cpu_planes_at(backend->normal, &exposure->place),
                                       exposure->place.taps, backend->rows, backend->width,
                                       space->other_patch, NULL);
        struct ff_planes factors[4] = {space->other_patch, exposure->probes[0], exposure->patch,
                                       probe_step(backend, space, &exposure->place)};
        /* A part that does not move has no step: its factor is a plane of zeros. */
        if ((backend->want & FF_WANT_OBJECT) == 0)
            factors[0] = backend->nothing;
        if ((backend->want & FF_WANT_PROBE) == 0)
            factors[3] = backend->nothing;
        size_t at = (index * backend->fly + k) * backend->rows * backend->width;
        backend->kernels->term->steps(factors, backend->exits + at * word, backend->rows,
                                      backend->width, sums);
    }
}

/* The batch is the one whose sums and exit waves are at hand. */
void ff_cpu_fit(struct ff_backend *backend, struct ff_batch batch)
{
    ff_cpu_run(backend, batch, fit_pattern);
}
