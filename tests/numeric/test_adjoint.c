/*
 * Each operator of the CPU backend against its adjoint, in double: <A x, y> = <x, A* y> for any x and y. Looks inside
 * the backend, since its table has no such pieces.
 */
#include "tests/unit/check.h"

#include "functions/reconstruct/backends/cpu/state.h"
#include "tests/numeric/stand.h"

#include <complex.h>
#include <math.h>

/* What is random lies in the real columns; what is looked at are whole vectors, so margins must be zero. */
static double product(struct ff_planes a, struct ff_planes b, size_t rows, size_t width)
{
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            sum += a.re[r * a.stride + c] * b.re[r * b.stride + c] +
                   a.im[r * a.stride + c] * b.im[r * b.stride + c];
    return sum;
}

static double wave_product(struct ff_wave a, struct ff_wave b)
{
    double sum = 0;
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < 2 * a.width; c++)
            sum += a.values[2 * r * a.stride + c] * b.values[2 * r * b.stride + c];
    return sum;
}

static void fill(struct ff_planes planes, size_t rows, size_t columns, uint64_t *state)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            planes.re[r * planes.stride + c] = stand_random(state);
            planes.im[r * planes.stride + c] = stand_random(state);
        }
    }
}

/* Zeros but for `columns` random ones in each row. */
static void fill_wave(struct ff_wave wave, size_t rows, size_t columns, uint64_t *state)
{
    for (size_t r = 0; r < wave.rows; r++)
        for (size_t c = 0; c < 2 * wave.width; c++)
            wave.values[2 * r * wave.stride + c] =
                r < rows && c < 2 * columns ? stand_random(state) : 0;
}

static struct ff_wave new_wave(const struct ff_backend *backend)
{
    struct ff_wave wave = backend->workspaces[0].waves[0];
    struct ff_error error;
    wave.values = ff_array_create(2 * wave.rows * wave.stride, sizeof(ff_real), "a wave", &error);
    assert_non_null(wave.values);
    return wave;
}

static struct ff_planes new_planes(const struct ff_backend *backend)
{
    size_t size = backend->rows * backend->width;
    return (struct ff_planes){stand_array(size, sizeof(ff_real)),
                              stand_array(size, sizeof(ff_real)), backend->width};
}

static void free_planes(struct ff_planes planes)
{
    free(planes.re);
    free(planes.im);
}

/* The window's wave at the detector, and back. */
static void check_propagation(const struct stand *stand, uint64_t *state)
{
    struct ff_backend *backend = stand->backend;
    struct workspace *space = &backend->workspaces[0];
    struct ff_wave x = new_wave(backend), moved = new_wave(backend), y = new_wave(backend),
                   back = new_wave(backend);
    struct ff_wave window = window_of(backend, x);
    fill_wave(window, backend->rows, backend->columns, state);
    fill_wave(y, backend->frame_rows, backend->frame_columns, state);
    backend->kernels->wave->copy(window, 1, window_of(backend, moved));
    backend->kernels->wave->copy(y, 1, back);
    ff_cpu_forward(backend, space, moved);
    ff_cpu_back(backend, space, back);
    double there = wave_product(moved, y) * backend->scale;
    double here = wave_product(window, window_of(backend, back)) * backend->back / backend->scale;
    double size = sqrt(wave_product(window, window) * wave_product(y, y));
    stand_check(stand, "propagation and its adjoint", here, there, size, 1e-13);
    double kept = wave_product(moved, moved) * backend->scale * backend->scale;
    stand_check(stand, "the light on its way", kept, wave_product(window, window), kept, 1e-12);
    free(x.values);
    free(moved.values);
    free(y.values);
    free(back.values);
}

