/*
 * Compiled three times, with FF_KERNEL_LANES floats a vector and FF_KERNEL_TABLE the name of the
 * table. Plain GCC vectors, so the arithmetic is written once; only the reciprocal square root
 * differs. Contraction to fused multiply-add is the compiler's per file and fixed at build time, so
 * one code path gives one set of bits.
 */
#include "functions/reconstruct/backends/cpu/kernels.h"

#include <immintrin.h>
#include <string.h>

enum { L = FF_KERNEL_LANES };

typedef float vf __attribute__((vector_size(4 * L)));
typedef int32_t vi __attribute__((vector_size(4 * L)));
typedef uint16_t vh __attribute__((vector_size(2 * L)));

_Static_assert(FF_KERNEL_WIDTH % L == 0, "a row is a whole number of vectors");

/* Smaller than any intensity that matters, and far from where its reciprocal square root would
 * overflow. */
#define TINY 1e-30f

static inline vf load(const float *from)
{
    vf value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store(float *to, vf value)
{
    memcpy(to, &value, sizeof value);
}

static inline vf all(float value)
{
    return value - (vf){0};
}

/* The two operations that GCC's vectors do not have: the greater of two, and an estimate of 1/√x.
 */
#if FF_KERNEL_LANES == 16
static inline vf larger(vf a, vf b)
{
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}

static inline vf estimate_root(vf x)
{
    return (vf)_mm512_rsqrt14_ps((__m512)x);
}
#elif FF_KERNEL_LANES == 8
static inline vf larger(vf a, vf b)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}

static inline vf estimate_root(vf x)
{
    return (vf)_mm256_rsqrt_ps((__m256)x);
}
#else
static inline vf larger(vf a, vf b)
{
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
}

static inline vf estimate_root(vf x)
{
    return (vf)_mm_rsqrt_ps((__m128)x);
}
#endif

/* 1/√x to an ulp or two: the estimate and one Newton step. */
static inline vf reciprocal_root(vf x)
{
    vf y = estimate_root(x);
    return y * (1.5f - 0.5f * x * y * y);
}

/* {re0, im0, re1, …} in two vectors ↔ real and imaginary parts. */
#if FF_KERNEL_LANES == 16
#define EVEN                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30                                  \
    }
#define ODD                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31                                  \
    }
#define LOW                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23                                     \
    }
#define HIGH                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31                               \
    }
#elif FF_KERNEL_LANES == 8
#define EVEN                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        0, 2, 4, 6, 8, 10, 12, 14                                                                  \
    }
#define ODD                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        1, 3, 5, 7, 9, 11, 13, 15                                                                  \
    }
#define LOW                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        0, 8, 1, 9, 2, 10, 3, 11                                                                   \
    }
#define HIGH                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        4, 12, 5, 13, 6, 14, 7, 15                                                                 \
    }
#else
#define EVEN                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        0, 2, 4, 6                                                                                 \
    }
#define ODD                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        1, 3, 5, 7                                                                                 \
    }
#define LOW                                                                                        \
    (vi)                                                                                           \
    {                                                                                              \
        0, 4, 1, 5                                                                                 \
    }
#define HIGH                                                                                       \
    (vi)                                                                                           \
    {                                                                                              \
        2, 6, 3, 7                                                                                 \
    }
#endif

struct pair {
    vf re, im;
};

static inline struct pair load_pair(const float *wave)
{
    vf a = load(wave);
    vf b = load(wave + L);
    return (struct pair){__builtin_shuffle(a, b, EVEN), __builtin_shuffle(a, b, ODD)};
}

static inline void store_pair(float *wave, vf re, vf im)
{
    store(wave, __builtin_shuffle(re, im, LOW));
    store(wave + L, __builtin_shuffle(re, im, HIGH));
}

/* Rows are taken in blocks of so many, column by column of vectors: what a row shares with the next
 * one then stays in a register, and a block stays in the first-level cache. */
enum { BLOCK = 16 };

/* The horizontal half of the taps, and of their adjoint. */
static inline vf blend(const float *at, vf here, vf next)
{
    return here * load(at) + next * load(at + 1);
}

static inline vf blend_back(const float *at, vf here, vf next)
{
    return here * load(at) + next * load(at - 1);
}

