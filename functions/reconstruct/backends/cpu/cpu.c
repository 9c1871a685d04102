#include "functions/reconstruct/backends/cpu/sums.h"

#include "protocol/core/clock.h"

#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void destroy(struct ff_backend *backend)
{
    if (backend == NULL)
        return;
    ff_pool_destroy(backend->pool);
    ff_plan_destroy(backend->plan);
    ff_plan_destroy(backend->shift_plan);
    ff_cpu_exchange_destroy(backend);
    ff_cpu_release(backend);
    free(backend);
}

static int check(const struct ff_backend_plan *plan, struct ff_error *error)
{
    if (plan->problem->near_field && plan->subpixel == FF_SUBPIXEL_FOURIER) {
        /* A shifted exit wave has the same pattern in the far field alone. */
        ff_fail(error, FF_INVALID_SETTING, "a near field knows no subpixel=fourier");
        return ff_hint(error, "use subpixel=bilinear");
    }
    return 0;
}

static struct ff_backend *create(const struct ff_backend_plan *plan, struct ff_error *error)
{
    if (check(plan, error) < 0)
        return NULL;
    struct ff_backend *backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the CPU backend");
        return NULL;
    }
    backend->pool = ff_pool_create(plan->threads, plan->cores, plan->core_count, error);
    if (backend->pool == NULL || ff_cpu_allocate(backend, plan, error) < 0 ||
        ff_cpu_propagation_create(backend, plan, error) < 0 ||
        (plan->count > 1 && ff_cpu_exchange_create(backend, error) < 0)) {
        destroy(backend);
        return NULL;
    }
    snprintf(backend->description, sizeof backend->description, "cpu: %u thread%s, %s, %s",
             plan->threads, plan->threads == 1 ? "" : "s", backend->kernels->name,
             backend->kernels->vector != NULL ? "vector transform" : FF_FFTW(version));
    return backend;
}

static const char *describe(const struct ff_backend *backend)
{
    return backend->description;
}

/* Nothing is queued, and memory that fails kills the process: there is nothing to report. */
static int take_cost(struct ff_backend *backend, struct ff_cost *cost, struct ff_error *error)
{
    (void)error;
    *cost = backend->cost;
    backend->cost = (struct ff_cost){0, 0};
    return 0;
}

static uint64_t transforms_done(const struct ff_backend *backend)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < ff_pool_threads(backend->pool); i++)
        done += backend->workspaces[i].transforms;
    return done;
}

static uint64_t bytes_exchanged(const struct ff_backend *backend)
{
    return backend->exchanged;
}

static void transform_piece(void *context, unsigned piece, unsigned thread)
{
    (void)piece;
    struct ff_backend *backend = context;
    const struct ff_wave *waves = backend->workspaces[thread].waves;
    for (size_t m = 0; m < backend->modes; m++)
        ff_plan_forward(backend->plan, waves[m].values);
    for (size_t m = 0; m < backend->modes; m++)
        ff_plan_inverse(backend->plan, waves[m].values);
}

static double time_transforms(struct ff_backend *backend, size_t count)
{
    unsigned threads = ff_pool_threads(backend->pool);
    for (unsigned i = 0; i < threads; i++) /* zeros stay zeros: no overflow, however often */
        for (size_t m = 0; m < backend->modes; m++)
            memset(backend->workspaces[i].waves[m].values, 0,
                   2 * backend->frame_rows * backend->wave_stride * sizeof(ff_real));
    int64_t start = ff_monotonic_ns();
    ff_pool_run(backend->pool, transform_piece, backend, (unsigned)count);
    return (double)(ff_monotonic_ns() - start) / 1e9;
}

static struct ff_span transforms(const struct ff_backend *backend)
{
    return ff_plan_text(backend->plan);
}

static size_t bytes(const struct ff_backend *backend)
{
    return backend->bytes;
}

/* All take the same step, with whole sums. */
static void take_steps(struct ff_backend *backend, struct ff_backend *const *peers)
{
    (void)backend;
    (void)peers;
}

const struct ff_backend_operations FF_BACKEND_CPU = {
    .name = "cpu",
    .real_bytes = sizeof(ff_real),
    .create = create,
    .destroy = destroy,
    .describe = describe,
    .put = ff_cpu_put,
    .get = ff_cpu_get,
    .put_rows = ff_cpu_put_rows,
    .get_rows = ff_cpu_get_rows,
    .gradients = ff_cpu_gradients,
    .overlap = ff_cpu_overlap,
    .settle = ff_cpu_settle,
    .spread = ff_cpu_spread,
    .update = ff_cpu_update,
    .take_steps = take_steps,
    .lengths = ff_cpu_lengths,
    .normalise = ff_cpu_normalise,
    .sample = ff_cpu_sample,
    .fit = ff_cpu_fit,
    .turn_terms = ff_cpu_turn_terms,
    .turn = ff_cpu_turn,
    .line = ff_cpu_line,
    .line_terms = ff_cpu_line_terms,
    .advance = ff_cpu_advance,
    .start_waves = ff_cpu_start_waves,
    .project = ff_cpu_project,
    .cost = ff_cpu_cost,
    .take_cost = take_cost,
    .get_terms = ff_cpu_get_terms,
    .transforms_done = transforms_done,
    .bytes_exchanged = bytes_exchanged,
    .time_transforms = time_transforms,
    .transforms = transforms,
    .bytes = bytes,
};
