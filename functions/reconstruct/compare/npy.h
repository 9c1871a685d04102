/*
 * functions/reconstruct/compare/npy.h: arrays that numpy.save wrote (format 1.0 to 3.0).
 */
#ifndef FF_RECONSTRUCT_COMPARE_NPY_H
#define FF_RECONSTRUCT_COMPARE_NPY_H

#include "functions/reconstruct/arrays.h"

/* Reads rows × columns of little-endian real or complex floats, C order; of an array with more axes
 * the first such plane. FF_INPUT_INVALID for all else. The caller frees *values. */
int ff_npy_read(const char *path, size_t *rows, size_t *columns, ff_complex **values,
                struct ff_error *error) FF_MUST_USE;

#endif