static inline __attribute__((always_inline)) void gather_block(struct ff_planes object,
                                                               struct ff_taps taps, size_t first,
                                                               size_t end, size_t width,
                                                               struct ff_planes patch, float *power)
{
    const vf x0 = all(taps.x0), x1 = all(taps.x1), y0 = all(taps.y0), y1 = all(taps.y1);
    for (size_t c = 0; c < width; c += L) {
        const float *from_re = object.re + first * object.stride + c;
        const float *from_im = object.im + first * object.stride + c;
        vf re = blend(from_re, x0, x1);
        vf im = blend(from_im, x0, x1);
        for (size_t r = first; r < end; r++) {
            from_re += object.stride;
            from_im += object.stride;
            vf below_re = blend(from_re, x0, x1);
            vf below_im = blend(from_im, x0, x1);
            vf s_re = y0 * re + y1 * below_re;
            vf s_im = y0 * im + y1 * below_im;
            store(patch.re + r * patch.stride + c, s_re);
            store(patch.im + r * patch.stride + c, s_im);
            if (power != NULL) {
                float *to = power + r * width + c;
                store(to, load(to) + s_re * s_re + s_im * s_im);
            }
            re = below_re;
            im = below_im;
        }
    }
}

static void gather(struct ff_planes object, struct ff_taps taps, size_t rows, size_t width,
                   struct ff_planes patch, float *power)
{
    for (size_t r = 0; r < rows; r += BLOCK) {
        size_t end = r + BLOCK < rows ? r + BLOCK : rows;
        if (power != NULL)
            gather_block(object, taps, r, end, width, patch, power);
        else
            gather_block(object, taps, r, end, width, patch, NULL);
    }
}

static void exit_wave(struct ff_planes probe, struct ff_planes patch, size_t rows, size_t width,
                      float *wave, size_t wave_stride)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < width; c += L) {
            vf pr = load(probe.re + r * probe.stride + c);
            vf pi = load(probe.im + r * probe.stride + c);
            vf sr = load(patch.re + r * patch.stride + c);
            vf si = load(patch.im + r * patch.stride + c);
            store_pair(wave + 2 * (r * wave_stride + c), pr * sr - pi * si, pr * si + pi * sr);
        }
    }
}

/* Counts of `left` ≥ 1 pixels as float, zeros behind them. */
static inline vf load_counts(const struct ff_counts *counts, size_t at, size_t left)
{
    if (counts->u16 != NULL) {
        vh whole = {0};
        memcpy(&whole, counts->u16 + at, (left < L ? left : L) * sizeof(uint16_t));
        return __builtin_convertvector(whole, vf);
    }
    vf whole = {0};
    memcpy(&whole, counts->f32 + at, (left < L ? left : L) * sizeof(float));
    return whole;
}

static inline vf load_counts_full(const struct ff_counts *counts, size_t at)
{
    if (counts->u16 != NULL) {
        vh whole;
        memcpy(&whole, counts->u16 + at, sizeof whole);
        return __builtin_convertvector(whole, vf);
    }
    return load(counts->f32 + at);
}

/* Whatever stands under the mask must not reach the sums, NaN included: so a choice, not a product.
 */
static inline vf where(vf weight, vf value)
{
    return (vf)((vi)value & (weight > 0));
}

/* Adds the factor's lanes to both parts: waves *= factor. */
static inline void scale_wave(float *wave, vf factor)
{
    store(wave, load(wave) * __builtin_shuffle(factor, factor, LOW));
    store(wave + L, load(wave + L) * __builtin_shuffle(factor, factor, HIGH));
}

static inline __attribute__((always_inline)) double modulus_of(float *const *waves, size_t modes,
                                                               size_t wave_stride,
                                                               const struct ff_frame *frame,
                                                               bool keep)
{
    const float pixels = (float)(frame->rows * frame->columns);
    const vf inverse_pixels = all(1.0f / pixels);
    const vf inverse_root = all(1.0f / __builtin_sqrtf(pixels));
    double total = 0;
    for (size_t r = 0; r < frame->rows; r++) {
        vf row_sum = {0};
        for (size_t c = 0; c < frame->width; c += L) {
            size_t at = 2 * (r * wave_stride + c);
            vf intensity = {0};
            for (size_t m = 0; m < modes; m++) {
                struct pair f = load_pair(waves[m] + at);
                intensity += f.re * f.re + f.im * f.im;
            }
            size_t pixel = r * frame->columns + c;
            vf counts = c + L <= frame->columns ? load_counts_full(&frame->counts, pixel)
                        : c < frame->columns
                            ? load_counts(&frame->counts, pixel, frame->columns - c)
                            : (vf){0};
            vf weight = all(1);
            if (frame->weight != NULL) {
                weight = load(frame->weight + r * frame->width + c);
                counts = where(weight, counts);
            }
            vf root = reciprocal_root(larger(intensity, all(TINY)));
            vf measured = counts * reciprocal_root(larger(counts, all(TINY)));
            vf error = intensity * root * inverse_root - measured;
            if (frame->weight != NULL)
                error = where(weight, error);
            row_sum += error * error;
            if (keep)
                continue;
            vf factor = measured * root * inverse_root - inverse_pixels;
            if (frame->weight != NULL)
                factor = where(weight, factor);
            for (size_t m = 0; m < modes; m++)
                scale_wave(waves[m] + at, factor);
        }
        float row_total = 0;
        for (unsigned i = 0; i < L; i++)
            row_total += row_sum[i];
        total += (double)row_total;
    }
    return total;
}

