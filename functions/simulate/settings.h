/*
 * functions/simulate/settings.h: the settings of `simulate`, under one name everywhere.
 */
#ifndef FF_SIMULATE_SETTINGS_H
#define FF_SIMULATE_SETTINGS_H

#include "functions/option_table.h"

/* In the order of the choices in settings.c. */
enum ff_simulate_noise { FF_SIMULATE_POISSON, FF_SIMULATE_NONE };
enum ff_simulate_guess { FF_SIMULATE_NEAR, FF_SIMULATE_EXACT, FF_SIMULATE_NO_GUESS };

struct ff_simulate_settings {
    char *object; /* "siemens", "coins", or a PNG file */
    char *output; /* required */
    int64_t size; /* pixels of a frame's side */
    int64_t patterns;
    double overlap;
    double jitter; /* of the positions, in steps */
    double counts; /* in a pattern of an empty object */
    int64_t modes;
    double defocus_um;
    double energy_eV;
    double distance_m;
    double pixel_um;
    int noise;
    int guess; /* the probe that the file offers to begin with */
    int64_t seed;
};

extern const struct ff_option_table ff_simulate_table;

#endif
