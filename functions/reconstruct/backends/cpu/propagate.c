/*
 * Waves to the detector and back: every transform is called here, but for those of shifted probes (shift.c).
 *
 * Far field: the unnormalised transform; frames know the scale. Near field: H of fresnel.h between two transforms, so
 * that the wave comes out as it is. Its adjoint has H*.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include "functions/reconstruct/backends/cpu/vector_fft.h"
#include "functions/reconstruct/backends/fresnel.h"

#include <math.h>
#include <string.h>

static int make_transfer(struct ff_backend *backend, struct ff_error *error)
{
    size_t rows = backend->frame_rows;
    size_t width = backend->frame_width;
    struct ff_planes *h = &backend->transfer;
    struct ff_fresnel fresnel;
    if (ff_fresnel_of(backend->problem, &fresnel, error) < 0)
        return -1;
    h->stride = width;
    h->re = ff_cpu_block(backend, rows * width, sizeof(ff_real), "the transfer function", error);
    h->im = ff_cpu_block(backend, rows * width, sizeof(ff_real), "the transfer function", error);
    if (h->re == NULL || h->im == NULL)
        return -1;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < backend->frame_columns; c++) {
            double value[2];
            ff_fresnel_at(&fresnel, r, c, value);
            h->re[r * width + c] = (ff_real)value[0];
            h->im[r * width + c] = (ff_real)value[1];
        }
    return 0;
}

/* Whether the vector transform takes all shapes, and windows and rows are whole blocks. */
static bool vector_takes(const struct ff_backend *backend)
{
    const struct ff_kernels *kernels = ff_kernels_vector();
    return kernels != NULL && ff_vector_fft_takes(backend->frame_rows, backend->frame_columns) &&
           (backend->subpixel != FF_SUBPIXEL_FOURIER ||
            ff_vector_fft_takes(backend->rows, backend->columns)) &&
           backend->columns % kernels->block == 0 && backend->pad_column % kernels->block == 0;
}

/* The loops that go with the transform. Without a wish it is the one that made the checkpoint, if this CPU has it. */
static int choose_kernels(struct ff_backend *backend, const struct ff_backend_plan *plan,
                          struct ff_error *error)
{
    bool vector = plan->engine != FF_ENGINE_LIBRARY && vector_takes(backend);
    if (plan->engine == FF_ENGINE_OWN && !vector) {
        ff_fail(error, FF_INVALID_SETTING, "there is no vector transform of %zu × %zu here",
                backend->frame_rows, backend->frame_columns);
        return ff_hint(error, "it takes powers of two from 32 to 1024 on a CPU with AVX2; "
                              "transform=auto takes it where it can");
    }
    if (plan->engine == FF_ENGINE_AUTO && plan->transforms.size > 0 && vector)
        vector = ff_plan_text_is_vector(plan->transforms, ff_kernels_vector()->vector);
    backend->kernels = vector ? ff_kernels_vector() : ff_kernels_choose();
    return 0;
}

/* Where probes are shifted, two shapes are planned. Both must follow the same text, so that it alone makes them again:
 * the second plan's holds what the first one took from the cache. */
static int make_plans(struct ff_backend *backend, const struct ff_backend_plan *plan,
                      struct ff_error *error)
{
    const struct ff_vector_code *vector = backend->kernels->vector;
    const struct ff_plan_shape frame = {vector, backend->frame_rows, backend->frame_columns,
                                        backend->wave_stride};
    const struct ff_plan_shape probe = {vector, backend->rows, backend->columns,
                                        backend->shift_stride};
    backend->plan = ff_plan_create(&frame, plan->cache_folder, plan->transforms, error);
    if (backend->plan == NULL || backend->subpixel != FF_SUBPIXEL_FOURIER)
        return backend->plan != NULL ? 0 : -1;
    backend->shift_plan = ff_plan_create(&probe, plan->cache_folder, plan->transforms, error);
    if (backend->shift_plan == NULL)
        return -1;
    struct ff_plan *first = backend->plan;
    backend->plan =
        ff_plan_create(&frame, plan->cache_folder, ff_plan_text(backend->shift_plan), error);
    ff_plan_destroy(first);
    return backend->plan != NULL ? 0 : -1;
}

int ff_cpu_propagation_create(struct ff_backend *backend, const struct ff_backend_plan *plan,
                              struct ff_error *error)
{
    double pixels = (double)backend->frame_rows * (double)backend->frame_columns;
    bool near_field = plan->problem->near_field;
    backend->scale = near_field ? 1 : (ff_real)(1 / sqrt(pixels));
    backend->back = near_field ? 1 : (ff_real)(1 / pixels);
    if (choose_kernels(backend, plan, error) < 0 ||
        (near_field && make_transfer(backend, error) < 0))
        return -1;
    return make_plans(backend, plan, error);
}

/* Zeros around the window. Whatever of it lies beyond the probe's columns is zero already. */
static void clear_margin(const struct ff_backend *backend, struct ff_wave wave)
{
    size_t row = 2 * wave.stride * sizeof(ff_real);
    size_t top = backend->pad_row;
    size_t bottom = top + backend->rows;
    size_t right = backend->pad_column + backend->width;
    memset(wave.values, 0, top * row);
    for (size_t r = top; r < bottom; r++) {
        ff_real *at = wave.values + 2 * r * wave.stride;
        memset(at, 0, 2 * backend->pad_column * sizeof(ff_real));
        if (right < wave.stride)
            memset(at + 2 * right, 0, 2 * (wave.stride - right) * sizeof(ff_real));
    }
    memset(wave.values + 2 * bottom * wave.stride, 0, (wave.rows - bottom) * row);
}

void ff_cpu_forward(struct ff_backend *backend, struct workspace *space, struct ff_wave wave)
{
    if (backend->padded)
        clear_margin(backend, wave);
    ff_plan_forward(backend->plan, wave.values);
    space->transforms++;
    if (backend->transfer.re != NULL) {
        backend->kernels->wave->filter(wave, backend->transfer, false);
        ff_plan_inverse(backend->plan, wave.values);
        space->transforms++;
    }
}

void ff_cpu_back(struct ff_backend *backend, struct workspace *space, struct ff_wave wave)
{
    if (backend->transfer.re != NULL) {
        ff_plan_forward(backend->plan, wave.values);
        backend->kernels->wave->filter(wave, backend->transfer, true);
        space->transforms++;
    }
    ff_plan_inverse(backend->plan, wave.values);
    space->transforms++;
    if (backend->padded && backend->width > backend->columns) {
        /* The window has no light beyond the probe's columns. */
        struct ff_wave window = window_of(backend, wave);
        size_t tail = 2 * (backend->width - backend->columns) * sizeof(ff_real);
        for (size_t r = 0; r < window.rows; r++)
            memset(window.values + 2 * (r * window.stride + backend->columns), 0, tail);
    }
}
