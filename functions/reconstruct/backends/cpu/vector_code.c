/*
 * Compiled once for each instruction set, with FF_KERNEL_LANES floats a vector. Along columns every
 * lane is a column of its own, so nothing moves between lanes. Along rows a transform of A × lanes
 * points is one of A vectors, lane by lane, then one across the lanes (Bailey's four steps): the
 * registers are transposed between the two, and the result lies in its natural order.
 */
#include "functions/reconstruct/backends/cpu/vector_code.h"

#include <string.h>

enum { L = FF_KERNEL_LANES, ELEMENT = 2 * L };

/* Functions on arrays that must end up in registers. Their loops are unrolled for the same reason. */
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * L)));

struct pair {
    vf re, im;
};

/* Where the parts of an element lie in it. */
struct parts {
    size_t re, im;
};

INLINE vf load(const float *from)
{
    vf value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, vf value)
{
    memcpy(to, &value, sizeof value);
}

INLINE struct pair load_pair(const float *from, struct parts parts)
{
    return (struct pair){load(from + parts.re), load(from + parts.im)};
}

INLINE void store_pair(float *to, struct pair x, struct parts parts)
{
    store(to + parts.re, x.re);
    store(to + parts.im, x.im);
}

INLINE struct pair times(struct pair x, vf re, vf im)
{
    return (struct pair){x.re * re - x.im * im, x.re * im + x.im * re};
}

INLINE vf all(float value)
{
    return value - (vf){0};
}

/* --- transforms of 2, 4, 8 and 16 elements in registers, natural order in and out --- */

INLINE void fft2(struct pair *a, struct pair *b)
{
    struct pair sum = {a->re + b->re, a->im + b->im};
    *b = (struct pair){a->re - b->re, a->im - b->im};
    *a = sum;
}

INLINE void fft4(struct pair *a, struct pair *b, struct pair *c, struct pair *d)
{
    fft2(a, c);
    fft2(b, d);
    fft2(a, b); /* a: 0, b: 2 */
    struct pair one = {c->re + d->im, c->im - d->re};
    struct pair three = {c->re - d->im, c->im + d->re};
    *c = *b;
    *b = one;
    *d = three;
}

/* × exp(-iπ/4), × exp(-3iπ/4) and × -i. */
#define ROOT_HALF 0.70710678118654752f
INLINE struct pair eighth(struct pair x)
{
    return (struct pair){ROOT_HALF * (x.re + x.im), ROOT_HALF * (x.im - x.re)};
}

INLINE struct pair three_eighths(struct pair x)
{
    return (struct pair){ROOT_HALF * (x.im - x.re), -ROOT_HALF * (x.re + x.im)};
}

INLINE struct pair quarter(struct pair x)
{
    return (struct pair){x.im, -x.re};
}

INLINE void exchange_places(struct pair *a, struct pair *b)
{
    struct pair c = *a;
    *a = *b;
    *b = c;
}

INLINE void fft8(struct pair *x)
{
    fft4(&x[0], &x[2], &x[4], &x[6]);
    fft4(&x[1], &x[3], &x[5], &x[7]);
    x[3] = eighth(x[3]);
    x[5] = quarter(x[5]);
    x[7] = three_eighths(x[7]);
#pragma GCC unroll 16
    for (int i = 0; i < 8; i += 2)
        fft2(&x[i], &x[i + 1]);
    /* 0 4 1 5 2 6 3 7 */
    struct pair y[8] = {x[0], x[2], x[4], x[6], x[1], x[3], x[5], x[7]};
#pragma GCC unroll 16
    for (int i = 0; i < 8; i++)
        x[i] = y[i];
}

/* cos and sin of π/8. */
#define COS 0.92387953251128674f
#define SIN 0.38268343236508977f

INLINE void fft16(struct pair *x)
{
#pragma GCC unroll 16
    for (int i = 0; i < 4; i++)
        fft4(&x[i], &x[i + 4], &x[i + 8], &x[i + 12]);
    x[5] = times(x[5], all(COS), all(-SIN));
    x[6] = eighth(x[6]);
    x[7] = times(x[7], all(SIN), all(-COS));
    x[9] = eighth(x[9]);
    x[10] = quarter(x[10]);
    x[11] = three_eighths(x[11]);
    x[13] = times(x[13], all(SIN), all(-COS));
    x[14] = three_eighths(x[14]);
    x[15] = times(x[15], all(-COS), all(SIN));
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4)
        fft4(&x[i], &x[i + 1], &x[i + 2], &x[i + 3]);
