/*
 * functions/simulate/simulation.h: a scan whose truth is known, pattern by pattern.
 */
#ifndef FF_SIMULATE_SIMULATION_H
#define FF_SIMULATE_SIMULATION_H

#include "functions/simulate/settings.h"

#include "functions/reconstruct/arrays.h"

/* Pixels of the object around the scan. */
enum { FF_SIMULATION_MARGIN = 8 };

struct ff_transform;

struct ff_simulation {
    struct ff_simulate_settings settings; /* its texts are borrowed */
    size_t size, patterns, modes;
    size_t rows, columns; /* of the object */
    ff_complex *object;   /* the truth */
    ff_complex *probe;    /* the truth: (modes, size, size) */
    ff_complex *guess;    /* what a file offers to begin with: as `probe`, or NULL */
    double *positions;    /* (N, 2): row and column of the minimum corner of each patch */
    double wavelength_m, object_pixel_m;
    size_t saturated; /* pixels so far that counted more than 16 bit hold */
    struct ff_transform *transform;
    ff_complex *wave; /* workspace of a pattern */
    double *intensity;
};

struct ff_simulation *ff_simulation_create(const struct ff_simulate_settings *settings,
                                           struct ff_error *error) FF_MUST_USE;
void ff_simulation_destroy(struct ff_simulation *simulation);

/* Counts of pattern `index` into (size, size), DC in the middle. Each pattern draws its own noise
 * from seed and index, whatever the order. */
void ff_simulation_pattern(struct ff_simulation *simulation, size_t index, uint16_t *counts);

#endif
