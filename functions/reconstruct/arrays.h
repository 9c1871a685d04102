/*
 * functions/reconstruct/arrays.h: shapes and memory of the numeric arrays.
 *
 * All arrays are dense, row-major (the last index is contiguous), and aligned to 64 bytes. Complex values are pairs of
 * float (re, im), the memory layout of C's float complex and of fftwf_complex.
 */
#ifndef FF_RECONSTRUCT_ARRAYS_H
#define FF_RECONSTRUCT_ARRAYS_H

#include "protocol/core/error.h"

#include <stddef.h>
#include <stdint.h>

typedef _Complex float ff_complex;

enum { FF_ALIGNMENT = 64 };

/* `count` × `size` bytes, zeroed and aligned; NULL with FF_NO_MEMORY, also when the product overflows. `what` names
 * the array in the message. Free with free(). */
void *ff_array_create(size_t count, size_t size, const char *what,
                      struct ff_error *error) FF_MUST_USE;

/* a × b × c, or SIZE_MAX when it does not fit. */
size_t ff_array_elements(size_t a, size_t b, size_t c);

/* The least and the greatest of each coordinate of `points` (count, 2), count ≥ 1. */
void ff_array_box(const double *points, size_t count, double low[2], double high[2]);

/* Ascending, in place. */
void ff_array_sort(double *values, size_t count);

#endif
