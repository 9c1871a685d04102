#include "functions/simulate/geometry.h"

#include "functions/reconstruct/constants.h"
#include "functions/simulate/format.h"

enum { WINDOW_MIN = 16 };

size_t ff_simulate_window(const struct ff_simulate_settings *settings)
{
    return (size_t)(settings->size - settings->pad);
}

double ff_simulate_wavelength_m(const struct ff_simulate_settings *settings)
{
    return FF_PLANCK_J_S * FF_LIGHT_M_S / (settings->energy_eV * FF_ELECTRON_V_J);
}

double ff_simulate_object_pixel_m(const struct ff_simulate_settings *settings)
{
    double pixel_m = settings->pixel_um * 1e-6;
    if (settings->field == FF_SIMULATE_NEAR_FIELD)
        return pixel_m;
    return ff_simulate_wavelength_m(settings) * settings->distance_m /
           ((double)settings->size * pixel_m);
}

static int take_format(struct ff_simulate_settings *settings, struct ff_error *error)
{
    const struct ff_simulate_format *format = ff_simulate_format(settings->format);
    const char *name = ff_simulate_format_names[settings->format];
    if (format->floats)
        settings->type = FF_SIMULATE_FLOAT;
    if (format->container == FF_SIMULATE_NPZ && settings->compression != FF_SIMULATE_CONTIGUOUS) {
        ff_fail(error, FF_INVALID_SETTING, "the format %s cannot be compressed", name);
        return ff_hint(error, "compression is for formats that are HDF5");
    }
    if (format->corner && settings->field == FF_SIMULATE_NEAR_FIELD) {
        ff_fail(error, FF_INVALID_SETTING,
                "the format %s puts the beam at element 0, where a near field has none", name);
        return ff_hint(error, "take another format, or field=far");
    }
    return 0;
}

int ff_simulate_complete(struct ff_simulate_settings *settings, struct ff_error *error)
{
    bool near = settings->field == FF_SIMULATE_NEAR_FIELD;
    if (settings->size - settings->pad < WINDOW_MIN)
        return ff_fail(error, FF_INVALID_SETTING,
                       "a frame of %lld pixels with a pad of %lld leaves the probe "
                       "a window of %lld; at least %d are needed",
                       (long long)settings->size, (long long)settings->pad,
                       (long long)(settings->size - settings->pad), WINDOW_MIN);
    if (settings->probe == FF_SIMULATE_USUAL_PROBE)
        settings->probe = near ? FF_SIMULATE_DIFFUSER : FF_SIMULATE_ZONE_PLATE;
    if (settings->distance_m <= 0)
        settings->distance_m = near ? 0.05 : 1.92;
    if (settings->pixel_um <= 0)
        settings->pixel_um = near ? 1 : 75;
    return take_format(settings, error);
}
