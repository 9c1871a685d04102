/* The passes that form sums over a batch, and the one that forms the cost alone. */
#include "functions/reconstruct/backends/cpu/state.h"

#include <string.h>

/* The spectrum of S* χ of one mode, shifted back to where the probe is; left in space->spectrum. */
static void product_shifted_back(struct ff_backend *backend, struct workspace *space,
                                 const struct exposure *exposure, struct ff_wave window)
{
    size_t size = backend->rows * backend->width * sizeof(ff_real);
    struct ff_planes product = space->shifted[0];
    memset(product.re, 0, size);
    memset(product.im, 0, size);
    backend->kernels->wave->add_product(exposure->patch, window, 1, product);
    ff_cpu_shift_back(backend, space, product, exposure->place.rest);
}

/* N_E,c += w_nc S* χ_0 */
static void add_eigenprobes(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                            const struct exposure *exposure, struct ff_wave window, uint32_t local)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    for (size_t c = 0; c < backend->eigenprobes; c++) {
        ff_real weight = (ff_real)backend->weights[local * backend->eigenprobes + c];
        size_t i = backend->modes + c;
        if (backend->subpixel == FF_SUBPIXEL_FOURIER)
            kernels->blend(lane->sums->spectrum[i], 1, weight, space->spectrum);
        else
            kernels->add_product(exposure->patch, window, weight, lane->sums->probe[i]);
    }
}

/* What χ of mode m gives. */
static void use_mode(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                     const struct exposure *exposure, struct ff_wave window, size_t m,
                     uint32_t local)
{
    const struct ff_planes none = {NULL, NULL, 0};
    bool shifted = backend->subpixel == FF_SUBPIXEL_FOURIER;
    bool probe_wanted = (backend->want & FF_WANT_PROBE) != 0;
    backend->kernels->wave->products(exposure->probes[m], exposure->patch, window, m > 0,
                                     space->tile,
                                     probe_wanted && !shifted ? lane->sums->probe[m] : none);
    if (probe_wanted && shifted) {
        product_shifted_back(backend, space, exposure, window);
        backend->kernels->wave->blend(lane->sums->spectrum[m], 1, 1, space->spectrum);
    }
    if (probe_wanted && m == 0 && backend->eigenprobes > 0)
        add_eigenprobes(backend, lane, space, exposure, window, local);
}

/* b of one mode, where a move shifts the probe. */
static void add_shifted_slopes(struct ff_backend *backend, struct workspace *space,
                               const struct exposure *exposure, struct ff_wave window, size_t m,
                               uint32_t local, double sums[2])
{
    ff_cpu_derive_probe(backend, space, m, local, exposure->place.rest, space->shifted[1],
                        space->shifted[2]);
    backend->kernels->term->probe_slopes(exposure->patch, space->shifted[1], space->shifted[2],
                                         window, sums);
}

/* The numbers of the pattern that need χ of mode m. */
static void add_mode_terms(struct ff_backend *backend, struct workspace *space, size_t k, size_t m,
                           struct ff_wave window, uint32_t local, uint32_t index)
{
    const struct exposure *exposure = &space->exposures[k];
    if ((backend->want & FF_WANT_POSITIONS) && backend->subpixel == FF_SUBPIXEL_FOURIER)
        add_shifted_slopes(backend, space, exposure, window, m, local,
                           ff_cpu_terms_of(backend, FF_TERMS_POSITIONS, local) + 5 * k);
    if (m > 0)
        return;
    if ((backend->want & FF_WANT_EXIT) && backend->exit_places[index] != NO_EXIT)
        backend->kernels->term->keep(window,
                                     ff_cpu_exit_of(backend, backend->exit_places[index], k));
    if (backend->want & FF_WANT_WEIGHTS)
        backend->kernels->term->weights(exposure->patch, exposure->probes + backend->modes,
                                        backend->eigenprobes, window,
                                        ff_cpu_terms_of(backend, FF_TERMS_WEIGHTS, local));
}

/* A shift of the whole wave, which no pattern shows, is most of what shifting the probe does: how far a move leads is
 * told by the slopes of the object alone, however the patch is taken. */
static void add_positions(struct ff_backend *backend, const struct workspace *space,
                          const struct exposure *exposure, double sums[5])
{
    const struct place *place = &exposure->place;
    double found[5] = {0};
    bool shifted = backend->subpixel == FF_SUBPIXEL_FOURIER;
    backend->kernels->term->positions(ff_cpu_planes_at(backend->object[0], place), place->taps,
                                      backend->rows, backend->width, space->tile, exposure->light,
                                      found);
    for (unsigned i = shifted ? 2 : 0; i < 5; i++)
        sums[i] += found[i];
}

/* What χ of all modes together gives at position k. */
static void use_tile(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                     size_t k, uint32_t local)
{
    const struct exposure *exposure = &space->exposures[k];
    const struct place *place = &exposure->place;
    if (backend->want & FF_WANT_OBJECT) {
        const struct sums *sums = lane->sums;
        struct place there = *place;
        there.row -= sums->first_row;
        backend->kernels->wave->scatter(
            space->tile, exposure->light, place->taps, place->light_taps, backend->rows,
            backend->columns, ff_cpu_planes_at(sums->object, &there),
            sums->weight + there.row * sums->object.stride + there.column);
    }
    if (backend->want & FF_WANT_POSITIONS)
        add_positions(backend, space, exposure,
                      ff_cpu_terms_of(backend, FF_TERMS_POSITIONS, local) + 5 * k);
    if (backend->want & FF_WANT_STRAINS)
        backend->kernels->term->strains(ff_cpu_planes_at(backend->object[0], place), place->taps,
                                        backend->rows, backend->columns, space->tile,
                                        exposure->light,
                                        ff_cpu_terms_of(backend, FF_TERMS_STRAINS, local) + 19 * k);
}

