#include "functions/simulate/beam.h"

#include "functions/reconstruct/constants.h"
#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/transform.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bright disc on the detector, and the shadow of the stop in it, by its side and radius. */
static const double disc_share = 0.2;
static const double stop_share = 0.3;
static const double next_mode_power = 1.0 / 3;

double ff_simulate_wavelength_m(const struct ff_simulate_settings *settings)
{
    return FF_PLANCK_J_S * FF_LIGHT_M_S / (settings->energy_eV * FF_ELECTRON_V_J);
}

double ff_simulate_object_pixel_m(const struct ff_simulate_settings *settings)
{
    return ff_simulate_wavelength_m(settings) * settings->distance_m /
           ((double)settings->size * settings->pixel_um * 1e-6);
}

/* The wave behind the lens, in the far field, DC in the middle; mode m has m phase fringes more
 * across it, which makes modes that differ as a vibrating mirror's do. */
static void fill_pupil(ff_complex *pupil, const struct ff_simulate_settings *settings,
                       double defocus, size_t mode)
{
    size_t size = (size_t)settings->size;
    double step = 1 / ((double)size * ff_simulate_object_pixel_m(settings)); /* of frequency */
    double curvature = M_PI * ff_simulate_wavelength_m(settings) * settings->defocus_um * 1e-6 *
                       defocus * step * step;
    double radius = disc_share * (double)size;
    for (size_t i = 0; i < size * size; i++) {
        double y = (double)(i / size) - (double)(size / 2);
        double x = (double)(i % size) - (double)(size / 2);
        double r = hypot(y, x);
        /* Edges fall within two pixels: a sharp one would ring over the whole window. */
        double open =
            1 / (1 + exp(2 * (r - radius))) * 1 / (1 + exp(2 * (stop_share * radius - r)));
        double tilt = mode == 0 ? 0 : (mode % 2 ? y : x) / radius * (double)((mode + 1) / 2);
        double phase = -curvature * r * r + 2.5 * tilt;
        pupil[i] = (float)(open * cos(phase)) + (float)(open * sin(phase)) * (ff_complex)I;
    }
}

static int fill_mode(ff_complex *mode, const struct ff_simulate_settings *settings, double defocus,
                     size_t number, struct ff_error *error)
{
    size_t size = (size_t)settings->size;
    ff_complex *work = ff_array_create(size * size, sizeof *work, "the beam", error);
    struct ff_transform *transform = work != NULL ? ff_transform_create(size, size, error) : NULL;
    if (transform != NULL) {
        fill_pupil(mode, settings, defocus, number);
        ff_shift_to_corner(mode, size, size, work);
        ff_transform_run(transform, FF_TRANSFORM_INVERSE, work);
        ff_shift_to_middle(work, size, size, mode);
    }
    int result = transform != NULL ? 0 : -1;
    ff_transform_destroy(transform);
    free(work);
    return result;
}

ff_complex *ff_simulate_beam(const struct ff_simulate_settings *settings, double defocus,
                             struct ff_error *error)
{
    size_t pixels = (size_t)(settings->size * settings->size);
    size_t modes = (size_t)settings->modes;
    ff_complex *probe =
        ff_array_create(ff_array_elements(modes, pixels, 1), sizeof *probe, "the beam", error);
    int result = probe != NULL ? 0 : -1;
    double power = 1;
    for (size_t m = 0; result == 0 && m < modes; m++, power *= next_mode_power) {
        result = fill_mode(probe + m * pixels, settings, defocus, m, error);
        ff_modes_rescale(probe + m * pixels, 1, pixels, power);
    }
    if (result == 0)
        result = ff_modes_orthogonalise(probe, modes, pixels, error);
    if (result < 0) {
        free(probe);
        return NULL;
    }
    ff_modes_rescale(probe, modes, pixels, settings->counts);
    return probe;
}

double ff_simulate_beam_width(const ff_complex *probe, size_t size)
{
    double total = ff_modes_power(probe, size * size);
    for (size_t radius = 1; radius < size; radius++) {
        double inside = 0;
        for (size_t i = 0; i < size * size; i++)
            if (hypot((double)(i / size) - (double)(size / 2),
                      (double)(i % size) - (double)(size / 2)) <= (double)radius)
                inside += ff_modes_power(probe + i, 1);
        if (inside >= total / 2)
            return 2 * (double)radius;
    }
    return (double)size;
}
