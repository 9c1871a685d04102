/*
 * functions/simulate/geometry.h: what settings leave open, and the lengths that follow from them.
 */
#ifndef FF_SIMULATE_GEOMETRY_H
#define FF_SIMULATE_GEOMETRY_H

#include "functions/simulate/settings.h"

/* Puts what is usual where the settings leave it open: the probe, distance and pixel of the field,
 * the numbers of the format. FF_INVALID_SETTING where settings contradict each other. */
int ff_simulate_complete(struct ff_simulate_settings *settings, struct ff_error *error) FF_MUST_USE;

/* Of complete settings. */
size_t ff_simulate_window(
    const struct ff_simulate_settings *settings); /* of the probe, in pixels */
double ff_simulate_wavelength_m(const struct ff_simulate_settings *settings);
double ff_simulate_object_pixel_m(const struct ff_simulate_settings *settings);

#endif
