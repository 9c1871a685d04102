/*
 * functions/simulate/waves.h: smooth random fields.
 */
#ifndef FF_SIMULATE_WAVES_H
#define FF_SIMULATE_WAVES_H

#include "functions/reconstruct/arrays.h"

/* Fills (rows, columns) with a sum of plane waves of random direction, none shorter than
 * `finest_px`; mean about 0, variance about 1, and no value beyond ±FF_WAVES_PEAK. */
#define FF_WAVES_PEAK 5.66f
int ff_simulate_waves(float *field, size_t rows, size_t columns, double finest_px, uint64_t seed,
                      struct ff_error *error) FF_MUST_USE;

#endif
