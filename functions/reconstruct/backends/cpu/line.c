/*
 * The search along a direction: since F is linear in object and in probe, intensities along the line are polynomials
 * of the length, whose coefficients are formed once. Trying a length then needs no transform.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include <string.h>

/* The waves of one position, per mode, of what changes along the line: in others[0 …] by γ, behind those by γ². */
static void form_waves(struct ff_backend *backend, struct workspace *space, uint32_t local,
                       size_t k, unsigned parts)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    const struct exposure *exposure = &space->exposures[k];
    const struct ff_planes *probe_step = NULL;
    struct ff_planes patch_step = space->other_patch;
    ff_cpu_expose(backend, space, NULL, local, k);
    if (parts & FF_PART_OBJECT)
        kernels->gather(
            ff_cpu_planes_at(backend->object[FF_OBJECT_DIRECTION - FF_OBJECT], &exposure->place),
            exposure->place.taps, backend->rows, backend->width, patch_step, NULL);
    if (parts & FF_PART_PROBE)
        probe_step = ff_cpu_probes(backend, space, backend->probe[FF_PROBE_DIRECTION - FF_PROBE],
                                   local, &exposure->place, backend->fly);
    for (size_t m = 0; m < backend->modes; m++) {
        size_t i = k * backend->modes + m;
        struct ff_wave wave = space->others[i];
        struct ff_wave window = window_of(backend, wave);
        if (parts & FF_PART_OBJECT)
            kernels->exit_wave(exposure->probes[m], patch_step, window);
        if (parts == FF_PART_PROBE)
            kernels->exit_wave(probe_step[m], exposure->patch, window);
        if (parts == (FF_PART_OBJECT | FF_PART_PROBE)) {
            struct ff_wave second = space->others[backend->fly * backend->modes + i];
            kernels->add_exit_wave(probe_step[m], exposure->patch, window);
            kernels->exit_wave(probe_step[m], patch_step, window_of(backend, second));
            ff_cpu_forward(backend, space, second);
        }
        ff_cpu_forward(backend, space, wave);
    }
}

static ff_real *coefficients_of(const struct ff_backend *backend, uint32_t local)
{
    return backend->coefficients +
           (size_t)local * (backend->degree + 1) * backend->frame_rows * backend->frame_width;
}

static void line_of(struct ff_backend *backend, struct lane *lane, struct workspace *space,
                    uint32_t local, uint32_t index)
{
    const struct ff_line_kernels *kernels = backend->kernels->line;
    size_t count = backend->fly * backend->modes;
    (void)lane;
    (void)index;
    for (size_t k = 0; k < backend->fly; k++)
        form_waves(backend, space, local, k, backend->line_parts);
    for (size_t i = 0; i < count; i++)
        space->kept[i] = ff_cpu_kept_wave(backend, backend->waves, local, i);
    if (backend->degree == FF_JOINT_DEGREE)
        kernels->quartic(space->kept, space->others, space->others + count, count, backend->scale,
                         coefficients_of(backend, local));
    else
        kernels->quadratic(space->kept, space->others, count, backend->scale,
                           coefficients_of(backend, local));
    for (size_t i = 0; backend->directions != NULL && i < count; i++)
        backend->kernels->wave->copy(space->others[i], backend->scale,
                                     ff_cpu_kept_wave(backend, backend->directions, local, i));
    backend->on_line[local] = true;
}

void ff_cpu_line(struct ff_backend *backend, struct ff_batch batch, unsigned parts)
{
    bool joint = parts == (FF_PART_OBJECT | FF_PART_PROBE);
    backend->line_parts = parts;
    backend->degree = joint ? FF_JOINT_DEGREE : FF_LINE_DEGREE;
    ff_cpu_run(backend, batch, line_of);
}

/* Patterns in pieces of their order, whatever the threads. */
struct search {
    struct ff_backend *backend;
    ff_real gamma;
    struct ff_line_terms terms[LANE_LIMIT];
};

static void piece_of(const struct ff_backend *backend, unsigned piece, uint32_t *first,
                     uint32_t *end)
{
    *first = (uint32_t)(backend->patterns * piece / LANE_LIMIT);
    *end = (uint32_t)(backend->patterns * (piece + 1) / LANE_LIMIT);
}

static void terms_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    struct search *search = context;
    const struct ff_backend *backend = search->backend;
    uint32_t first;
    uint32_t end;
    piece_of(backend, piece, &first, &end);
    for (uint32_t local = first; local < end; local++) {
        const struct ff_frame frame = ff_cpu_frame(backend, local, true);
        if (backend->on_line[local])
            backend->kernels->line->terms(coefficients_of(backend, local), backend->degree, &frame,
                                          search->gamma, &search->terms[piece]);
    }
}

struct ff_line_terms ff_cpu_line_terms(struct ff_backend *backend, double gamma)
{
    struct search search = {.backend = backend, .gamma = (ff_real)gamma};
    struct ff_line_terms terms = {0, 0, 0, 0};
    ff_pool_run(backend->pool, terms_piece, &search, LANE_LIMIT);
    for (unsigned i = 0; i < LANE_LIMIT; i++) {
        terms.value += search.terms[i].value;
        terms.slope += search.terms[i].slope;
        terms.curve += search.terms[i].curve;
        terms.majoriser += search.terms[i].majoriser;
    }
    return terms;
}

static void advance_waves_piece(void *context, unsigned piece, unsigned thread)
{
    (void)thread;
    const struct search *search = context;
    const struct ff_backend *backend = search->backend;
    uint32_t first;
    uint32_t end;
    piece_of(backend, piece, &first, &end);
    for (uint32_t local = first; local < end; local++)
        for (size_t i = 0; backend->on_line[local] && i < backend->fly * backend->modes; i++)
            backend->kernels->wave->blend(ff_cpu_kept_wave(backend, backend->waves, local, i), 1,
                                          search->gamma,
                                          ff_cpu_kept_wave(backend, backend->directions, local, i));
}

static void advance_planes(const struct ff_backend *backend, struct ff_planes to, ff_real gamma,
                           struct ff_planes direction, size_t size)
{
    backend->kernels->field->add_scaled(to.re, direction.re, gamma, size);
    backend->kernels->field->add_scaled(to.im, direction.im, gamma, size);
}

void ff_cpu_advance(struct ff_backend *backend, unsigned parts, double gamma)
{
    struct search search = {.backend = backend, .gamma = (ff_real)gamma};
    bool joint = parts == (FF_PART_OBJECT | FF_PART_PROBE);
    if (parts & FF_PART_OBJECT)
        advance_planes(backend, backend->object[0], search.gamma,
                       backend->object[FF_OBJECT_DIRECTION - FF_OBJECT],
                       backend->tile.rows * backend->object[0].stride);
    for (size_t i = 0; (parts & FF_PART_PROBE) && i < backend->probes; i++)
        advance_planes(backend, backend->probe[0][i], search.gamma,
                       backend->probe[FF_PROBE_DIRECTION - FF_PROBE][i],
                       backend->rows * backend->width);
    if (!joint)
        ff_pool_run(backend->pool, advance_waves_piece, &search, LANE_LIMIT);
    memset(backend->on_line, 0, backend->patterns * sizeof *backend->on_line);
}
