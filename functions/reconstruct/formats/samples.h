/*
 * functions/reconstruct/formats/samples.h: loops over the values of a frame.
 */
#ifndef FF_RECONSTRUCT_FORMATS_SAMPLES_H
#define FF_RECONSTRUCT_FORMATS_SAMPLES_H

#include "functions/reconstruct/formats/frames.h"

/* `count` values from element `offset` on, `step` apart, as float. */
void ff_samples_load(enum ff_sample sample, const void *values, ptrdiff_t offset, ptrdiff_t step,
                     size_t count, float *to);

/* Amplitudes to intensities. */
void ff_samples_square(float *values, size_t count);

/* The sum of a pattern. Where `measured` (or NULL) has a 0 the pattern is set to 0, too. */
double ff_samples_sum_u16(uint16_t *pattern, size_t count, const uint8_t *measured);
double ff_samples_sum_f32(float *pattern, size_t count, const uint8_t *measured);

#endif
