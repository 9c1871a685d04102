/* Waves at the detector against what was measured there. */
#include "functions/reconstruct/backends/cpu/vector.h"

INLINE vf intensity_at(const struct ff_wave *waves, size_t count, size_t row, size_t column)
{
    vf intensity = {0};
    for (size_t i = 0; i < count; i++) {
        struct pair f = load_pair(waves[i].values + 2 * (row * waves[i].stride + column));
        intensity += f.re * f.re + f.im * f.im;
    }
    return intensity;
}

/* What all pixels of a pattern share. */
struct scales {
    vf scale, square;        /* of F, and of its intensity */
    vf back, back_over_root; /* of the factors, the latter by √I of the wave */
    vf most;                 /* that a factor may be */
};

/* The objective there and, by that of `noise`, what the wave is multiplied with to be χ's transform. */
struct factors {
    vf amplitude, objective, factor;
};

INLINE struct factors gaussian(vf intensity, vf counts, const struct scales *s)
{
    vf root = reciprocal_root(larger(intensity, all(TINY)));
    vf measured = counts * reciprocal_root(larger(counts, all(TINY)));
    vf error = intensity * root * s->scale - measured;
    return (struct factors){error * error, error * error,
                            measured * root * s->back_over_root - s->back};
}

INLINE struct factors poisson(vf intensity, vf counts, const struct scales *s)
{
    struct factors factors = gaussian(intensity, counts, s);
    vf lit = intensity * s->square + (ff_real)FF_POISSON_DARK;
    factors.objective = intensity * s->square - counts * logarithm(lit);
    factors.factor = (counts / lit - 1) * (ff_real)0.5 * s->back;
    return factors;
}

/* The proximal map of struct ff_projection: with q = √d / √I, z / √I = (ρ + √(ρ² + 4 (1+ρ) q²)) / (2 (1+ρ)). */
INLINE struct factors proximal(vf intensity, vf counts, const struct scales *s)
{
    const ff_real rho = FF_POISSON_PROXIMAL;
    const ff_real endless =
        1e6f; /* for q: its square is still a number, and the bound of factors lies far below */
    struct factors factors = poisson(intensity, counts, s);
    vf lit = larger(intensity * s->square, all(TINY));
    vf root = counts * reciprocal_root(larger(counts, all(TINY)));
    vf q = smaller(root * reciprocal_root(lit), all(endless));
    vf under = q * q * (4 * (1 + rho)) + rho * rho;
    vf ratio = (under * reciprocal_root(under) + rho) * (1 / (2 * (1 + rho)));
    factors.factor = (ratio - 1) * s->back;
    return factors;
}

/* What is asked of a pattern. */
enum asked { LEAST_SQUARES, LIKELIHOOD, PROXIMAL };

INLINE struct factors factors_of(enum asked asked, vf intensity, vf counts, const struct scales *s)
{
    if (asked == PROXIMAL)
        return proximal(intensity, counts, s);
    return asked == LIKELIHOOD ? poisson(intensity, counts, s) : gaussian(intensity, counts, s);
}

INLINE struct ff_cost modulus_of(const struct ff_wave *waves, size_t count,
                                 const struct ff_frame *frame, bool keep, enum asked asked)
{
    const bool is_poisson = asked != LEAST_SQUARES;

    const ff_real endless = 1e30f;
    const struct scales scales = {all(frame->scale), all(frame->scale * frame->scale),
                                  all(frame->back), all(frame->back / frame->scale),
                                  all(frame->bound > 0 ? frame->bound * frame->back : endless)};
    struct ff_cost total = {0, 0};
    for (size_t r = 0; r < frame->rows; r++) {
        vf amplitude = {0};
        vf objective = {0};
        for (size_t c = 0; c < frame->width; c += L) {
            vf intensity = intensity_at(waves, count, r, c);
            vf weight;
            vf counts = counts_at(frame, r, c, &weight);
            struct factors here = factors_of(asked, intensity, counts, &scales);
            here.factor = smaller(here.factor, scales.most);
            if (frame->weight != NULL) {
                here.amplitude = where(weight, here.amplitude);
                here.objective = where(weight, here.objective);
                here.factor = where(weight, here.factor);
            }
            amplitude += here.amplitude;
            if (is_poisson)
                objective += here.objective;
            for (size_t i = 0; i < count && !keep; i++)
                scale_pair(waves[i].values + 2 * (r * waves[i].stride + c), here.factor);
        }
        total.amplitude += sum_of(amplitude);
        if (is_poisson)
            total.objective += sum_of(objective);
    }
    if (!is_poisson)
        total.objective = total.amplitude;
    return total;
}

static struct ff_cost modulus(const struct ff_wave *waves, size_t count,
                              const struct ff_frame *frame, bool keep)
{
    if (frame->noise == FF_NOISE_POISSON && frame->proximal)
        return modulus_of(waves, count, frame, keep, PROXIMAL);
    if (frame->noise == FF_NOISE_POISSON)
        return modulus_of(waves, count, frame, keep, LIKELIHOOD);
    /* One wave is common enough for a loop of its own: the compiler then keeps F in registers. */
    if (count == 1)
        return modulus_of(waves, 1, frame, keep, LEAST_SQUARES);
    return modulus_of(waves, count, frame, keep, LEAST_SQUARES);
}

static void scales(const struct ff_wave *waves, size_t count, const struct ff_frame *frame,
                   double sums[2])
{
    for (size_t r = 0; r < frame->rows; r++) {
        vf cross = {0};
        vf own = {0};
        for (size_t c = 0; c < frame->width; c += L) {
            vf weight;
            vf counts = counts_at(frame, r, c, &weight);
            vf intensity =
                where(weight, intensity_at(waves, count, r, c)) * (frame->scale * frame->scale);
            vf product = intensity * counts;
            cross += product * reciprocal_root(larger(product, all(TINY)));
            own += intensity;
        }
        sums[0] += sum_of(cross);
        sums[1] += sum_of(own);
    }
}

const struct ff_modulus_kernels FF_KERNEL(ff_modulus_kernels) = {
    .modulus = modulus,
    .scales = scales,
};
