/*
 * functions/reconstruct/compare/input.h: what can be compared, from files.
 */
#ifndef FF_RECONSTRUCT_COMPARE_INPUT_H
#define FF_RECONSTRUCT_COMPARE_INPUT_H

#include "functions/reconstruct/metrics/estimate.h"

/*
 * `name` is one of:
 *   a result (product HDF5): object, probe, positions;
 *   a scan that `farfield simulate` made: the truth in /simulation;
 *   FILE.h5::/PATH: the object alone, rows × columns, or the first of more;
 *   FILE.npy: the same as a numpy array of real or complex floats;
 *   X-phase.tif with X-amplitude.tif beside it, or either of them by itself (the amplitude is then
 *   1, or the phase 0).
 * FF_INPUT_MISSING or FF_INPUT_INVALID with the file and what is wrong with it.
 */
int ff_compare_input(const char *name, struct ff_estimate *estimate,
                     struct ff_error *error) FF_MUST_USE;

#endif
