/*
 * functions/reconstruct/backends/cpu/kernels.h: the loops over pixels, one table for each instruction set.
 *
 * The files kernels_*.c are compiled once for each; ff_kernels_choose takes the widest that the CPU has. Planes are
 * split (real and imaginary part apart); only the transform's buffer, a wave, holds both, as the
 * transform wants them: interleaved, or in blocks. A `width` is a number of
 * columns rounded up to FF_KERNEL_WIDTH; columns beyond the real ones hold zeros in probe planes and waves, and
 * whatever in object planes and patches, so every product with the probe or a wave is zero there.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_KERNELS_H
#define FF_RECONSTRUCT_BACKENDS_CPU_KERNELS_H

#include "functions/reconstruct/backends/backend.h"
#include "functions/reconstruct/backends/cpu/real.h"

enum { FF_KERNEL_WIDTH = 16 };

/* A complex plane in two parts, rows `stride` apart. */
struct ff_planes {
    ff_real *re, *im;
    size_t stride;
};

/* Weights of the bilinear taps: x0 and y0 of this column and row, x1 and y1 of the next. */
struct ff_taps {
    ff_real x0, x1, y0, y1;
};

/* A wave, rows `stride` complex values apart, and as much of it as a loop shall see. */
struct ff_wave {
    ff_real *values;
    size_t stride;
    size_t rows, width;
};

/* A measured pattern, and how waves at the detector are scaled. */
struct ff_frame {
    struct ff_counts counts; /* of this pattern: (rows, columns), dense */
    const ff_real *weight;   /* (rows, width): 1 measured, 0 not; NULL: all are */
    size_t rows, columns, width;
    ff_real scale; /* F = scale × the wave */
    ff_real back;  /* χ is the transform of back × the factor of modulus × F / scale */
    ff_real bound; /* the most that the factor may be; 0: no bound */
    enum ff_noise noise;
    bool
        proximal; /* the factor is that of a projection: of the proximal map where noise is Poisson */
};

/* From object and probe to waves, and the way back. */
struct ff_wave_kernels {
    /* S = taps of the object at `object` (which points at the patch's corner). Adds |S|² to `power` (rows, width)
     * unless that is NULL. */
    void (*gather)(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                   struct ff_planes patch, ff_real *power);

    /* wave = P S. */
    void (*exit_wave)(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave);

    /* wave += P S. */
    void (*add_exit_wave)(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave);

    /* tile = P* χ (or += when `add`), and sum += S* χ unless `sum.re` is NULL. */
    void (*products)(struct ff_planes probe, struct ff_planes patch, struct ff_wave wave, bool add,
                     struct ff_planes tile, struct ff_planes sum);

    /* sum += factor S* χ. */
    void (*add_product)(struct ff_planes patch, struct ff_wave wave, ff_real factor,
                        struct ff_planes sum);

    /* Adds the tile (rows × columns, zeros around) through `taps` to out, and `light` through `light_taps` to
     * `weight`. Touches rows+1 rows and columns+1 columns, rounded up to the width. */
    void (*scatter)(struct ff_planes tile, const ff_real *light, struct ff_taps taps,
                    struct ff_taps light_taps, size_t rows, size_t columns, struct ff_planes out,
                    ff_real *weight);

    /* to = base + |P|², rows `to_stride` apart; base may be NULL, or `to`. */
    void (*light)(struct ff_planes probe, size_t rows, size_t width, const ff_real *base,
                  ff_real *to, size_t to_stride);

    /* wave *= factor, or its conjugate. */
    void (*filter)(struct ff_wave wave, struct ff_planes factor, bool conjugate);

    /* wave *= row × column factors (re, im each: rows, width), or their conjugate. */
    void (*ramp)(struct ff_wave wave, const ff_real *row_re, const ff_real *row_im,
                 const ff_real *column_re, const ff_real *column_im, bool conjugate);

    /* wave = planes, and planes = factor × wave. */
    void (*join)(struct ff_planes planes, struct ff_wave wave);
    void (*split)(struct ff_wave wave, ff_real factor, struct ff_planes planes);

    /* to = factor × from, of one shape, each with its stride. */
    void (*copy)(struct ff_wave from, ff_real factor, struct ff_wave to);
    /* to = own × to + a × from */
    void (*blend)(struct ff_wave to, ff_real own, ff_real a, struct ff_wave from);
};

/* What a pattern was measured at. */
struct ff_modulus_kernels {
    /* Returns the costs of waves at the detector, and unless `keep` multiplies them with the factor that makes the
     * transform back χ. */
    struct ff_cost (*modulus)(const struct ff_wave *waves, size_t count,
                              const struct ff_frame *frame, bool keep);

    /* Σ √(I d), Σ I over measured pixels. */
    void (*scales)(const struct ff_wave *waves, size_t count, const struct ff_frame *frame,
                   double sums[2]);
};

/* What u = patch(object_step) probe and v = patch(object) probe_step are made of: the former's planes from the patch's
 * corner on. */
struct ff_steps {
    struct ff_planes object, object_step;
    struct ff_taps taps;
    struct ff_planes probe, probe_step;
};

