/*
 * functions/reconstruct/backends/cpu/kernels.h: the loops over pixels, one table for each
 * instruction set.
 *
 * kernels.c is compiled once for each; ff_kernels_choose takes the widest that the CPU has. Planes
 * are split (real and imaginary part apart); only the transform's buffer is interleaved. `width` is
 * the number of columns rounded up to FF_KERNEL_WIDTH; columns beyond the real ones hold zeros in
 * probe planes and whatever in object planes, so every product with the probe is zero there.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_KERNELS_H
#define FF_RECONSTRUCT_BACKENDS_CPU_KERNELS_H

#include "functions/reconstruct/problem.h"

enum { FF_KERNEL_WIDTH = 16 };

/* A complex plane in two parts, rows `stride` apart. */
struct ff_planes {
    float *re, *im;
    size_t stride;
};

/* Weights of the bilinear taps: x0 and y0 of this column and row, x1 and y1 of the next. */
struct ff_taps {
    float x0, x1, y0, y1;
};

struct ff_frame {
    struct ff_counts counts; /* of this pattern: (rows, columns), dense */
    const float *weight;     /* (rows, width): 1 measured, 0 not; NULL: all are */
    size_t rows, columns, width;
};

struct ff_kernels {
    const char *name; /* "AVX-512" */

    /* S = taps of the object at `object` (which points at the patch's corner). Adds |S|² to `power`
     * (rows, width) unless that is NULL. */
    void (*gather)(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                   struct ff_planes patch, float *power);

    /* wave = P S, interleaved, rows `wave_stride` complex apart. */
    void (*exit_wave)(struct ff_planes probe, struct ff_planes patch, size_t rows, size_t width,
                      float *wave, size_t wave_stride);

    /* Of unnormalised transforms `waves[0 … modes-1]`: returns Σ weight (√I - √d)², and unless
     * `keep` multiplies them with the factor that makes the unnormalised inverse transform χ. */
    double (*modulus)(float *const *waves, size_t modes, size_t wave_stride,
                      const struct ff_frame *frame, bool keep);

    /* tile = P* χ (or += when `add`), and sum += S* χ unless `sum.re` is NULL. */
    void (*terms)(struct ff_planes probe, struct ff_planes patch, const float *wave,
                  size_t wave_stride, size_t rows, size_t width, bool add, struct ff_planes tile,
                  struct ff_planes sum);

    /* Adds the tile (rows × columns, zeros around) through the taps to out, and `light` alike to
     * `weight`. Touches rows+1 rows and columns+1 columns, rounded up to the width. */
    void (*scatter)(struct ff_planes tile, const float *light, struct ff_taps taps, size_t rows,
                    size_t columns, struct ff_planes out, float *weight);

    /* to += from, `count` a multiple of the width. */
    void (*add)(float *to, const float *from, size_t count);

    /* The greatest of `count` values, at least 0. */
    float (*greatest)(const float *values, size_t count);

    /* value += step × sum / ((1-alpha) weight + floor). */
    void (*update)(float *value, const float *sum, const float *weight, size_t count, float step,
                   float alpha, float floor);
};

const struct ff_kernels *ff_kernels_choose(void);

/* The table of number `index`, narrowest first, or NULL; `runs` tells whether this CPU can run it.
 * For tests. */
const struct ff_kernels *ff_kernels_at(unsigned index, bool *runs);

extern const struct ff_kernels ff_kernels_x86_64;
extern const struct ff_kernels ff_kernels_avx2;
extern const struct ff_kernels ff_kernels_avx512;

#endif
