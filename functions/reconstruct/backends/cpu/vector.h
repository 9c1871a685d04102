/*
 * functions/reconstruct/backends/cpu/vector.h: what the files kernels_*.c share.
 *
 * They are compiled once for each instruction set, with FF_KERNEL_LANES values a vector and FF_KERNEL_SUFFIX in the
 * names of their tables, and with FF_KERNEL_BLOCKS once more for waves in blocks of a vector. Plain GCC vectors, so the arithmetic is written once; only the root differs. Contraction to
 * fused multiply-add is the compiler's per file and fixed at build time, so one code path gives one set of bits.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_H
#define FF_RECONSTRUCT_BACKENDS_CPU_VECTOR_H

#include "functions/reconstruct/backends/cpu/kernels.h"

#include <immintrin.h>
#include <string.h>

#define FF_KERNEL_JOIN(table, suffix)  table##_##suffix
#define FF_KERNEL_NAMED(table, suffix) FF_KERNEL_JOIN(table, suffix)
#define FF_KERNEL(table)               FF_KERNEL_NAMED(table, FF_KERNEL_SUFFIX)

extern const struct ff_wave_kernels FF_KERNEL(ff_wave_kernels);
extern const struct ff_modulus_kernels FF_KERNEL(ff_modulus_kernels);
extern const struct ff_term_kernels FF_KERNEL(ff_term_kernels);
extern const struct ff_line_kernels FF_KERNEL(ff_line_kernels);
extern const struct ff_field_kernels FF_KERNEL(ff_field_kernels);

enum { L = FF_KERNEL_LANES };

#ifdef FF_REAL_DOUBLE
typedef int64_t ff_word;
#else
typedef int32_t ff_word;
#endif
typedef ff_real vf __attribute__((vector_size(sizeof(ff_real) * L)));
typedef ff_word vi __attribute__((vector_size(sizeof(ff_real) * L)));
typedef uint16_t vh __attribute__((vector_size(2 * L)));
typedef float vs __attribute__((vector_size(4 * L)));

_Static_assert(FF_KERNEL_WIDTH % L == 0, "a row is a whole number of vectors");

#define INLINE static inline __attribute__((always_inline))

/* Smaller than any intensity that matters, and far from where its reciprocal square root would overflow. */
#define TINY ((ff_real)1e-30)

INLINE vf load(const ff_real *from)
{
    vf value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(ff_real *to, vf value)
{
    memcpy(to, &value, sizeof value);
}

/* `left` values, at most a vector, and zeros behind them. */
INLINE vf load_part(const ff_real *from, size_t left)
{
    if (left >= L)
        return load(from);
    vf value = {0};
    memcpy(&value, from, left * sizeof *from);
    return value;
}

INLINE vf all(ff_real value)
{
    return value - (vf){0};
}

/* In the order of the lanes. */
INLINE double sum_of(vf values)
{
    ff_real total = 0;
    for (unsigned i = 0; i < L; i++)
        total += values[i];
    return (double)total;
}

/* The operations that GCC's vectors do not have: the greater of two, and 1/√x, in float by an estimate. */
#ifdef FF_REAL_DOUBLE
_Static_assert(FF_KERNEL_LANES == 2, "in double there is plain x86-64 alone");
INLINE vf larger(vf a, vf b)
{
    return (vf)_mm_max_pd((__m128d)a, (__m128d)b);
}

INLINE vf reciprocal_root(vf x)
{
    return 1.0 / (vf)_mm_sqrt_pd((__m128d)x);
}
#else
#if FF_KERNEL_LANES == 16
INLINE vf larger(vf a, vf b)
{
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}

INLINE vf estimate_root(vf x)
{
    return (vf)_mm512_rsqrt14_ps((__m512)x);
}
#elif FF_KERNEL_LANES == 8
INLINE vf larger(vf a, vf b)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}

INLINE vf estimate_root(vf x)
{
    return (vf)_mm256_rsqrt_ps((__m256)x);
}
#else
INLINE vf larger(vf a, vf b)
{
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
}

INLINE vf estimate_root(vf x)
{
    return (vf)_mm_rsqrt_ps((__m128)x);
}
#endif

/* To an ulp or two: the estimate and one Newton step. */
INLINE vf reciprocal_root(vf x)
{
    vf y = estimate_root(x);
    return y * (1.5f - 0.5f * x * y * y);
}
#endif

/* What is no number stays none: the instruction gives its second operand then. */
INLINE vf smaller(vf a, vf most)
{
    return -larger(-most, -a);
}

/*
 * ln x, x > 0 and no subnormal: x = m 2^e with m in [√½, √2), and ln m = 2 artanh((m-1)/(m+1)), whose series has lost
 * a factor of 34 with each of its terms.
 */
INLINE vf logarithm(vf x)
{
#ifdef FF_REAL_DOUBLE
    enum { MANTISSA = 52, TERMS = 12 };
    const ff_word half_root = 0x3fe6a09e667f3bcd;
#else
    enum { MANTISSA = 23, TERMS = 6 };
    const ff_word half_root = 0x3f3504f3;
#endif
    vi exponent = ((vi)x - half_root) >> MANTISSA;
    vf m = (vf)((vi)x - (exponent << MANTISSA));
    vf s = (m - 1) / (m + 1);
    vf square = s * s;
    vf series = all((ff_real)1 / (2 * TERMS - 1));
    for (int k = TERMS - 2; k >= 0; k--)
        series = series * square + (ff_real)1 / (ff_real)(2 * k + 1);
    return 2 * s * series +
           (ff_real)0.693147180559945309417232 * __builtin_convertvector(exponent, vf);
}

