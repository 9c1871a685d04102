/* What a pattern sees: where its patches lie, and the probes that lit them. */
#include "functions/reconstruct/backends/cpu/state.h"

#include <math.h>
#include <string.h>

struct place ff_cpu_place(const struct ff_backend *backend, uint32_t local, size_t k)
{
    const double *position = backend->positions + 2 * (local * backend->fly + k);
    double rest[2] = {position[0] - floor(position[0]), position[1] - floor(position[1])};
    bool shifted = backend->subpixel == FF_SUBPIXEL_FOURIER;
    ff_real y = shifted ? 0 : (ff_real)rest[0];
    ff_real x = shifted ? 0 : (ff_real)rest[1];
    ff_real scale = (ff_real)backend->scales[local];
    ff_real square = scale * scale;
    return (struct place){
        .row = (size_t)position[0] - backend->tile.row,
        .column = (size_t)position[1] - backend->tile.column,
        .taps = {1 - x, x, scale * (1 - y), scale * y},
        .light_taps = {1 - x, x, square * (1 - y), square * y},
        .rest = {shifted ? rest[0] : 0, shifted ? rest[1] : 0},
    };
}

struct ff_planes ff_cpu_planes_at(struct ff_planes planes, const struct place *place)
{
    size_t at = place->row * planes.stride + place->column;
    return (struct ff_planes){planes.re + at, planes.im + at, planes.stride};
}

struct ff_frame ff_cpu_frame(const struct ff_backend *backend, uint32_t local, bool kept)
{
    size_t at = (size_t)backend->numbers[local] * backend->frame_rows * backend->frame_columns;
    const struct ff_counts *all = &backend->problem->counts;
    return (struct ff_frame){
        .counts = {all->u16 != NULL ? all->u16 + at : NULL,
                   all->f32 != NULL ? all->f32 + at : NULL},
        .weight = backend->weight,
        .rows = backend->frame_rows,
        .columns = backend->frame_columns,
        .width = backend->frame_width,
        .scale = kept ? 1 : backend->scale,
        .back = kept ? backend->back / backend->scale : backend->back,
        .noise = backend->noise,
    };
}

/* to = base + Σ_m≥first |P_m|² */
static void add_light(const struct ff_backend *backend, const struct ff_planes *probes,
                      size_t first, const ff_real *base, ff_real *to)
{
    for (size_t m = first; m < backend->modes; m++) {
        backend->kernels->wave->light(probes[m], backend->rows, backend->width, base, to,
                                      backend->workspaces[0].tile.stride);
        base = to;
    }
}

void ff_cpu_light(struct ff_backend *backend)
{
    add_light(backend, backend->probe[0], 0, NULL, backend->light);
    if (backend->rest_light != NULL)
        add_light(backend, backend->probe[0], 1, NULL, backend->rest_light);
}

void ff_cpu_vary(const struct ff_backend *backend, const struct ff_planes *probes, uint32_t local,
                 struct ff_planes to)
{
    size_t size = backend->rows * backend->width;
    const double *weights = backend->weights + local * backend->eigenprobes;
    memcpy(to.re, probes[0].re, size * sizeof(ff_real));
    memcpy(to.im, probes[0].im, size * sizeof(ff_real));
    for (size_t c = 0; c < backend->eigenprobes; c++) {
        const struct ff_planes *e = &probes[backend->modes + c];
        backend->kernels->field->add_scaled(to.re, e->re, (ff_real)weights[c], size);
        backend->kernels->field->add_scaled(to.im, e->im, (ff_real)weights[c], size);
    }
}

const struct ff_planes *ff_cpu_probes(struct ff_backend *backend, struct workspace *space,
                                      const struct ff_planes *probes, uint32_t local,
                                      const struct place *place, size_t slot)
{
    if (!backend->probes_differ)
        return probes;
    struct ff_planes *own = space->probes[slot];
    if (backend->subpixel != FF_SUBPIXEL_FOURIER) {
        ff_cpu_vary(backend, probes, local, own[0]);
        memcpy(own + 1, probes + 1, (backend->probes - 1) * sizeof *own);
        return own;
    }
    for (size_t i = 0; i < backend->probes; i++) {
        if (probes == backend->probe[0]) {
            ff_cpu_shift_probe(backend, space, i, local, place->rest, own[i]);
        } else if (i == 0 && backend->eigenprobes > 0) {
            ff_cpu_vary(backend, probes, local, space->shifted[0]);
            ff_cpu_shift(backend, space, space->shifted[0], place->rest, false, own[0]);
        } else {
            ff_cpu_shift(backend, space, probes[i], place->rest, false, own[i]);
        }
    }
    return own;
}

/* V += (1 + Σ_c w_nc²) |S|² of what varies together. */
static void add_varied_power(const struct ff_backend *backend, const struct workspace *space,
                             struct lane *lane, uint32_t local, struct ff_planes patch)
{
    const double *weights = backend->weights + local * backend->eigenprobes;
    double share = 1;
    for (size_t c = 0; c < backend->eigenprobes; c++)
        share += weights[c] * weights[c];
    backend->kernels->wave->light(patch, backend->rows, backend->width, NULL, space->power,
                                  backend->width);
    backend->kernels->field->add_scaled(lane->sums->power[1], space->power, (ff_real)share,
                                        backend->rows * backend->width);
}

void ff_cpu_expose(struct ff_backend *backend, struct workspace *space, struct lane *lane,
                   uint32_t local, size_t k)
{
    struct exposure *exposure = &space->exposures[k];
    exposure->place = ff_cpu_place(backend, local, k);
    backend->kernels->wave->gather(ff_cpu_planes_at(backend->object[0], &exposure->place),
                                   exposure->place.taps, backend->rows, backend->width,
                                   exposure->patch, lane != NULL ? lane->sums->power[0] : NULL);
    if (lane != NULL && backend->eigenprobes > 0)
        add_varied_power(backend, space, lane, local, exposure->patch);
    exposure->probes = ff_cpu_probes(backend, space, backend->probe[0], local, &exposure->place, k);
    exposure->light = backend->light;
    if (!backend->probes_differ)
        return;
    exposure->light = space->lights[k];
    if (backend->subpixel == FF_SUBPIXEL_FOURIER)
        add_light(backend, exposure->probes, 0, NULL, space->lights[k]);
    else
        backend->kernels->wave->light(exposure->probes[0], backend->rows, backend->width,
                                      backend->rest_light, space->lights[k], space->tile.stride);
}

void ff_cpu_waves(struct ff_backend *backend, struct workspace *space, struct lane *lane,
                  uint32_t local)
{
    for (size_t k = 0; k < backend->fly; k++) {
        const struct exposure *exposure = &space->exposures[k];
        ff_cpu_expose(backend, space, lane, local, k);
        for (size_t m = 0; m < backend->modes; m++) {
            struct ff_wave wave = space->waves[k * backend->modes + m];
            backend->kernels->wave->exit_wave(exposure->probes[m], exposure->patch,
                                              window_of(backend, wave));
            ff_cpu_forward(backend, space, wave);
        }
    }
}
