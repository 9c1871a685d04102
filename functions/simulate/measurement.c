#include "functions/simulate/measurement.h"

#include "functions/reconstruct/constants.h"

#include <stdlib.h>
#include <string.h>

/* Frames have their DC in the middle, measurements at the corner. */
static void take_frame(const uint16_t *frame, size_t size, uint16_t *to, double *total)
{
    for (size_t i = 0; i < size * size; i++) {
        size_t from = (i / size + size / 2) % size * size + (i % size + size / 2) % size;
        to[i] = frame[from];
        *total += frame[from];
    }
}

static int take_frames(struct ff_simulation *simulation, struct ff_measurement *measurement,
                       struct ff_error *error)
{
    size_t pixels = simulation->size * simulation->size;
    uint16_t *frame = ff_array_create(pixels, sizeof *frame, "a frame", error);
    uint16_t *all = ff_array_create(ff_array_elements(simulation->patterns, pixels, 1), sizeof *all,
                                    "the frames", error);
    measurement->counts.u16 = all;
    if (frame == NULL || all == NULL) {
        free(frame);
        return -1;
    }
    for (size_t n = 0; n < simulation->patterns; n++) {
        ff_simulation_pattern(simulation, n, frame);
        take_frame(frame, simulation->size, all + n * pixels, &measurement->total_counts);
    }
    free(frame);
    return 0;
}

static int take_probe(const struct ff_simulation *simulation, struct ff_measurement *measurement,
                      struct ff_error *error)
{
    if (simulation->guess == NULL)
        return 0;
    size_t elements = simulation->modes * simulation->size * simulation->size;
    measurement->probe = ff_array_create(elements, sizeof(ff_complex), "the probe", error);
    if (measurement->probe == NULL)
        return -1;
    memcpy(measurement->probe, simulation->guess, elements * sizeof(ff_complex));
    measurement->probe_modes = simulation->modes;
    measurement->probe_rows = measurement->probe_columns = simulation->size;
    return 0;
}

int ff_simulation_measure(struct ff_simulation *simulation, struct ff_measurement *measurement,
                          struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    *measurement = (struct ff_measurement){
        .patterns = simulation->patterns,
        .fly = 1,
        .rows = simulation->size,
        .columns = simulation->size,
        .wavelength_m = simulation->wavelength_m,
        .energy_J = settings->energy_eV * FF_ELECTRON_V_J,
        .distance_m = settings->distance_m,
        .detector_pixel_m = {settings->pixel_um * 1e-6, settings->pixel_um * 1e-6},
    };
    measurement->positions_m =
        ff_array_create(simulation->patterns, 2 * sizeof(double), "the positions", error);
    if (measurement->positions_m == NULL || take_probe(simulation, measurement, error) < 0)
        return -1;
    for (size_t i = 0; i < 2 * simulation->patterns; i++)
        measurement->positions_m[i] = simulation->positions[i] * simulation->object_pixel_m;
    return take_frames(simulation, measurement, error);
}
