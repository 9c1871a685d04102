#include "functions/simulate/simulation.h"

#include "functions/reconstruct/solvers/random.h"
#include "functions/reconstruct/transform.h"
#include "functions/simulate/beam.h"
#include "functions/simulate/objects.h"
#include "functions/simulate/poisson.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT_SIDE_MAX = 1 << 15, COUNT_MAX = UINT16_MAX - 1 };

/* How far the guess "near" is out of focus, by the truth. */
static const double near_defocus = 0.9;

/* Rows of a grid, each position moved by up to `jitter` steps; the corner is added later. */
static int place(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    size_t across = (size_t)ceil(sqrt((double)simulation->patterns));
    double step = fmax(1, (1 - settings->overlap) *
                              ff_simulate_beam_width(simulation->probe, simulation->size));
    struct ff_random random = ff_random_seed((uint64_t)settings->seed ^ 0x5ca4u);
    double low[2] = {INFINITY, INFINITY};
    double high[2] = {-INFINITY, -INFINITY};
    simulation->positions =
        ff_array_create(simulation->patterns, 2 * sizeof(double), "the positions", error);
    if (simulation->positions == NULL)
        return -1;
    for (size_t n = 0; n < simulation->patterns; n++) {
        const double grid[2] = {(double)(n / across), (double)(n % across)};
        for (size_t axis = 0; axis < 2; axis++) {
            double stray = settings->jitter * (2 * ff_random_unit(&random) - 1);
            double at = step * (grid[axis] + stray);
            simulation->positions[2 * n + axis] = at;
            low[axis] = fmin(low[axis], at);
            high[axis] = fmax(high[axis], at);
        }
    }
    for (size_t i = 0; i < 2 * simulation->patterns; i++)
        simulation->positions[i] += FF_SIMULATION_MARGIN - low[i % 2];
    size_t window = simulation->size + 2 * FF_SIMULATION_MARGIN;
    simulation->rows = (size_t)ceil(high[0] - low[0]) + window;
    simulation->columns = (size_t)ceil(high[1] - low[1]) + window;
    if (simulation->rows <= OBJECT_SIDE_MAX && simulation->columns <= OBJECT_SIDE_MAX)
        return 0;
    ff_fail(error, FF_INVALID_SETTING, "the object would have %zu × %zu pixels", simulation->rows,
            simulation->columns);
    return ff_hint(error, "ask for fewer patterns, or more overlap; a side may have %d pixels",
                   OBJECT_SIDE_MAX);
}

static int fill(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    size_t pixels = simulation->size * simulation->size;
    simulation->probe = ff_simulate_beam(settings, 1, error);
    if (simulation->probe == NULL)
        return -1;
    if (settings->guess != FF_SIMULATE_NO_GUESS) {
        double defocus = settings->guess == FF_SIMULATE_NEAR ? near_defocus : 1;
        simulation->guess = ff_simulate_beam(settings, defocus, error);
        if (simulation->guess == NULL)
            return -1;
    }
    if (place(simulation, error) < 0)
        return -1;
    simulation->object = ff_simulate_object(settings->object, simulation->rows, simulation->columns,
                                            (uint64_t)settings->seed, error);
    simulation->wave = ff_array_create(pixels, sizeof(ff_complex), "a wave", error);
    simulation->intensity = ff_array_create(pixels, sizeof(double), "an intensity", error);
    if (simulation->object == NULL || simulation->wave == NULL || simulation->intensity == NULL)
        return -1;
    simulation->transform = ff_transform_create(simulation->size, simulation->size, error);
    return simulation->transform != NULL ? 0 : -1;
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
    simulation->size = (size_t)settings->size;
    simulation->patterns = (size_t)settings->patterns;
    simulation->modes = (size_t)settings->modes;
    simulation->wavelength_m = ff_simulate_wavelength_m(settings);
    simulation->object_pixel_m = ff_simulate_object_pixel_m(settings);
    if (fill(simulation, error) == 0)
        return simulation;
    ff_simulation_destroy(simulation);
    return NULL;
}

void ff_simulation_destroy(struct ff_simulation *simulation)
{
    if (simulation == NULL)
        return;
    ff_transform_destroy(simulation->transform);
    free(simulation->object);
    free(simulation->probe);
    free(simulation->guess);
    free(simulation->positions);
    free(simulation->wave);
    free(simulation->intensity);
    free(simulation);
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

static void add_mode(struct ff_simulation *simulation, size_t index, size_t mode)
{
    size_t size = simulation->size;
    size_t pixels = size * size;
    const ff_complex *probe = simulation->probe + mode * pixels;
    const double *corner = simulation->positions + 2 * index;
    for (size_t i = 0; i < pixels; i++)
        simulation->wave[i] = probe[i] * object_at(simulation, corner[0] + (double)(i / size),
                                                   corner[1] + (double)(i % size));
    ff_transform_run(simulation->transform, FF_TRANSFORM_FORWARD, simulation->wave);
    for (size_t i = 0; i < pixels; i++) {
        double re = (double)crealf(simulation->wave[i]);
        double im = (double)cimagf(simulation->wave[i]);
        simulation->intensity[i] += re * re + im * im;
    }
}

void ff_simulation_pattern(struct ff_simulation *simulation, size_t index, uint16_t *counts)
{
    size_t size = simulation->size;
    /* Apart by more numbers than one pattern can draw in any practical case. */
    struct ff_random random =
        ff_random_seed((uint64_t)simulation->settings.seed + ((uint64_t)index << 40));
    memset(simulation->intensity, 0, size * size * sizeof *simulation->intensity);
    for (size_t m = 0; m < simulation->modes; m++)
        add_mode(simulation, index, m);
    for (size_t i = 0; i < size * size; i++) {
        double mean = simulation->intensity[i];
        double count = simulation->settings.noise == FF_SIMULATE_POISSON
                           ? ff_simulate_poisson(&random, mean)
                           : round(mean);
        simulation->saturated += count > COUNT_MAX;
        size_t to = (i / size + size / 2) % size * size + (i % size + size / 2) % size;
        counts[to] = (uint16_t)fmin(count, COUNT_MAX);
    }
}