static double modulus(float *const *waves, size_t modes, size_t wave_stride,
                      const struct ff_frame *frame, bool keep)
{
    /* One mode is common enough for a loop of its own: the compiler then keeps F in registers. */
    if (modes == 1)
        return modulus_of(waves, 1, wave_stride, frame, keep);
    return modulus_of(waves, modes, wave_stride, frame, keep);
}

static inline __attribute__((always_inline)) void terms_of(
    struct ff_planes probe, struct ff_planes patch, const float *wave, size_t wave_stride,
    size_t rows, size_t width, bool add_to_tile, struct ff_planes tile, struct ff_planes sum)
{
    for (size_t r = 0; r < rows; r++) {
        const size_t p = r * probe.stride;
        const size_t t = r * tile.stride;
        for (size_t c = 0; c < width; c += L) {
            struct pair x = load_pair(wave + 2 * (r * wave_stride + c));
            vf pr = load(probe.re + p + c);
            vf pi = load(probe.im + p + c);
            vf re = pr * x.re + pi * x.im;
            vf im = pr * x.im - pi * x.re;
            if (add_to_tile) {
                re += load(tile.re + t + c);
                im += load(tile.im + t + c);
            }
            store(tile.re + t + c, re);
            store(tile.im + t + c, im);
            if (sum.re == NULL)
                continue;
            vf sr = load(patch.re + r * patch.stride + c);
            vf si = load(patch.im + r * patch.stride + c);
            float *to_re = sum.re + r * sum.stride + c;
            float *to_im = sum.im + r * sum.stride + c;
            store(to_re, load(to_re) + sr * x.re + si * x.im);
            store(to_im, load(to_im) + sr * x.im - si * x.re);
        }
    }
}

static void terms(struct ff_planes probe, struct ff_planes patch, const float *wave,
                  size_t wave_stride, size_t rows, size_t width, bool add_to_tile,
                  struct ff_planes tile, struct ff_planes sum)
{
    if (add_to_tile)
        terms_of(probe, patch, wave, wave_stride, rows, width, true, tile, sum);
    else
        terms_of(probe, patch, wave, wave_stride, rows, width, false, tile, sum);
}

/* Rows first … end-1 of one plane: row r of the target gets from rows r-1 and r of the tile. */
static inline void scatter_block(const float *tile, size_t tile_stride, struct ff_taps taps,
                                 size_t first, size_t end, size_t columns, float *out,
                                 size_t out_stride)
{
    const vf x0 = all(taps.x0), x1 = all(taps.x1), y0 = all(taps.y0), y1 = all(taps.y1);
    for (size_t c = 0; c <= columns; c += L) {
        const float *from = tile + first * tile_stride + c;
        float *to = out + first * out_stride + c;
        vf above = blend_back(from - tile_stride, x0, x1);
        for (size_t r = first; r < end; r++) {
            vf here = blend_back(from, x0, x1);
            store(to, load(to) + y0 * here + y1 * above);
            above = here;
            from += tile_stride;
            to += out_stride;
        }
    }
}

static void scatter(struct ff_planes tile, const float *light, struct ff_taps taps, size_t rows,
                    size_t columns, struct ff_planes out, float *weight)
{
    for (size_t r = 0; r <= rows; r += BLOCK) {
        size_t end = r + BLOCK < rows + 1 ? r + BLOCK : rows + 1;
        scatter_block(tile.re, tile.stride, taps, r, end, columns, out.re, out.stride);
        scatter_block(tile.im, tile.stride, taps, r, end, columns, out.im, out.stride);
        scatter_block(light, tile.stride, taps, r, end, columns, weight, out.stride);
    }
}

static void add(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i += L)
        store(to + i, load(to + i) + load(from + i));
}

static float greatest(const float *values, size_t count)
{
    vf most = {0};
    for (size_t i = 0; i < count; i += L)
        most = larger(most, load(values + i));
    float result = 0;
    for (unsigned i = 0; i < L; i++)
        result = most[i] > result ? most[i] : result;
    return result;
}

static void update(float *value, const float *sum, const float *weight, size_t count, float step,
                   float alpha, float floor)
{
    const vf share = all(1.0f - alpha);
    for (size_t i = 0; i < count; i += L) {
        vf divisor = share * load(weight + i) + floor;
        store(value + i, load(value + i) + step * load(sum + i) / divisor);
    }
}

const struct ff_kernels FF_KERNEL_TABLE = {
    .name = FF_KERNEL_NAME,
    .gather = gather,
    .exit_wave = exit_wave,
    .modulus = modulus,
    .terms = terms,
    .scatter = scatter,
    .add = add,
    .greatest = greatest,
    .update = update,
};
