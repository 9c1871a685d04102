/* One pattern: from the object and the probe to what the detector counts. */
#include "functions/simulate/simulation.h"

#include "functions/reconstruct/transform.h"
#include "functions/simulate/detector.h"
#include "functions/simulate/variation.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double over_brightness = 10;

struct ff_simulation_worker {
    const struct ff_simulation *simulation;
    ff_complex *wave;  /* (size, size) */
    ff_complex *probe; /* (probe_size, probe_size): a mode as it is for the pattern */
    ff_complex *moved; /* the same, moved by less than a pixel */
    double *sum;       /* (size, size): as the transform leaves it */
    double *counts;    /* (size, size) */
};

struct ff_simulation_worker *ff_simulation_worker_create(const struct ff_simulation *simulation,
                                                         struct ff_error *error)
{
    struct ff_simulation_worker *worker = calloc(1, sizeof *worker);
    size_t pixels = simulation->size * simulation->size;
    size_t window = simulation->probe_size * simulation->probe_size;
    if (worker == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a pattern");
        return NULL;
    }
    worker->simulation = simulation;
    worker->wave = ff_array_create(pixels, sizeof *worker->wave, "a wave", error);
    worker->probe = ff_array_create(window, sizeof *worker->probe, "a probe", error);
    worker->moved = ff_array_create(window, sizeof *worker->moved, "a probe", error);
    worker->sum = ff_array_create(pixels, sizeof *worker->sum, "an intensity", error);
    worker->counts = ff_array_create(pixels, sizeof *worker->counts, "a pattern", error);
    if (worker->wave != NULL && worker->probe != NULL && worker->moved != NULL &&
        worker->sum != NULL && worker->counts != NULL)
        return worker;
    ff_simulation_worker_destroy(worker);
    return NULL;
}

void ff_simulation_worker_destroy(struct ff_simulation_worker *worker)
{
    if (worker == NULL)
        return;
    free(worker->wave);
    free(worker->probe);
    free(worker->moved);
    free(worker->sum);
    free(worker->counts);
    free(worker);
}

/* The object between its pixels, by the same four taps that the solvers use. */
static ff_complex object_at(const struct ff_simulation *simulation, double row, double column)
{
    size_t r = (size_t)row;
    size_t c = (size_t)column;
    float y = (float)(row - (double)r);
    float x = (float)(column - (double)c);
    const ff_complex *at = simulation->object + r * simulation->columns + c;
    const ff_complex *below = at + simulation->columns;
    return (1 - y) * ((1 - x) * at[0] + x * at[1]) + y * ((1 - x) * below[0] + x * below[1]);
}

/* Multiplies a spectrum (DC at the corner) so that what it belongs to moves by `shift` pixels. */
static void move_spectrum(ff_complex *spectrum, size_t size, const double shift[2])
{
    for (size_t i = 0; i < size * size; i++) {
        double steps[2] = {(double)(i / size), (double)(i % size)};
        double phase = 0;
        for (size_t axis = 0; axis < 2; axis++) {
            if (steps[axis] >= (double)((size + 1) / 2))
                steps[axis] -= (double)size;
            phase -= 2 * M_PI * steps[axis] / (double)size * shift[axis];
        }
        spectrum[i] *= (float)cos(phase) + (float)sin(phase) * (ff_complex)I;
    }
}

/* Mode `mode` as it lights pattern `index`. */
static void light(struct ff_simulation_worker *worker, size_t index, size_t mode)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t pixels = simulation->probe_size * simulation->probe_size;
    size_t count = mode == 0 ? simulation->eigenprobe_count : 0;
    memcpy(worker->probe, simulation->probe + mode * pixels, pixels * sizeof *worker->probe);
    for (size_t c = 0; c < count; c++) {
        const ff_complex *eigenprobe = simulation->eigenprobes + c * pixels;
        float weight = (float)simulation->weights[index * count + c];
        for (size_t i = 0; i < pixels; i++)
            worker->probe[i] += weight * eigenprobe[i];
    }
}

