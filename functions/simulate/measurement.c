#include "functions/simulate/measurement.h"

#include "functions/reconstruct/constants.h"
#include "functions/simulate/crew.h"
#include "functions/simulate/detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct taking {
    const struct ff_simulation *simulation;
    const uint8_t *measured;
    uint16_t *u16; /* one of the two */
    float *f32;
    double *totals; /* of each frame */
};

/* Far-field frames have their DC in the middle, measurements at the corner. What is not measured is
 * 0. */
static void take_frame(void *user, size_t frame, const double *counts)
{
    struct taking *taking = user;
    size_t size = taking->simulation->size;
    size_t shift = taking->simulation->transfer != NULL ? 0 : size / 2;
    double total = 0;
    for (size_t i = 0; i < size * size; i++) {
        double count = counts[(i / size + shift) % size * size + (i % size + shift) % size];
        bool use = taking->measured == NULL || taking->measured[i];
        if (!use)
            count = 0;
        total += count;
        if (taking->u16 != NULL)
            taking->u16[frame * size * size + i] = (uint16_t)count;
        else
            taking->f32[frame * size * size + i] = (float)count;
    }
    taking->totals[frame] = total;
}

/* NULL where every pixel may be used: gaps show themselves, the others only the file's mask. */
static int take_mask(const struct ff_simulation *simulation, struct ff_measurement *measurement,
                     struct ff_error *error)
{
    size_t size = simulation->size;
    size_t shift = simulation->transfer != NULL ? 0 : size / 2;
    size_t bad = 0;
    uint8_t *measured = ff_array_create(size * size, 1, "the mask", error);
    if (measured == NULL)
        return -1;
    for (size_t i = 0; i < size * size; i++) {
        size_t from = (i / size + shift) % size * size + (i % size + shift) % size;
        uint8_t pixel = simulation->pixels[from];
        measured[i] = pixel == FF_PIXEL_GOOD ||
                      (simulation->settings.mask == FF_SIMULATE_NO_MASK && pixel != FF_PIXEL_GAP);
        bad += !measured[i];
    }
    if (bad > 0)
        measurement->measured = measured;
    else
        free(measured);
    return 0;
}

static int take_frames(struct ff_simulation *simulation, struct ff_measurement *measurement,
                       struct ff_error *error)
{
    size_t elements =
        ff_array_elements(simulation->frame_count, simulation->size, simulation->size);
    struct taking taking = {.simulation = simulation, .measured = measurement->measured};
    struct ff_simulation_crew *crew = ff_simulation_crew_create(simulation, error);
    taking.totals =
        ff_array_create(simulation->frame_count, sizeof *taking.totals, "the sums", error);
    if (simulation->settings.type == FF_SIMULATE_U16)
        measurement->counts.u16 = taking.u16 =
            ff_array_create(elements, sizeof *taking.u16, "the frames", error);
    else
        measurement->counts.f32 = taking.f32 =
            ff_array_create(elements, sizeof *taking.f32, "the frames", error);
    int result = crew != NULL && taking.totals != NULL && (taking.u16 != NULL || taking.f32 != NULL)
                     ? 0
                     : -1;
    if (result == 0)
        ff_simulation_crew_run(crew, 0, simulation->frame_count, take_frame, &taking);
    for (size_t n = 0; result == 0 && n < simulation->frame_count; n++)
        measurement->total_counts += taking.totals[n];
    ff_simulation_crew_destroy(crew);
    free(taking.totals);
    return result;
}

static int take_probe(const struct ff_simulation *simulation, struct ff_measurement *measurement,
                      struct ff_error *error)
{
    if (simulation->guess == NULL)
        return 0;
    size_t elements = simulation->modes * simulation->probe_size * simulation->probe_size;
    measurement->probe = ff_array_create(elements, sizeof(ff_complex), "the probe", error);
    if (measurement->probe == NULL)
        return -1;
    memcpy(measurement->probe, simulation->guess, elements * sizeof(ff_complex));
    measurement->probe_modes = simulation->modes;
    measurement->probe_rows = measurement->probe_columns = simulation->probe_size;
    return 0;
}

static int take_positions(const struct ff_simulation *simulation,
                          struct ff_measurement *measurement, struct ff_error *error)
{
    size_t values = 2 * simulation->fly;
    measurement->positions_m =
        ff_array_create(ff_array_elements(simulation->frame_count, values, 1), sizeof(double),
                        "the positions", error);
    if (measurement->positions_m == NULL)
        return -1;
    for (size_t n = 0; n < simulation->frame_count; n++)
        for (size_t i = 0; i < values; i++)
            measurement->positions_m[n * values + i] =
                simulation->stated[simulation->frames[n] * values + i] * simulation->object_pixel_m;
    return 0;
}

int ff_simulation_measure(struct ff_simulation *simulation, struct ff_measurement *measurement,
                          struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    *measurement = (struct ff_measurement){
        .patterns = simulation->frame_count,
        .fly = simulation->fly,
        .near_field = simulation->transfer != NULL,
        .rows = simulation->size,
        .columns = simulation->size,
        .wavelength_m = simulation->wavelength_m,
        .energy_J = settings->energy_eV * FF_ELECTRON_V_J,
        .distance_m = settings->distance_m,
        .detector_pixel_m = {settings->pixel_um * 1e-6, settings->pixel_um * 1e-6},
    };
    if (take_positions(simulation, measurement, error) < 0 ||
        take_probe(simulation, measurement, error) < 0 ||
        take_mask(simulation, measurement, error) < 0)
        return -1;
    return take_frames(simulation, measurement, error);
}
