#include "functions/simulate/simulation.h"

#include "functions/reconstruct/transform.h"
#include "functions/simulate/beam.h"
#include "functions/simulate/detector.h"
#include "functions/simulate/geometry.h"
#include "functions/simulate/objects.h"
#include "functions/simulate/scan.h"
#include "functions/simulate/variation.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the guess "near" has of the defocus, or of what else shapes the beam. */
static const double near_likeness = 0.9;

static double frequency(size_t index, size_t size)
{
    return (index < (size + 1) / 2 ? (double)index : (double)index - (double)size) / (double)size;
}

/* H = exp(-iπ λ z f²), the paraxial transfer function of free space. */
static int make_transfer(struct ff_simulation *simulation, struct ff_error *error)
{
    size_t size = simulation->size;
    double step = 1 / simulation->object_pixel_m;
    double factor = M_PI * simulation->wavelength_m * simulation->settings.distance_m * step * step;
    simulation->transfer =
        ff_array_create(size * size, sizeof(ff_complex), "the transfer function", error);
    if (simulation->transfer == NULL)
        return -1;
    for (size_t i = 0; i < size * size; i++) {
        double y = frequency(i / size, size);
        double x = frequency(i % size, size);
        double phase = -factor * (y * y + x * x);
        simulation->transfer[i] = (float)cos(phase) + (float)sin(phase) * (ff_complex)I;
    }
    return 0;
}

static int make_transforms(struct ff_simulation *simulation, struct ff_error *error)
{
    simulation->transform = ff_transform_create(simulation->size, simulation->size, error);
    if (simulation->transform == NULL)
        return -1;
    if (simulation->settings.field == FF_SIMULATE_NEAR_FIELD &&
        make_transfer(simulation, error) < 0)
        return -1;
    if (simulation->settings.subpixel != FF_SIMULATE_FOURIER)
        return 0;
    simulation->probe_transform =
        ff_transform_create(simulation->probe_size, simulation->probe_size, error);
    return simulation->probe_transform != NULL ? 0 : -1;
}

static int make_probes(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    simulation->probe = ff_simulate_beam(settings, 1, error);
    if (simulation->probe == NULL)
        return -1;
    if (settings->guess == FF_SIMULATE_NO_GUESS)
        return 0;
    double likeness = settings->guess == FF_SIMULATE_NEAR ? near_likeness : 1;
    simulation->guess = ff_simulate_beam(settings, likeness, error);
    return simulation->guess != NULL ? 0 : -1;
}

static int fill(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    if (make_probes(simulation, error) < 0 || ff_simulate_scan(simulation, error) < 0 ||
        ff_simulate_statement(simulation, error) < 0 ||
        ff_simulate_variation(simulation, error) < 0 || make_transforms(simulation, error) < 0)
        return -1;
    simulation->object = ff_simulate_object(settings->object, simulation->rows, simulation->columns,
                                            (uint64_t)settings->seed, error);
    simulation->pixels = ff_simulate_pixels(settings, error);
    if (simulation->object == NULL || simulation->pixels == NULL)
        return -1;
    simulation->worker = ff_simulation_worker_create(simulation, error);
    return simulation->worker != NULL ? 0 : -1;
}

static void take_settings(struct ff_simulation *simulation)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    simulation->size = (size_t)settings->size;
    simulation->probe_size = ff_simulate_window(settings);
    simulation->patterns = (size_t)settings->patterns;
    simulation->modes = (size_t)settings->modes;
    simulation->fly = (size_t)settings->fly;
    simulation->eigenprobe_count = (size_t)settings->eigenprobes;
    simulation->wavelength_m = ff_simulate_wavelength_m(settings);
    simulation->object_pixel_m = ff_simulate_object_pixel_m(settings);
}

struct ff_simulation *ff_simulation_create(const struct ff_simulate_settings *settings,
                                           struct ff_error *error)
{
    struct ff_simulation *simulation = calloc(1, sizeof *simulation);
    if (simulation == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a simulation");
        return NULL;
    }
    simulation->settings = *settings;
    if (ff_simulate_complete(&simulation->settings, error) == 0) {
        take_settings(simulation);
        if (fill(simulation, error) == 0)
            return simulation;
    }
    ff_simulation_destroy(simulation);
    return NULL;
}

void ff_simulation_destroy(struct ff_simulation *simulation)
{
    if (simulation == NULL)
        return;
    ff_simulation_worker_destroy(simulation->worker);
    ff_transform_destroy(simulation->transform);
    ff_transform_destroy(simulation->probe_transform);
    free(simulation->transfer);
    free(simulation->object);
    free(simulation->probe);
    free(simulation->places);
    free(simulation->positions);
    free(simulation->eigenprobes);
    free(simulation->weights);
    free(simulation->intensities);
    free(simulation->pixels);
    free(simulation->faults);
    free(simulation->stated);
    free(simulation->guess);
    free(simulation->frames);
    free(simulation);
}