/* The exit wave, in the middle of zeros where the detector is larger. */
static void fill_exit_wave(struct ff_simulation_worker *worker, const ff_complex *probe,
                           const double *corner)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t size = simulation->size;
    size_t window = simulation->probe_size;
    size_t pad = (size - window) / 2;
    if (pad > 0)
        memset(worker->wave, 0, size * size * sizeof *worker->wave);
    for (size_t r = 0; r < window; r++)
        for (size_t c = 0; c < window; c++)
            worker->wave[(r + pad) * size + c + pad] =
                probe[r * window + c] *
                object_at(simulation, corner[0] + (double)r, corner[1] + (double)c);
}

/* The probe moved by the fraction of a pixel, over an object that stays on its own. */
static void fill_moved_wave(struct ff_simulation_worker *worker, const double *place,
                            double *fraction)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t window = simulation->probe_size;
    const double corner[2] = {floor(place[0]), floor(place[1])};
    fraction[0] = place[0] - corner[0];
    fraction[1] = place[1] - corner[1];
    memcpy(worker->moved, worker->probe, window * window * sizeof *worker->moved);
    ff_transform_run(simulation->probe_transform, FF_TRANSFORM_FORWARD, worker->moved);
    move_spectrum(worker->moved, window, fraction);
    ff_transform_run(simulation->probe_transform, FF_TRANSFORM_INVERSE, worker->moved);
    fill_exit_wave(worker, worker->moved, corner);
}

/* Adds |F|² of one mode at one place. */
static void add_wave(struct ff_simulation_worker *worker, const double *place)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t pixels = simulation->size * simulation->size;
    double fraction[2] = {0, 0};
    if (simulation->probe_transform != NULL)
        fill_moved_wave(worker, place, fraction);
    else
        fill_exit_wave(worker, worker->probe, place);
    ff_transform_run(simulation->transform, FF_TRANSFORM_FORWARD, worker->wave);
    if (simulation->transfer != NULL) {
        for (size_t i = 0; i < pixels; i++)
            worker->wave[i] *= simulation->transfer[i];
        /* On the detector it is the beam that stands still. */
        if (simulation->probe_transform != NULL)
            move_spectrum(worker->wave, simulation->size,
                          (const double[]){-fraction[0], -fraction[1]});
        ff_transform_run(simulation->transform, FF_TRANSFORM_INVERSE, worker->wave);
    }
    for (size_t i = 0; i < pixels; i++) {
        double re = (double)crealf(worker->wave[i]);
        double im = (double)cimagf(worker->wave[i]);
        worker->sum[i] += re * re + im * im;
    }
}

void ff_simulation_intensity(struct ff_simulation_worker *worker, size_t index, double *intensity)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t size = simulation->size;
    /* What the far field has at the corner lies in the middle of the detector. */
    size_t shift = simulation->transfer != NULL ? 0 : size / 2;
    memset(worker->sum, 0, size * size * sizeof *worker->sum);
    for (size_t m = 0; m < simulation->modes; m++) {
        light(worker, index, m);
        for (size_t k = 0; k < simulation->fly; k++)
            add_wave(worker, simulation->places + 2 * (index * simulation->fly + k));
    }
    for (size_t r = 0; r < size; r++)
        for (size_t c = 0; c < size; c++)
            intensity[(r + shift) % size * size + (c + shift) % size] =
                simulation->intensities[index] * worker->sum[r * size + c];
}

size_t ff_simulation_frame(struct ff_simulation_worker *worker, size_t index, double *counts)
{
    const struct ff_simulation *simulation = worker->simulation;
    size_t pixels = simulation->size * simulation->size;
    struct ff_random random = ff_simulate_stream(simulation->settings.seed, index, FF_DRAW_COUNTS);
    uint8_t fault = simulation->faults[index];
    if (fault == FF_SIMULATE_EMPTY)
        memset(counts, 0, pixels * sizeof *counts);
    else
        ff_simulation_intensity(worker, index, counts);
    for (size_t i = 0; fault == FF_SIMULATE_BRIGHT && i < pixels; i++)
        counts[i] *= over_brightness;
    return ff_simulate_detect(&simulation->settings, simulation->pixels, &random, counts);
}

void ff_simulation_pattern(struct ff_simulation *simulation, size_t index, uint16_t *counts)
{
    struct ff_simulation_worker *worker = simulation->worker;
    simulation->saturated += ff_simulation_frame(worker, index, worker->counts);
    ff_simulate_store(FF_SIMULATE_U16, worker->counts, simulation->size * simulation->size, counts);
}