#pragma GCC unroll 16
    for (int i = 0; i < 4; i++)
#pragma GCC unroll 16
        for (int k = i + 1; k < 4; k++)
            exchange_places(&x[4 * i + k], &x[4 * k + i]);
}

INLINE void fft(struct pair *x, unsigned radix)
{
    if (radix == 2)
        fft2(&x[0], &x[1]);
    else if (radix == 4)
        fft4(&x[0], &x[1], &x[2], &x[3]);
    else if (radix == 8)
        fft8(x);
    else
        fft16(x);
}

/* --- from vector to vector --- */

INLINE void stage_of(const struct ff_vector_stage *stage, const float *from, float *to,
                     struct parts parts, unsigned radix, bool twisted)
{
    const struct ff_vector_strides in = stage->from;
    const struct ff_vector_strides out = stage->to;
    for (size_t g = 0; g < stage->groups; g++) {
        const float *twiddles = stage->twiddles;
        for (size_t j = 0; j < stage->count; j++) {
            const float *source = from + g * in.group + j * in.each;
            float *target = to + g * out.group + j * out.each;
            struct pair x[16];
#pragma GCC unroll 16
            for (unsigned i = 0; i < radix; i++)
                x[i] = load_pair(source + i * in.step, parts);
            fft(x, radix);
            store_pair(target, x[0], parts);
#pragma GCC unroll 16
            for (unsigned i = 1; i < radix; i++) {
                if (twisted)
                    x[i] = times(x[i], all(twiddles[2 * i]), all(twiddles[2 * i + 1]));
                store_pair(target + i * out.step, x[i], parts);
            }
            if (twisted)
                twiddles += 2 * radix;
        }
    }
}

/* The radices that radices_of() in vector_fft.c uses; the last stage has no factors. */
static void run_stage(const struct ff_vector_stage *stage, const float *from, float *to,
                      struct parts parts)
{
    const bool twisted = stage->twiddles != NULL;
    switch (stage->radix) {
    case 4:
        return twisted ? stage_of(stage, from, to, parts, 4, true)
                       : stage_of(stage, from, to, parts, 4, false);
    case 8:
        return twisted ? stage_of(stage, from, to, parts, 8, true)
                       : stage_of(stage, from, to, parts, 8, false);
    default:
        return stage_of(stage, from, to, parts, 16, true);
    }
}

static void run_stages(const struct ff_vector_axis *axis, const float *from, float *between,
                       float *to, struct parts parts)
{
    const unsigned last = axis->stage_count - 1;
    for (unsigned i = 0; i <= last; i++)
        run_stage(&axis->stages[i], i == 0 ? from : between, i == last ? to : between, parts);
}

static struct parts parts_of(bool inverse)
{
    return inverse ? (struct parts){L, 0} : (struct parts){0, L};
}

static void columns(const struct ff_vector_axis *axis, struct ff_vector_shape shape, float *wave,
                    bool inverse)
{
    _Alignas(64) float scratch[FF_VECTOR_LENGTH_MOST * ELEMENT];
    const struct parts parts = parts_of(inverse);
    for (size_t c = 0; c < shape.columns; c += L)
        run_stages(axis, wave + 2 * c, scratch, wave + 2 * c, parts);
}

/* --- across the lanes --- */

#define KEPT(i, h)  ((i) & (h) ? L + (i) - (h) : (i))
#define MOVED(i, h) ((i) & (h) ? L + (i) : (i) + (h))
#define EIGHT(f, i, h)                                                                             \
    f(i, h), f(i + 1, h), f(i + 2, h), f(i + 3, h), f(i + 4, h), f(i + 5, h), f(i + 6, h),         \
        f(i + 7, h)
#if FF_KERNEL_LANES == 16
#define LANES(f, h) EIGHT(f, 0, h), EIGHT(f, 8, h)
#else
#define LANES(f, h) EIGHT(f, 0, h)
#endif

/* Exchanges the lanes of `a` whose number has bit h with the lanes of `b` whose number has not. */
#define EXCHANGE(a, b, h)                                                                          \
    do {                                                                                           \
        vf kept = __builtin_shufflevector(a, b, LANES(KEPT, h));                                   \
        b = __builtin_shufflevector(a, b, LANES(MOVED, h));                                        \
        a = kept;                                                                                  \
    } while (0)