static void clear_terms(struct ff_backend *backend, uint32_t local)
{
    const struct {
        enum ff_want want;
        enum ff_terms terms;
    } kinds[] = {{FF_WANT_POSITIONS, FF_TERMS_POSITIONS},
                 {FF_WANT_STRAINS, FF_TERMS_STRAINS},
                 {FF_WANT_SCALES, FF_TERMS_SCALES},
                 {FF_WANT_WEIGHTS, FF_TERMS_WEIGHTS}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (backend->want & kinds[i].want)
            memset(ff_cpu_terms_of(backend, kinds[i].terms, local), 0,
                   ff_terms_width(kinds[i].terms, backend->fly, backend->eigenprobes) *
                       sizeof(double));
}

static struct lane *power_lane(const struct ff_backend *backend, struct lane *lane)
{
    return backend->want & FF_WANT_PROBE ? lane : NULL;
}

/* F of the pattern in space->waves, formed or as it was kept; true for the latter. */
static bool find_waves(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                       uint32_t local)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    size_t count = backend->fly * backend->modes;
    bool kept = (backend->want & FF_WANT_FROM_WAVES) != 0;
    if (!kept)
        ff_cpu_waves(backend, space, power_lane(backend, lane), local);
    for (size_t k = 0; kept && k < backend->fly; k++)
        ff_cpu_expose(backend, space, power_lane(backend, lane), local, k);
    for (size_t i = 0; kept && i < count; i++)
        kernels->copy(ff_cpu_kept_wave(backend, backend->waves, local, i), 1, space->waves[i]);
    for (size_t i = 0; (backend->want & FF_WANT_WAVES) && !kept && i < count; i++)
        kernels->copy(space->waves[i], backend->scale,
                      ff_cpu_kept_wave(backend, backend->waves, local, i));
    return kept;
}

static void add_cost(struct ff_backend *backend, struct lane *lane, uint32_t local,
                     struct ff_cost cost)
{
    lane->cost.amplitude += cost.amplitude;
    lane->cost.objective += cost.objective;
    *ff_cpu_terms_of(backend, FF_TERMS_COSTS, local) = cost.amplitude;
}

static void gradients_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                         uint32_t local, uint32_t index)
{
    size_t count = backend->fly * backend->modes;
    bool kept = find_waves(backend, lane, space, local);
    struct ff_frame frame = ff_cpu_frame(backend, local, kept);
    if (backend->want & FF_WANT_BOUNDED)
        frame.bound = FF_CHI_BOUND;
    clear_terms(backend, local);
    if (backend->want & FF_WANT_SCALES)
        backend->kernels->modulus->scales(space->waves, count, &frame,
                                          ff_cpu_terms_of(backend, FF_TERMS_SCALES, local));
    add_cost(backend, lane, local,
             backend->kernels->modulus->modulus(space->waves, count, &frame, false));
    for (size_t k = 0; k < backend->fly; k++) {
        for (size_t m = 0; m < backend->modes; m++) {
            struct ff_wave wave = space->waves[k * backend->modes + m];
            struct ff_wave window = window_of(backend, wave);
            ff_cpu_back(backend, space, wave);
            use_mode(backend, lane, space, &space->exposures[k], window, m, local);
            add_mode_terms(backend, space, k, m, window, local, index);
        }
        use_tile(backend, lane, space, k, local);
    }
}

void ff_cpu_gradients(struct ff_backend *backend, struct ff_batch batch, unsigned want)
{
    ff_cpu_light(backend);
    ff_cpu_sum(backend, batch, want, gradients_of);
}

/* χ = Ψ - P S */
static void overlap_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                       uint32_t local, uint32_t index)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    (void)index;
    for (size_t k = 0; k < backend->fly; k++) {
        const struct exposure *exposure = &space->exposures[k];
        ff_cpu_expose(backend, space, power_lane(backend, lane), local, k);
        for (size_t m = 0; m < backend->modes; m++) {
            size_t i = k * backend->modes + m;
            struct ff_wave window = window_of(backend, space->waves[i]);
            struct ff_wave kept = ff_cpu_kept_wave(backend, backend->waves, local, i);
            kernels->exit_wave(exposure->probes[m], exposure->patch, window);
            kernels->blend(window, -1, 1, kept);
            use_mode(backend, lane, space, exposure, window, m, local);
        }
        use_tile(backend, lane, space, k, local);
    }
}

void ff_cpu_overlap(struct ff_backend *backend, struct ff_batch batch, unsigned want)
{
    ff_cpu_light(backend);
    ff_cpu_sum(backend, batch, want & (FF_WANT_OBJECT | FF_WANT_PROBE), overlap_of);
}

static void cost_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                    uint32_t local, uint32_t index)
{
    (void)index;
    ff_cpu_waves(backend, space, NULL, local);
    const struct ff_frame frame = ff_cpu_frame(backend, local, false);
    add_cost(backend, lane, local,
             backend->kernels->modulus->modulus(space->waves, backend->fly * backend->modes, &frame,
                                                true));
}

void ff_cpu_cost(struct ff_backend *backend, struct ff_batch batch)
{
    ff_cpu_run(backend, batch, cost_of);
}