struct pair {
    vf re, im;
};

#ifdef FF_KERNEL_BLOCKS
/* A wave's row is a vector of real parts, one of imaginary parts, and so on. */
INLINE struct pair load_pair(const ff_real *wave)
{
    return (struct pair){load(wave), load(wave + L)};
}

INLINE void store_pair(ff_real *wave, vf re, vf im)
{
    store(wave, re);
    store(wave + L, im);
}

/* Both parts times the factor. */
INLINE void scale_pair(ff_real *wave, vf factor)
{
    store(wave, factor * load(wave));
    store(wave + L, factor * load(wave + L));
}
#else
/* {re0, im0, re1, …} in two vectors ↔ real and imaginary parts. */
#if FF_KERNEL_LANES == 16
#define EVEN ((vi){0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30})
#define ODD  ((vi){1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31})
#define LOW  ((vi){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23})
#define HIGH ((vi){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31})
#elif FF_KERNEL_LANES == 8
#define EVEN ((vi){0, 2, 4, 6, 8, 10, 12, 14})
#define ODD  ((vi){1, 3, 5, 7, 9, 11, 13, 15})
#define LOW  ((vi){0, 8, 1, 9, 2, 10, 3, 11})
#define HIGH ((vi){4, 12, 5, 13, 6, 14, 7, 15})
#elif FF_KERNEL_LANES == 4
#define EVEN ((vi){0, 2, 4, 6})
#define ODD  ((vi){1, 3, 5, 7})
#define LOW  ((vi){0, 4, 1, 5})
#define HIGH ((vi){2, 6, 3, 7})
#else
#define EVEN ((vi){0, 2})
#define ODD  ((vi){1, 3})
#define LOW  ((vi){0, 2})
#define HIGH ((vi){1, 3})
#endif

INLINE struct pair load_pair(const ff_real *wave)
{
    vf a = load(wave);
    vf b = load(wave + L);
    return (struct pair){__builtin_shuffle(a, b, EVEN), __builtin_shuffle(a, b, ODD)};
}

INLINE void store_pair(ff_real *wave, vf re, vf im)
{
    store(wave, __builtin_shuffle(re, im, LOW));
    store(wave + L, __builtin_shuffle(re, im, HIGH));
}

/* Both parts times the factor. */
INLINE void scale_pair(ff_real *wave, vf factor)
{
    store(wave, load(wave) * __builtin_shuffle(factor, factor, LOW));
    store(wave + L, load(wave + L) * __builtin_shuffle(factor, factor, HIGH));
}
#endif

INLINE struct pair load_planes(struct ff_planes planes, size_t row, size_t column)
{
    size_t at = row * planes.stride + column;
    return (struct pair){load(planes.re + at), load(planes.im + at)};
}

INLINE void store_planes(struct ff_planes planes, size_t row, size_t column, struct pair value)
{
    size_t at = row * planes.stride + column;
    store(planes.re + at, value.re);
    store(planes.im + at, value.im);
}

INLINE struct pair times(struct pair a, struct pair b)
{
    return (struct pair){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* a* b */
INLINE struct pair conjugate_times(struct pair a, struct pair b)
{
    return (struct pair){a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re};
}

INLINE vf real_product(struct pair a, struct pair b)
{
    return a.re * b.re + a.im * b.im;
}

/* Rows are taken in blocks of so many, column by column of vectors: what a row shares with the next one then stays in
 * a register, and a block stays in the first-level cache. */
enum { BLOCK = 16 };

/* The horizontal half of the taps. */
INLINE vf blend_taps(const ff_real *at, vf here, vf next)
{
    return here * load(at) + next * load(at + 1);
}

/* Counts of `left` ≥ 1 pixels, zeros behind them. */
INLINE vf load_counts(const struct ff_counts *counts, size_t at, size_t left)
{
    size_t size = left < L ? left : L;
    if (counts->u16 != NULL) {
        vh whole = {0};
        memcpy(&whole, counts->u16 + at, size * sizeof(uint16_t));
        return __builtin_convertvector(whole, vf);
    }
    vs whole = {0};
    memcpy(&whole, counts->f32 + at, size * sizeof(float));
    return __builtin_convertvector(whole, vf);
}

INLINE vf load_counts_full(const struct ff_counts *counts, size_t at)
{
    if (counts->u16 != NULL) {
        vh whole;
        memcpy(&whole, counts->u16 + at, sizeof whole);
        return __builtin_convertvector(whole, vf);
    }
    vs whole;
    memcpy(&whole, counts->f32 + at, sizeof whole);
    return __builtin_convertvector(whole, vf);
}

/* Whatever stands under the mask must not reach the sums, NaN included: so a choice, not a product. */
INLINE vf where(vf weight, vf value)
{
    return (vf)((vi)value & (weight > 0));
}

/* The counts of the pixels from (row, column) on, 0 where nothing was measured, and the mask there. */
INLINE vf counts_at(const struct ff_frame *frame, size_t row, size_t column, vf *weight)
{
    size_t pixel = row * frame->columns + column;
    vf counts = {0};
    if (column + L <= frame->columns)
        counts = load_counts_full(&frame->counts, pixel);
    else if (column < frame->columns)
        counts = load_counts(&frame->counts, pixel, frame->columns - column);
    *weight = all(1);
    if (frame->weight != NULL) {
        *weight = load(frame->weight + row * frame->width + column);
        counts = where(*weight, counts);
    }
    return counts;
}

#endif
