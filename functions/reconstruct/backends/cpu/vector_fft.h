/*
 * functions/reconstruct/backends/cpu/vector_fft.h: an own two-dimensional transform for powers of
 * two, made for waves that lie in cache.
 *
 * One lane of a vector is one column, so the columns need no exchange between lanes; the rows need
 * one transpose in registers (Bailey, "FFTs in external or hierarchical memory", J. Supercomputing
 * 4, 1990). Input and output are in natural order. A wave's row is a sequence of blocks: the real
 * parts of `lanes` columns, then their imaginary parts.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_FFT_H
#define FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_FFT_H

#include "protocol/core/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ff_vector_code;
struct ff_vector_fft;

/* The code of number `index`, narrowest first, or NULL; `runs` tells whether this CPU can run it. */
const struct ff_vector_code *ff_vector_code_at(unsigned index, bool *runs);

/* The widest that this CPU can run; NULL where it has neither AVX2 nor AVX-512. */
const struct ff_vector_code *ff_vector_code_choose(void);

const char *ff_vector_code_name(const struct ff_vector_code *code);
size_t ff_vector_code_lanes(const struct ff_vector_code *code);

/* Whether both are powers of two from 32 to 1024. */
bool ff_vector_fft_takes(size_t rows, size_t columns);

/* Transforms of (rows, columns) that ff_vector_fft_takes, rows `stride` ≥ columns complex values
 * apart. Rows that are an odd number of cache lines apart are fastest. The same code gives the same
 * bits, always. */
struct ff_vector_fft *ff_vector_fft_create(const struct ff_vector_code *code, size_t rows,
                                           size_t columns, size_t stride,
                                           struct ff_error *error) FF_MUST_USE;

/* In place, unnormalised. Any thread; up to 128 KB of its stack. */
void ff_vector_fft_forward(const struct ff_vector_fft *fft, float *wave);
void ff_vector_fft_inverse(const struct ff_vector_fft *fft, float *wave);
void ff_vector_fft_destroy(struct ff_vector_fft *fft);

#endif
