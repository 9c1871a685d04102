#include "functions/simulate/variation.h"

#include "functions/reconstruct/refine/modes.h"
#include "functions/simulate/draw.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* A pattern is never darker than this, whatever was drawn. */
static const double least_intensity = 0.05;

/* Powers of x and y about the middle of the window: x, y, xy, x², y², x²y, … */
static void fill_polynomial(const struct ff_simulation *simulation, size_t number, ff_complex *to)
{
    static const unsigned char powers[][2] = {{0, 1}, {1, 0}, {1, 1}, {0, 2}, {2, 0}, {1, 2},
                                              {2, 1}, {2, 2}, {0, 3}, {3, 0}, {1, 3}, {3, 1},
                                              {2, 3}, {3, 2}, {3, 3}, {0, 4}};
    size_t size = simulation->probe_size;
    double half = (double)(size / 2);
    for (size_t i = 0; i < size * size; i++) {
        double y = ((double)(i / size) - half) / half;
        double x = ((double)(i % size) - half) / half;
        float factor = (float)(pow(y, powers[number][0]) * pow(x, powers[number][1]));
        to[i] = simulation->probe[i] * factor * (number % 2 == 0 ? (ff_complex)I : 1);
    }
}

/* to -= <from, to> / |from|² from */
static void remove_part(const ff_complex *from, ff_complex *to, size_t pixels)
{
    double complex product = 0;
    for (size_t i = 0; i < pixels; i++)
        product += (double complex)conjf(from[i]) * (double complex)to[i];
    ff_complex part = (ff_complex)(product / ff_modes_power(from, pixels));
    for (size_t i = 0; i < pixels; i++)
        to[i] -= part * from[i];
}

static int make_eigenprobes(struct ff_simulation *simulation, struct ff_error *error)
{
    size_t pixels = simulation->probe_size * simulation->probe_size;
    size_t count = simulation->eigenprobe_count;
    double power = ff_modes_power(simulation->probe, pixels);
    simulation->eigenprobes = ff_array_create(ff_array_elements(count, pixels, 1),
                                              sizeof(ff_complex), "the eigenprobes", error);
    if (simulation->eigenprobes == NULL)
        return -1;
    for (size_t c = 0; c < count; c++) {
        ff_complex *own = simulation->eigenprobes + c * pixels;
        fill_polynomial(simulation, c, own);
        remove_part(simulation->probe, own, pixels);
        for (size_t before = 0; before < c; before++)
            remove_part(simulation->eigenprobes + before * pixels, own, pixels);
        ff_modes_rescale(own, 1, pixels, power);
    }
    return 0;
}

/* Half a period more over the scan for each, with a quarter of the strength drawn anew. */
static int make_weights(struct ff_simulation *simulation, struct ff_error *error)
{
    size_t count = simulation->eigenprobe_count;
    double strength = simulation->settings.variation_percent / 100;
    simulation->weights = ff_array_create(ff_array_elements(simulation->patterns, count, 1),
                                          sizeof(double), "the weights", error);
    if (simulation->weights == NULL)
        return -1;
    for (size_t n = 0; n < simulation->patterns; n++) {
        struct ff_random random = ff_simulate_stream(simulation->settings.seed, n, FF_DRAW_WEIGHTS);
        double time = (double)n / (double)simulation->patterns;
        for (size_t c = 0; c < count; c++)
            simulation->weights[n * count + c] =
                strength *
                (M_SQRT2 * cos(M_PI * (double)(c + 1) * time) + 0.25 * ff_simulate_normal(&random));
    }
    return 0;
}

static int make_intensities(struct ff_simulation *simulation, struct ff_error *error)
{
    double strength = simulation->settings.fluctuation_percent / 100;
    simulation->intensities =
        ff_array_create(simulation->patterns, sizeof(double), "the intensities", error);
    if (simulation->intensities == NULL)
        return -1;
    for (size_t n = 0; n < simulation->patterns; n++) {
        struct ff_random random =
            ff_simulate_stream(simulation->settings.seed + 1, n, FF_DRAW_WEIGHTS);
        simulation->intensities[n] =
            fmax(least_intensity, 1 + strength * ff_simulate_normal(&random));
    }
    return 0;
}

static void mark(struct ff_simulation *simulation, struct ff_random *random, size_t count,
                 enum ff_simulate_fault fault)
{
    while (count > 0) {
        size_t n = (size_t)ff_random_below(random, (uint32_t)simulation->patterns);
        if (simulation->faults[n] != FF_SIMULATE_WHOLE)
            continue;
        simulation->faults[n] = (uint8_t)fault;
        count--;
    }
}

static int make_faults(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    struct ff_random random = ff_random_seed((uint64_t)settings->seed ^ 0xfa017u);
    int64_t faulty = settings->dropped + settings->empty + settings->bright;
    if (faulty > settings->patterns / 2)
        return ff_fail(error, FF_INVALID_SETTING,
                       "dropped, empty and bright frames would be %lld of %lld; at most half may",
                       (long long)faulty, (long long)settings->patterns);
    simulation->faults = ff_array_create(simulation->patterns, 1, "the faults", error);
    simulation->frames =
        ff_array_create(simulation->patterns, sizeof *simulation->frames, "the frames", error);
    if (simulation->faults == NULL || simulation->frames == NULL)
        return -1;
    mark(simulation, &random, (size_t)settings->dropped, FF_SIMULATE_DROPPED);
    mark(simulation, &random, (size_t)settings->empty, FF_SIMULATE_EMPTY);
    mark(simulation, &random, (size_t)settings->bright, FF_SIMULATE_BRIGHT);
    for (size_t n = 0; n < simulation->patterns; n++)
        if (simulation->faults[n] != FF_SIMULATE_DROPPED)
            simulation->frames[simulation->frame_count++] = n;
    return 0;
}

int ff_simulate_variation(struct ff_simulation *simulation, struct ff_error *error)
{
    if (simulation->eigenprobe_count > 0 &&
        (make_eigenprobes(simulation, error) < 0 || make_weights(simulation, error) < 0))
        return -1;
    if (make_intensities(simulation, error) < 0)
        return -1;
    return make_faults(simulation, error);
}