INLINE void exchange(struct pair *a, struct pair *b, unsigned distance)
{
    if (distance == 1) {
        EXCHANGE(a->re, b->re, 1);
        EXCHANGE(a->im, b->im, 1);
    } else if (distance == 2) {
        EXCHANGE(a->re, b->re, 2);
        EXCHANGE(a->im, b->im, 2);
    } else if (distance == 4) {
        EXCHANGE(a->re, b->re, 4);
        EXCHANGE(a->im, b->im, 4);
    } else {
        EXCHANGE(a->re, b->re, (L / 2));
        EXCHANGE(a->im, b->im, (L / 2));
    }
}

INLINE void regroup_by(struct pair *x, unsigned d, unsigned lanes)
{
#pragma GCC unroll 16
    for (unsigned i = 0; i < L; i++)
        if ((i & d) == 0)
            exchange(&x[i], &x[i + d], d * lanes);
}

/* In every run of `count` vectors, exchanges the number of the vector in its run with the number of
 * the run of `lanes` lanes: with 1 lane and L vectors, the transpose. */
INLINE void regroup(struct pair *x, unsigned count, unsigned lanes)
{
    if (count > 1)
        regroup_by(x, 1, lanes);
    if (count > 2)
        regroup_by(x, 2, lanes);
    if (count > 4)
        regroup_by(x, 4, lanes);
    if (count > 8)
        regroup_by(x, 8, lanes);
}

/* As many rows at a time as fill the registers, each of `length` ≤ L elements. */
INLINE void rows_in_registers(const struct ff_vector_axis *axis, struct ff_vector_shape shape,
                              float *wave, struct parts parts, unsigned length)
{
    const unsigned together = L / length;
    const size_t row = 2 * shape.stride;
    for (size_t r = 0; r < shape.rows; r += together) {
        float *at = wave + r * row;
        struct pair x[L];
#pragma GCC unroll 16
        for (unsigned q = 0; q < together; q++) {
#pragma GCC unroll 16
            for (unsigned i = 0; i < length; i++)
                x[q * length + i] = load_pair(at + q * row + i * ELEMENT, parts);
            fft(&x[q * length], length);
#pragma GCC unroll 16
            for (unsigned i = 1; i < length; i++) {
                const float *twiddle = axis->lane_twiddles + i * ELEMENT;
                x[q * length + i] = times(x[q * length + i], load(twiddle), load(twiddle + L));
            }
        }
        regroup(x, L, 1);
        fft(x, L);
        regroup(x, together, length);
#pragma GCC unroll 16
        for (unsigned i = 0; i < L; i++)
            store_pair(at + i % together * row + i / together * ELEMENT, x[i], parts);
    }
}

/* Longer rows, whose transform from vector to vector does not fit into the registers. */
static void rows_through_scratch(const struct ff_vector_axis *axis, struct ff_vector_shape shape,
                                 float *wave, struct parts parts)
{
    _Alignas(64) float scratch[2][2 * FF_VECTOR_LENGTH_MOST];
    const size_t elements = axis->length / L;
    for (size_t r = 0; r < shape.rows; r++) {
        float *row = wave + r * 2 * shape.stride;
        run_stages(axis, row, scratch[0], scratch[1], parts);
        for (size_t k = 0; k < elements; k += L) {
            struct pair x[L];
#pragma GCC unroll 16
            for (unsigned i = 0; i < L; i++) {
                const float *twiddle = axis->lane_twiddles + (k + i) * ELEMENT;
                x[i] = times(load_pair(scratch[1] + (k + i) * ELEMENT, parts), load(twiddle),
                             load(twiddle + L));
            }
            regroup(x, L, 1);
            fft(x, L);
#pragma GCC unroll 16
            for (unsigned i = 0; i < L; i++)
                store_pair(row + 2 * (i * elements + k), x[i], parts);
        }
    }
}

static void rows(const struct ff_vector_axis *axis, struct ff_vector_shape shape, float *wave,
                 bool inverse)
{
    const struct parts parts = parts_of(inverse);
    switch (axis->length / L) {
    case 2:
        return rows_in_registers(axis, shape, wave, parts, 2);
    case 4:
        return rows_in_registers(axis, shape, wave, parts, 4);
    case 8:
        return rows_in_registers(axis, shape, wave, parts, 8);
#if FF_KERNEL_LANES == 16
    case 16:
        return rows_in_registers(axis, shape, wave, parts, 16);
#endif
    default:
        return rows_through_scratch(axis, shape, wave, parts);
    }
}

const struct ff_vector_code FF_VECTOR_CODE = {
    .name = FF_KERNEL_NAME,
    .lanes = L,
    .columns = columns,
    .rows = rows,
};