/* Numbers of one pattern, as in enum ff_terms; each adds to its sums. */
struct ff_term_kernels {
    /* With Σ_m P_m* χ_m in `tile` and Σ_m |P_m|² in `light`, rows tile.stride apart. */
    void (*positions)(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                      struct ff_planes tile, const ff_real *light, double sums[5]);
    /* b alone of one mode, from the two derivatives of the probe by a move. */
    void (*probe_slopes)(struct ff_planes patch, struct ff_planes by_row,
                         struct ff_planes by_column, struct ff_wave wave, double sums[2]);
    /* As positions(), of FF_TERMS_STRAINS; tile and light are zero beyond `columns`. */
    void (*strains)(struct ff_planes object, struct ff_taps taps, size_t rows, size_t columns,
                    struct ff_planes tile, const ff_real *light, double sums[19]);
    /* Of `count` eigenprobes: Re Σ (S E_c)* χ of each, then Σ |S|² Re E_c* E_d of the pairs d ≤ c. */
    void (*weights)(struct ff_planes patch, const struct ff_planes *eigenprobes, size_t count,
                    struct ff_wave wave, double *sums);

    /* Keeps χ, the two parts of a value in one word of a real's size, past the caches; `kept` holds rows × width. */
    void (*keep)(struct ff_wave wave, void *kept);
    /* The six sums of fit(). */
    void (*steps)(const struct ff_steps *steps, const void *kept, size_t rows, size_t width,
                  double sums[6]);
};

/* Along a line: I(γ) is a polynomial with `degree` + 1 coefficients for each pixel. */
enum { FF_LINE_DEGREE = 2, FF_JOINT_DEGREE = 4 };

struct ff_line_kernels {
    /* Coefficients of |F + γ G|², summed over `count` waves, to planes (rows, width) one after the other. */
    void (*quadratic)(const struct ff_wave *f, const struct ff_wave *g, size_t count, ff_real scale,
                      ff_real *coefficients);
    /* Of |F + γ G + γ² H|². */
    void (*quartic)(const struct ff_wave *f, const struct ff_wave *g, const struct ff_wave *h,
                    size_t count, ff_real scale, ff_real *coefficients);
    /* Adds the terms of one pattern at γ. */
    void (*terms)(const ff_real *coefficients, unsigned degree, const struct ff_frame *frame,
                  ff_real gamma, struct ff_line_terms *terms);
};

/* D(X) = share × X + floor. */
struct ff_divisor {
    ff_real share, floor;
};

/* What conjugate gradients hold of one part: rows of N, of N at the last turn, and of the direction. */
struct ff_turn_rows {
    const ff_real *now_re, *now_im;
    ff_real *last_re, *last_im, *direction_re, *direction_im;
    const ff_real *weight;
    ff_real gain;
};

/* Steps in object and probe: rows of `count` values, a multiple of the width unless said. */
struct ff_field_kernels {
    void (*add)(ff_real *to, const ff_real *from, size_t count);
    void (*add_scaled)(ff_real *to, const ff_real *from, ff_real factor, size_t count);
    /* The greatest of `count` values, at least 0. */
    ff_real (*greatest)(const ff_real *values, size_t count);
    /* value += step × sum / D(weight), and to = sum / D(weight). */
    void (*update)(ff_real *value, const ff_real *sum, const ff_real *weight, size_t count,
                   ff_real step, struct ff_divisor divisor);
    void (*normalise)(ff_real *to, const ff_real *sum, const ff_real *weight, size_t count,
                      struct ff_divisor divisor);
    /* velocity = momentum × velocity + step × sum / D(weight); value += velocity. Without a weight, D is 1. */
    void (*accelerate)(ff_real *value, ff_real *velocity, const ff_real *sum, const ff_real *weight,
                       size_t count, ff_real step, ff_real momentum, struct ff_divisor divisor);
    /* Adds Σ |N|²/D and Σ |N|² W/D²; any count. */
    void (*lengths)(const ff_real *re, const ff_real *im, const ff_real *weight, size_t count,
                    struct ff_divisor divisor, double sums[2]);
    /* With z = gain N / √(X² + floor²): adds Re <z, N>, Re <z, last>, Re <direction, N>; any count. */
    void (*turn_terms)(const struct ff_turn_rows *rows, size_t count, ff_real floor,
                       double sums[3]);
    /* direction = z + beta direction, last = N. */
    void (*turn)(const struct ff_turn_rows *rows, size_t count, ff_real floor, ff_real beta);
};

struct ff_vector_code;

struct ff_kernels {
    const char *name; /* "AVX-512" */
    /* A row of a wave is made of blocks: so many real parts, then their imaginary parts. 1: interleaved. */
    size_t block;
    const struct ff_vector_code *vector; /* the transform of such waves; NULL: FFTW */
    const struct ff_wave_kernels *wave;
    const struct ff_modulus_kernels *modulus;
    const struct ff_term_kernels *term;
    const struct ff_line_kernels *line;
    const struct ff_field_kernels *field;
};

/* The widest that this CPU has for interleaved waves, as FFTW has them. */
const struct ff_kernels *ff_kernels_choose(void);

/* The widest for waves of the vector transform, or NULL. */
const struct ff_kernels *ff_kernels_vector(void);

/* The table of number `index`, or NULL; `runs` tells whether this CPU can run it. For tests. */
const struct ff_kernels *ff_kernels_at(unsigned index, bool *runs);

extern const struct ff_kernels ff_kernels_x86_64;
#ifndef FF_REAL_DOUBLE
extern const struct ff_kernels ff_kernels_avx2;
extern const struct ff_kernels ff_kernels_avx512;
extern const struct ff_kernels ff_kernels_avx2_blocks;
extern const struct ff_kernels ff_kernels_avx512_blocks;
#endif

#endif
