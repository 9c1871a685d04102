#include "functions/reconstruct/backends/cpu/state.h"

#include "protocol/core/clock.h"

#include <fftw3.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

static void destroy(struct ff_backend *backend)
{
    if (backend == NULL)
        return;
    ff_pool_destroy(backend->pool);
    ff_plan_destroy(backend->plan);
    ff_cpu_release(backend);
    free(backend);
}

static struct ff_backend *create(const struct ff_backend_plan *plan, struct ff_error *error)
{
    const struct ff_problem *problem = plan->problem;
    if (problem->fly > 1 || problem->near_field || problem->probe_rows != problem->rows ||
        problem->probe_columns != problem->columns) {
        ff_fail(error, FF_INVALID_SETTING,
                "this solver knows neither fly scans, nor near fields, nor a probe smaller than "
                "a pattern");
        return NULL;
    }
    struct ff_backend *backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the CPU backend");
        return NULL;
    }
    unsigned cores =
        plan->cores != NULL && plan->core_count > 0 ? plan->core_count : usable_cores();
    unsigned threads = plan->threads > 0 ? plan->threads : cores;
    backend->operations = &ff_backend_cpu;
    backend->kernels = ff_kernels_choose();
    backend->pool = ff_pool_create(threads, plan->cores, plan->core_count, error);
    if (backend->pool == NULL || ff_cpu_allocate(backend, plan, error) < 0) {
        destroy(backend);
        return NULL;
    }
    backend->plan = ff_plan_create(backend->rows, backend->columns, backend->wave_stride,
                                   plan->cache_folder, plan->transforms, error);
    if (backend->plan == NULL) {
        destroy(backend);
        return NULL;
    }
    snprintf(backend->description, sizeof backend->description, "cpu: %u thread%s, %s, %s", threads,
             threads == 1 ? "" : "s", backend->kernels->name, fftwf_version);
    return backend;
}

static const char *describe(const struct ff_backend *backend)
{
    return backend->description;
}

static void split(const ff_complex *from, size_t rows, size_t columns, struct ff_planes to)
{
    const float *values = (const float *)from;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            to.re[r * to.stride + c] = values[2 * (r * columns + c)];
            to.im[r * to.stride + c] = values[2 * (r * columns + c) + 1];
        }
    }
}

static void join(struct ff_planes from, size_t rows, size_t columns, ff_complex *to)
{
    float *values = (float *)to;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            values[2 * (r * columns + c)] = from.re[r * from.stride + c];
            values[2 * (r * columns + c) + 1] = from.im[r * from.stride + c];
        }
    }
}

static void put_object(struct ff_backend *backend, const ff_complex *object)
{
    split(object, backend->object_rows, backend->object_columns, backend->object);
}

static void get_object(struct ff_backend *backend, ff_complex *object)
{
    join(backend->object, backend->object_rows, backend->object_columns, object);
}

static void put_probe(struct ff_backend *backend, const ff_complex *probe)
{
    for (size_t m = 0; m < backend->modes; m++)
        split(probe + m * backend->rows * backend->columns, backend->rows, backend->columns,
              backend->probe[m]);
}

static void get_probe(struct ff_backend *backend, ff_complex *probe)
{
    for (size_t m = 0; m < backend->modes; m++)
        join(backend->probe[m], backend->rows, backend->columns,
             probe + m * backend->rows * backend->columns);
}

/* Nothing is queued, and memory that fails kills the process: there is nothing to report. */
static int take_cost(struct ff_backend *backend, double *cost, struct ff_error *error)
{
    (void)error;
    *cost = backend->cost;
    backend->cost = 0;
    return 0;
}

static void transform_piece(void *context, unsigned piece, unsigned thread)
{
    (void)piece;
    struct ff_backend *backend = context;
    struct workspace *space = &backend->workspaces[thread];
    for (size_t m = 0; m < backend->modes; m++)
        ff_plan_forward(backend->plan, space->waves[m]);
    for (size_t m = 0; m < backend->modes; m++)
        ff_plan_inverse(backend->plan, space->waves[m]);
}

static double time_transforms(struct ff_backend *backend, size_t count)
{
    unsigned threads = ff_pool_threads(backend->pool);
    for (unsigned i = 0; i < threads; i++) /* zeros stay zeros: no overflow, however often */
        for (size_t m = 0; m < backend->modes; m++)
            memset(backend->workspaces[i].waves[m], 0,
                   2 * backend->rows * backend->wave_stride * sizeof(float));
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

const struct ff_backend_operations ff_backend_cpu = {
    .name = "cpu",
    .create = create,
    .destroy = destroy,
    .describe = describe,
    .put_object = put_object,
    .get_object = get_object,
    .put_probe = put_probe,
    .get_probe = get_probe,
    .gradients = ff_cpu_gradients,
    .update = ff_cpu_update,
    .cost = ff_cpu_cost,
    .take_cost = take_cost,
    .time_transforms = time_transforms,
    .transforms = transforms,
    .bytes = bytes,
};
