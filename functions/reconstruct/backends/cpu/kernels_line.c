/* The objective along a line, where an intensity is a polynomial of the length. */
#include "functions/reconstruct/backends/cpu/vector.h"

INLINE struct pair pair_at(const struct ff_wave *wave, size_t row, size_t column)
{
    return load_pair(wave->values + 2 * (row * wave->stride + column));
}

static void quadratic(const struct ff_wave *f, const struct ff_wave *g, size_t count, ff_real scale,
                      ff_real *coefficients)
{
    const size_t area = f->rows * f->width;
    for (size_t r = 0; r < f->rows; r++) {
        for (size_t c = 0; c < f->width; c += L) {
            vf sums[3] = {{0}};
            for (size_t i = 0; i < count; i++) {
                struct pair a = pair_at(&f[i], r, c);
                struct pair b = pair_at(&g[i], r, c);
                b = (struct pair){scale * b.re, scale * b.im};
                sums[0] += real_product(a, a);
                sums[1] += 2 * real_product(a, b);
                sums[2] += real_product(b, b);
            }
            for (unsigned k = 0; k < 3; k++)
                store(coefficients + k * area + r * f->width + c, sums[k]);
        }
    }
}

static void quartic(const struct ff_wave *f, const struct ff_wave *g, const struct ff_wave *h,
                    size_t count, ff_real scale, ff_real *coefficients)
{
    const size_t area = f->rows * f->width;
    for (size_t r = 0; r < f->rows; r++) {
        for (size_t c = 0; c < f->width; c += L) {
            vf sums[5] = {{0}};
            for (size_t i = 0; i < count; i++) {
                struct pair a = pair_at(&f[i], r, c);
                struct pair b = pair_at(&g[i], r, c);
                struct pair d = pair_at(&h[i], r, c);
                b = (struct pair){scale * b.re, scale * b.im};
                d = (struct pair){scale * d.re, scale * d.im};
                sums[0] += real_product(a, a);
                sums[1] += 2 * real_product(a, b);
                sums[2] += real_product(b, b) + 2 * real_product(a, d);
                sums[3] += 2 * real_product(b, d);
                sums[4] += real_product(d, d);
            }
            for (unsigned k = 0; k < 5; k++)
                store(coefficients + k * area + r * f->width + c, sums[k]);
        }
    }
}

/* Value, slope and curve of the objective of one pixel by γ, from those of its intensity. */
struct along {
    vf value, slope, curve;
};

INLINE struct along gaussian(struct along intensity, vf counts)
{
    vf root = reciprocal_root(larger(intensity.value, all(TINY)));
    vf measured = counts * reciprocal_root(larger(counts, all(TINY)));
    vf error = intensity.value * root - measured;
    vf ratio = measured * root;
    vf bend = intensity.slope * root;
    return (struct along){error * error, intensity.slope * (1 - ratio),
                          intensity.curve * (1 - ratio) + (ff_real)0.5 * ratio * bend * bend};
}

INLINE struct along poisson(struct along intensity, vf counts)
{
    vf lit = intensity.value + (ff_real)FF_POISSON_DARK;
    vf ratio = counts / lit;
    vf bend = intensity.slope / lit;
    return (struct along){intensity.value - counts * logarithm(lit), intensity.slope * (1 - ratio),
                          intensity.curve * (1 - ratio) + counts * bend * bend};
}

INLINE struct along polynomial(const ff_real *coefficients, size_t area, unsigned degree,
                               ff_real gamma)
{
    struct along i = {{0}, {0}, {0}};
    for (unsigned k = degree + 1; k-- > 0;) {
        vf c = load(coefficients + k * area);
        i.curve = i.curve * gamma + 2 * i.slope;
        i.slope = i.slope * gamma + i.value;
        i.value = i.value * gamma + c;
    }
    /* Rounding may leave less than nothing where waves all but cancel. */
    i.value = larger(i.value, (vf){0});
    return i;
}

INLINE void terms_of(const ff_real *coefficients, unsigned degree, const struct ff_frame *frame,
                     ff_real gamma, bool is_poisson, struct ff_line_terms *terms)
{
    const size_t area = frame->rows * frame->width;
    for (size_t r = 0; r < frame->rows; r++) {
        vf sums[4] = {{0}};
        for (size_t c = 0; c < frame->width; c += L) {
            const ff_real *at = coefficients + r * frame->width + c;
            vf weight;
            vf counts = counts_at(frame, r, c, &weight);
            struct along intensity = polynomial(at, area, degree, gamma);
            struct along here =
                is_poisson ? poisson(intensity, counts) : gaussian(intensity, counts);
            sums[0] += where(weight, here.value);
            sums[1] += where(weight, here.slope);
            sums[2] += where(weight, here.curve);
            sums[3] += where(weight, load(at + 2 * area));
        }
        terms->value += sum_of(sums[0]);
        terms->slope += sum_of(sums[1]);
        terms->curve += sum_of(sums[2]);
        terms->majoriser += 2 * sum_of(sums[3]);
    }
}

static void terms(const ff_real *coefficients, unsigned degree, const struct ff_frame *frame,
                  ff_real gamma, struct ff_line_terms *found)
{
    if (frame->noise == FF_NOISE_POISSON)
        terms_of(coefficients, degree, frame, gamma, true, found);
    else if (degree == FF_LINE_DEGREE)
        terms_of(coefficients, FF_LINE_DEGREE, frame, gamma, false, found);
    else
        terms_of(coefficients, degree, frame, gamma, false, found);
}

const struct ff_line_kernels FF_KERNEL(ff_line_kernels) = {
    .quadratic = quadratic,
    .quartic = quartic,
    .terms = terms,
};
