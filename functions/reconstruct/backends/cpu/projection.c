/* Projections on exit waves that are kept, at the corner of each pattern's place among the waves. */
#include "functions/reconstruct/backends/cpu/state.h"

static struct ff_wave exit_wave_kept(const struct ff_backend *backend, uint32_t local, size_t i)
{
    struct ff_wave wave = ff_cpu_kept_wave(backend, backend->waves, local, i);
    wave.rows = backend->rows;
    wave.width = backend->width;
    return wave;
}

static void start_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                     uint32_t local, uint32_t index)
{
    (void)lane;
    (void)index;
    for (size_t k = 0; k < backend->fly; k++) {
        const struct exposure *exposure = &space->exposures[k];
        ff_cpu_expose(backend, space, NULL, local, k);
        for (size_t m = 0; m < backend->modes; m++)
            backend->kernels->wave->exit_wave(
                exposure->probes[m], exposure->patch,
                exit_wave_kept(backend, local, k * backend->modes + m));
    }
}

void ff_cpu_start_waves(struct ff_backend *backend, struct ff_batch batch)
{
    ff_cpu_run(backend, batch, start_of);
}

/* The cost of P S, whose exposures are left in the workspace. */
static void add_cost(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                     uint32_t local)
{
    ff_cpu_waves(backend, space, NULL, local);
    const struct ff_frame frame = ff_cpu_frame(backend, local, false);
    struct ff_cost cost = backend->kernels->modulus->modulus(
        space->waves, backend->fly * backend->modes, &frame, true);
    lane->cost.amplitude += cost.amplitude;
    lane->cost.objective += cost.objective;
}

/*
 * With X = (1-c) Ψ + c P S and χ = back(F(X) (√d/√I - 1)), back(modulus(F(X))) is X + χ, and the step is
 * Ψ ← (1 - a - b c) Ψ + (a + b c) P S + b χ.
 */
static void project_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                       uint32_t local, uint32_t index)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    const struct ff_projection *p = &backend->projection;
    size_t count = backend->fly * backend->modes;
    (void)index;
    add_cost(backend, lane, space, local);
    for (size_t i = 0; i < count; i++) {
        const struct exposure *exposure = &space->exposures[i / backend->modes];
        struct ff_wave window = window_of(backend, space->waves[i]);
        kernels->exit_wave(exposure->probes[i % backend->modes], exposure->patch, window);
        kernels->blend(window, (ff_real)p->c, (ff_real)(1 - p->c),
                       exit_wave_kept(backend, local, i));
        ff_cpu_forward(backend, space, space->waves[i]);
    }
    struct ff_frame frame = ff_cpu_frame(backend, local, false);
    frame.proximal = true;
    frame.bound = FF_CHI_BOUND;
    backend->kernels->modulus->modulus(space->waves, count, &frame, false);
    for (size_t i = 0; i < count; i++) {
        const struct exposure *exposure = &space->exposures[i / backend->modes];
        struct ff_wave window = window_of(backend, space->waves[i]);
        struct ff_wave kept = exit_wave_kept(backend, local, i);
        ff_real share = (ff_real)(p->a + p->b * p->c);
        ff_cpu_back(backend, space, space->waves[i]);
        kernels->blend(kept, 1 - share, (ff_real)p->b, window);
        kernels->exit_wave(exposure->probes[i % backend->modes], exposure->patch, window);
        kernels->blend(kept, 1, share, window);
    }
}

void ff_cpu_project(struct ff_backend *backend, struct ff_batch batch,
                    const struct ff_projection *projection)
{
    backend->projection = *projection;
    ff_cpu_run(backend, batch, project_of);
}
