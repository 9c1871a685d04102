/*
 * Probes shifted by a part of a pixel, by the phases of their frequencies. The spectra of the probes are found once a
 * batch, and the sums of what is shifted back are made of spectra, so that a pattern takes one transform for each probe
 * that it sees and one for each sum.
 */
#include "functions/reconstruct/backends/cpu/state.h"

#include "functions/reconstruct/backends/fresnel.h"

#include <math.h>
#include <string.h>

/* exp(-2πi f distance / n) for each frequency f. */
static void make_ramp(double distance, size_t n, ff_real *re, ff_real *im)
{
    for (size_t i = 0; i < n; i++) {
        double angle = -2 * M_PI * ff_frequency(i, n) * distance / (double)n;
        re[i] = (ff_real)cos(angle);
        im[i] = (ff_real)sin(angle);
    }
}

void ff_cpu_make_slopes(struct ff_backend *backend)
{
    for (size_t axis = 0; axis < 2; axis++) {
        size_t n = axis == 0 ? backend->rows : backend->columns;
        for (size_t i = 0; i < n; i++) {
            backend->slopes[axis][i] = (ff_real)(-2 * M_PI * ff_frequency(i, n) / (double)n);
            backend->ones[i] = 1;
        }
    }
}

/* The ramps of a distance: mostly those of the last call. */
static void set_ramps(const struct ff_backend *backend, struct workspace *space,
                      const double distance[2])
{
    if (space->ramp_distance[0] == distance[0] && space->ramp_distance[1] == distance[1])
        return;
    memcpy(space->ramp_distance, distance, sizeof space->ramp_distance);
    make_ramp(distance[0], backend->rows, space->ramps[0], space->ramps[1]);
    make_ramp(distance[1], backend->columns, space->ramps[2], space->ramps[3]);
}

static void turn(const struct ff_backend *backend, const struct workspace *space, bool back)
{
    backend->kernels->wave->ramp(space->spectrum, space->ramps[0], space->ramps[1], space->ramps[2],
                                 space->ramps[3], back);
}

static void find_spectrum(const struct ff_backend *backend, struct workspace *space,
                          struct ff_planes from, struct ff_wave spectrum)
{
    backend->kernels->wave->join(from, spectrum);
    ff_plan_forward(backend->shift_plan, spectrum.values);
    space->transforms++;
}

static void leave_spectrum(const struct ff_backend *backend, struct workspace *space,
                           struct ff_wave spectrum, struct ff_planes to)
{
    const ff_real factor = (ff_real)(1.0 / ((double)backend->rows * (double)backend->columns));
    ff_plan_inverse(backend->shift_plan, spectrum.values);
    backend->kernels->wave->split(spectrum, factor, to);
    space->transforms++;
}

void ff_cpu_shift(struct ff_backend *backend, struct workspace *space, struct ff_planes from,
                  const double distance[2], bool back, struct ff_planes to)
{
    set_ramps(backend, space, distance);
    find_spectrum(backend, space, from, space->spectrum);
    turn(backend, space, back);
    leave_spectrum(backend, space, space->spectrum, to);
}

void ff_cpu_find_spectra(struct ff_backend *backend)
{
    for (size_t i = 0; i < backend->probes; i++)
        find_spectrum(backend, &backend->workspaces[0], backend->probe[0][i], backend->spectra[i]);
}

/* Of probe i as the pattern saw it, shifted. */
static void take_spectrum(const struct ff_backend *backend, struct workspace *space, size_t i,
                          uint32_t local, const double distance[2])
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    const double *weights = backend->weights + local * backend->eigenprobes;
    kernels->copy(backend->spectra[i], 1, space->spectrum);
    for (size_t c = 0; i == 0 && c < backend->eigenprobes; c++)
        kernels->blend(space->spectrum, 1, (ff_real)weights[c],
                       backend->spectra[backend->modes + c]);
    set_ramps(backend, space, distance);
    turn(backend, space, false);
}

void ff_cpu_shift_probe(struct ff_backend *backend, struct workspace *space, size_t i,
                        uint32_t local, const double distance[2], struct ff_planes to)
{
    take_spectrum(backend, space, i, local, distance);
    leave_spectrum(backend, space, space->spectrum, to);
}

void ff_cpu_derive_probe(struct ff_backend *backend, struct workspace *space, size_t i,
                         uint32_t local, const double distance[2], struct ff_planes by_row,
                         struct ff_planes by_column)
{
    const struct ff_wave_kernels *kernels = backend->kernels->wave;
    const ff_real *ones = backend->ones;
    const ff_real *zeros = backend->zeros;
    take_spectrum(backend, space, i, local, distance);
    kernels->ramp(space->spectrum, zeros, backend->slopes[0], ones, zeros, false);
    leave_spectrum(backend, space, space->spectrum, by_row);
    take_spectrum(backend, space, i, local, distance);
    kernels->ramp(space->spectrum, ones, zeros, zeros, backend->slopes[1], false);
    leave_spectrum(backend, space, space->spectrum, by_column);
}

void ff_cpu_shift_back(struct ff_backend *backend, struct workspace *space,
                       struct ff_planes product, const double distance[2])
{
    set_ramps(backend, space, distance);
    find_spectrum(backend, space, product, space->spectrum);
    turn(backend, space, true);
}

void ff_cpu_leave_spectra(struct ff_backend *backend, struct workspace *space, struct lane *lane)
{
    for (size_t i = 0; i < backend->probes; i++)
        leave_spectrum(backend, space, lane->sums->spectrum[i], lane->sums->probe[i]);
}
