#include "functions/simulate/beam.h"

#include "functions/reconstruct/refine/modes.h"
#include "functions/reconstruct/transform.h"
#include "functions/simulate/geometry.h"
#include "functions/simulate/waves.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bright disc on the detector, and the shadow of the stop in it, by its side and radius. */
static const double disc_share = 0.2;
static const double stop_share = 0.3;
static const double next_mode_power = 1.0 / 3;
/* The light of a diffuser, and the details in it, by the window. */
static const double diffuser_share = 0.3;
static const double diffuser_detail = 1.0 / 12;
static const double diffuser_phase = 1.5;
static const double gaussian_share = 0.25;

static ff_complex wave_of(double amplitude, double phase)
{
    return (float)(amplitude * cos(phase)) + (float)(amplitude * sin(phase)) * (ff_complex)I;
}

/* The wave behind the lens, in the far field, DC in the middle; mode m has m phase fringes more
 * across it, which makes modes that differ as a vibrating mirror's do. */
static void fill_pupil(ff_complex *pupil, const struct ff_simulate_settings *settings,
                       double defocus, size_t mode)
{
    size_t size = ff_simulate_window(settings);
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
        pupil[i] = wave_of(open, -curvature * r * r + 2.5 * tilt);
    }
}

static int fill_zone_plate(ff_complex *mode, const struct ff_simulate_settings *settings,
                           double defocus, size_t number, struct ff_error *error)
{
    size_t size = ff_simulate_window(settings);
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

/* A bell, slightly divergent, or it would be its own twin; mode m has m lobes more. */
static int fill_gaussian(ff_complex *mode, const struct ff_simulate_settings *settings,
                         double likeness, size_t number)
{
    size_t size = ff_simulate_window(settings);
    double width = settings->probe_px > 0 ? settings->probe_px : gaussian_share * (double)size;
    double sigma = likeness * width / 2.3548;
    for (size_t i = 0; i < size * size; i++) {
        double y = ((double)(i / size) - (double)(size / 2)) / sigma;
        double x = ((double)(i % size) - (double)(size / 2)) / sigma;
        double lobes = pow(number % 2 ? y : x, (double)((number + 1) / 2));
        double r2 = y * y + x * x;
        mode[i] = wave_of((number == 0 ? 1 : lobes) * exp(-r2 / 4), 0.4 * r2 + 0.3 * y * x);
    }
    return 0;
}

static int fill_diffuser(ff_complex *mode, const struct ff_simulate_settings *settings,
                         double likeness, size_t number, struct ff_error *error)
{
    size_t size = ff_simulate_window(settings);
    double finest = settings->probe_px > 0 ? settings->probe_px : diffuser_detail * (double)size;
    float *field = ff_array_create(size * size, sizeof *field, "the diffuser", error);
    int result = field == NULL
                     ? -1
                     : ff_simulate_waves(field, size, size, finest,
                                         (uint64_t)settings->seed + 0xd1ffu + number, error);
    for (size_t i = 0; result == 0 && i < size * size; i++) {
        double y = (double)(i / size) - (double)(size / 2);
        double x = (double)(i % size) - (double)(size / 2);
        double edge = 40 / (double)size * (hypot(y, x) - diffuser_share * (double)size);
        mode[i] = wave_of(1 / (1 + exp(edge)), likeness * diffuser_phase * (double)field[i]);
    }
    free(field);
    return result;
}

static int fill_mode(ff_complex *mode, const struct ff_simulate_settings *settings, double likeness,
                     size_t number, struct ff_error *error)
{
    if (settings->probe == FF_SIMULATE_GAUSSIAN)
        return fill_gaussian(mode, settings, likeness, number);
    if (settings->probe == FF_SIMULATE_DIFFUSER)
        return fill_diffuser(mode, settings, likeness, number, error);
    return fill_zone_plate(mode, settings, likeness, number, error);
}

ff_complex *ff_simulate_beam(const struct ff_simulate_settings *settings, double likeness,
                             struct ff_error *error)
{
    size_t pixels = ff_simulate_window(settings) * ff_simulate_window(settings);
    size_t modes = (size_t)settings->modes;
    ff_complex *probe =
        ff_array_create(ff_array_elements(modes, pixels, 1), sizeof *probe, "the beam", error);
    int result = probe != NULL ? 0 : -1;
    double power = 1;
    for (size_t m = 0; result == 0 && m < modes; m++, power *= next_mode_power) {
        result = fill_mode(probe + m * pixels, settings, likeness, m, error);
        ff_modes_rescale(probe + m * pixels, 1, pixels, power);
    }
    if (result == 0)
        result = ff_modes_orthogonalise(probe, modes, pixels, error);
    if (result < 0) {
        free(probe);
        return NULL;
    }
    ff_modes_rescale(probe, modes, pixels, settings->counts / (double)settings->fly);
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