/* The taps, and what is scattered through them. */
static void check_taps(const struct stand *stand, uint64_t *state)
{
    struct ff_backend *backend = stand->backend;
    struct workspace *space = &backend->workspaces[0];
    struct ff_planes patch = new_planes(backend);
    struct sums *sums = &backend->sums;
    struct ff_planes object = backend->object[0];
    size_t stride = object.stride;
    for (uint32_t n = 0; n < backend->patterns; n++) {
        struct place place = ff_cpu_place(backend, n, 0);
        memset(sums->object.re, 0, backend->tile.rows * stride * sizeof(ff_real));
        memset(sums->object.im, 0, backend->tile.rows * stride * sizeof(ff_real));
        fill(object, backend->tile.rows, backend->tile.columns, state);
        fill(space->tile, backend->rows, backend->columns, state);
        backend->kernels->wave->gather(ff_cpu_planes_at(object, &place), place.taps, backend->rows,
                                       backend->width, patch, NULL);
        backend->kernels->wave->scatter(space->tile, backend->light, place.taps, place.light_taps,
                                        backend->rows, backend->columns,
                                        ff_cpu_planes_at(sums->object, &place),
                                        sums->weight + place.row * stride + place.column);
        double there = product(patch, space->tile, backend->rows, backend->columns);
        double here = product(object, sums->object, backend->tile.rows, backend->tile.columns);
        stand_check(stand, "taps and their adjoint", here, there, fabs(there) + 1, 1e-12);
    }
    free_planes(patch);
}

/* Multiplying with the probe, or with the patch, and with their conjugates. */
static void check_exit_wave(const struct stand *stand, uint64_t *state)
{
    struct ff_backend *backend = stand->backend;
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    struct workspace *space = &backend->workspaces[0];
    struct ff_planes probe = new_planes(backend), patch = new_planes(backend),
                     sum = new_planes(backend);
    struct ff_wave x = new_wave(backend), y = new_wave(backend);
    struct ff_wave window = window_of(backend, x), other = window_of(backend, y);
    fill(probe, backend->rows, backend->columns, state);
    fill(patch, backend->rows, backend->columns, state);
    fill_wave(other, backend->rows, backend->columns, state);
    kernels->exit_wave(probe, patch, window);
    kernels->products(probe, patch, other, false, space->tile, sum);
    double there = wave_product(window, other);
    double size = fabs(there) + 1;
    stand_check(stand, "a probe and its conjugate",
                product(patch, space->tile, backend->rows, backend->width), there, size, 1e-12);
    stand_check(stand, "a patch and its conjugate",
                product(probe, sum, backend->rows, backend->width), there, size, 1e-12);
    kernels->products(probe, patch, other, true, space->tile, sum);
    kernels->add_product(patch, other, 0.5, sum);
    stand_check(stand, "twice a probe", product(patch, space->tile, backend->rows, backend->width),
                2 * there, size, 1e-12);
    stand_check(stand, "two and a half patches", product(probe, sum, backend->rows, backend->width),
                2.5 * there, size, 1e-12);
    free_planes(probe);
    free_planes(patch);
    free_planes(sum);
    free(x.values);
    free(y.values);
}

/* Shifts: their adjoint is the shift back, which undoes them. */
static void check_shift(const struct stand *stand, uint64_t *state)
{
    struct ff_backend *backend = stand->backend;
    struct workspace *space = &backend->workspaces[0];
    const double distance[2] = {0.3, 0.8};
    struct ff_planes x = new_planes(backend), y = new_planes(backend), moved = new_planes(backend),
                     back = new_planes(backend);
    fill(x, backend->rows, backend->columns, state);
    fill(y, backend->rows, backend->columns, state);
    ff_cpu_shift(backend, space, x, distance, false, moved);
    ff_cpu_shift(backend, space, y, distance, true, back);
    double there = product(moved, y, backend->rows, backend->width);
    double own = product(x, x, backend->rows, backend->width);
    stand_check(stand, "a shift and its adjoint", product(x, back, backend->rows, backend->width),
                there, own, 1e-13);
    ff_cpu_shift(backend, space, moved, distance, true, back);
    stand_check(stand, "a shift undone", product(x, back, backend->rows, backend->width), own, own,
                1e-13);
    free_planes(x);
    free_planes(y);
    free_planes(moved);
    free_planes(back);
}

static void test_every_operator_has_its_adjoint(void **unused)
{
    (void)unused;
    uint64_t state = 21;
    for (const struct stand_case *effects = stand_cases; effects->name != NULL; effects++) {
        struct stand stand;
        stand_open(&stand, effects, &ff_backend_cpu_double, 0);
        check_propagation(&stand, &state);
        check_taps(&stand, &state);
        check_exit_wave(&stand, &state);
        if (effects->subpixel == FF_SUBPIXEL_FOURIER)
            check_shift(&stand, &state);
        stand_close(&stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operator_has_its_adjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
