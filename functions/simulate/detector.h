/*
 * functions/simulate/detector.h: what a detector makes of an intensity.
 */
#ifndef FF_SIMULATE_DETECTOR_H
#define FF_SIMULATE_DETECTOR_H

#include "functions/simulate/draw.h"
#include "functions/simulate/settings.h"

#include "functions/reconstruct/arrays.h"

enum ff_simulate_pixel {
    FF_PIXEL_GOOD,
    FF_PIXEL_GAP,    /* no detector: the largest number of the type, or NaN */
    FF_PIXEL_DEAD,   /* always 0 */
    FF_PIXEL_HOT,    /* always the same large number */
    FF_PIXEL_STOPPED /* behind the beam stop: background alone */
};

/* (size, size), laid out like a frame; one of enum ff_simulate_pixel each. The caller frees. */
uint8_t *ff_simulate_pixels(const struct ff_simulate_settings *settings,
                            struct ff_error *error) FF_MUST_USE;

/* Intensities of (size, size) pixels into counts, in place. Gaps become NaN. Returns how many good
 * pixels were cut off because they counted more than they can. */
size_t ff_simulate_detect(const struct ff_simulate_settings *settings, const uint8_t *pixels,
                          struct ff_random *random, double *values);

/* Bytes of one number of a type. */
size_t ff_simulate_type_bytes(int type);

/* `count` counts as numbers of `type`; NaN becomes the largest where there is no NaN. */
void ff_simulate_store(int type, const double *values, size_t count, void *to);

#endif
