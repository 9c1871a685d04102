#include "functions/reconstruct/metrics/fit.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum {
    UNKNOWNS = 6, /* ln |c|, arg c, k (rows, columns), s (rows, columns) */
    STEPS = 12,
    HALVINGS = 6,
};

/* Steps below this many pixels, and turns of as many radians across the image, end the search. */
static const double enough = 1e-5;
/* A share of the power below which slopes are nothing but rounding. */
static const double rounding = 1e-20;

struct state {
    const struct ff_fit *fit;
    struct ff_image image; /* object(x - s) e^{ik·x}, then times c */
    struct ff_image slope[2]; /* e^{ik·x} times the object's derivatives: with -c they are ∂m/∂s */
    struct ff_image reference_slope[2]; /* derivatives of the reference */
    double matrix[UNKNOWNS][UNKNOWNS], right[UNKNOWNS];
    double sum; /* Σ mask |reference - m|² */
};

/* The spectrum of the derivative along an axis. */
static void differentiate(struct ff_image *spectrum, int axis)
{
    for (size_t i = 0; i < spectrum->rows * spectrum->columns; i++) {
        size_t index = axis == 0 ? i / spectrum->columns : i % spectrum->columns;
        size_t count = axis == 0 ? spectrum->rows : spectrum->columns;
        double cycles = 2 * index == count ? 0 : ff_fourier_frequency(index, count);
        spectrum->values[i] *= 2 * M_PI * cycles * (ff_complex_double)I;
    }
}

/* The image, or with `axis` 0 or 1 its derivative along that, at the registration's shift and
 * ramp. */
static void evaluate(const struct ff_fit *fit, const struct ff_registration *at, int axis,
                     struct ff_image *image)
{
    ff_image_place(fit->spectrum, (const long[]){0, 0}, image);
    if (axis >= 0)
        differentiate(image, axis);
    ff_fourier_move(image, at->shift_px);
    ff_fourier_inverse(fit->fourier, image->values);
    for (size_t r = 0; r < image->rows; r++) {
        for (size_t c = 0; c < image->columns; c++)
            image->values[r * image->columns + c] *=
                ff_turn(at->ramp[0] * (double)r + at->ramp[1] * (double)c);
    }
}

/* The best factor for a shift and a ramp, c = <image, reference> / <image, image>, and the sum that
 * is left with it. */
static int measure(struct state *state, struct ff_registration *at)
{
    const struct ff_fit *fit = state->fit;
    ff_complex_double cross = 0;
    double own = 0;
    double other = 0;
    state->sum = INFINITY;
    evaluate(fit, at, -1, &state->image);
    for (size_t i = 0; i < state->image.rows * state->image.columns; i++) {
        double weight = fit->mask->values[i];
        cross += weight * conj(state->image.values[i]) * fit->reference->values[i];
        own += weight * ff_power(state->image.values[i]);
        other += weight * ff_power(fit->reference->values[i]);
    }
    if (!(own > 0) || !(other > 0) || !isfinite(own) || !isfinite(other))
        return -1;
    at->factor = cross / own;
    state->sum = other - ff_power(cross) / own;
    return 0;
}

/*
 * The derivatives of the model at a pixel, ∂m/∂a, from its value and its slopes. Places count from
 * the middle, so that factor and ramp are nearly independent.
 */
static void derivatives(ff_complex_double value, const ff_complex_double slope[2], double y,
                        double x, ff_complex_double by[UNKNOWNS])
{
    ff_complex_double turned = value * (ff_complex_double)I;
    by[0] = value;
    by[1] = turned;
    by[2] = turned * y;
    by[3] = turned * x;
    by[4] = -slope[0];
    by[5] = -slope[1];
}

/*
 * The right side is Re <∂m/∂a, reference - m>. The matrix is Re <∂m/∂a, ∂m'/∂b>, made symmetric, with
 * m' the reference in place of the model: at the end both are the same but for noise, and noise,
 * whose slopes are steep, would otherwise make the steps far too short.
 */
static void set_up(struct state *state, const struct ff_registration *at)
{
    const struct ff_fit *fit = state->fit;
    const size_t rows = state->image.rows;
    const size_t columns = state->image.columns;
    for (int axis = 0; axis < 2; axis++)
        evaluate(fit, at, axis, &state->slope[axis]);
    for (int a = 0; a < UNKNOWNS; a++) {
        state->right[a] = 0;
        for (int b = 0; b < UNKNOWNS; b++)
            state->matrix[a][b] = 0;
    }
    for (size_t i = 0; i < rows * columns; i++) {
        double weight = fit->mask->values[i];
        if (!(weight > 0))
            continue;
        const double y = (double)(i / columns) - (double)rows / 2;
        const double x = (double)(i % columns) - (double)columns / 2;
        ff_complex_double model = at->factor * state->image.values[i];
        ff_complex_double reference = fit->reference->values[i];
        ff_complex_double slope[2];
        ff_complex_double reference_slope[2];
        for (int axis = 0; axis < 2; axis++) {
            slope[axis] = at->factor * state->slope[axis].values[i];
            reference_slope[axis] = state->reference_slope[axis].values[i] -
                                    at->ramp[axis] * reference * (ff_complex_double)I;
        }
        ff_complex_double by[UNKNOWNS];
        ff_complex_double other[UNKNOWNS];
        derivatives(model, slope, y, x, by);
        derivatives(reference, reference_slope, y, x, other);
        for (int a = 0; a < UNKNOWNS; a++) {
            state->right[a] += weight * creal(conj(by[a]) * (reference - model));
            for (int b = 0; b <= a; b++)
                state->matrix[a][b] +=
                    0.5 * weight * creal(conj(by[a]) * other[b] + conj(other[a]) * by[b]);
        }
    }
}

/* Solves by Cholesky's factors, scaled to a unit diagonal; an unknown on which nothing depends
 * stays as it is. */
static void solve(struct state *state, double step[UNKNOWNS])
{
    double factor[UNKNOWNS][UNKNOWNS] = {0};
    double scale[UNKNOWNS];
    for (int a = 0; a < UNKNOWNS; a++)
        scale[a] = state->matrix[a][a] > rounding * state->matrix[0][0]
                       ? 1 / sqrt(state->matrix[a][a])
                       : 0;
    for (int a = 0; a < UNKNOWNS; a++)
        for (int b = 0; b <= a; b++) {
            double sum = a == b ? 1 + 1e-9 : state->matrix[a][b] * scale[a] * scale[b];
            for (int k = 0; k < b; k++)
                sum -= factor[a][k] * factor[b][k];
            factor[a][b] = a == b ? sqrt(fmax(sum, 1e-12)) : sum / factor[b][b];
        }
    for (int a = 0; a < UNKNOWNS; a++) {
        step[a] = state->right[a] * scale[a];
        for (int k = 0; k < a; k++)
            step[a] -= factor[a][k] * step[k];
        step[a] /= factor[a][a];
    }
    for (int a = UNKNOWNS - 1; a >= 0; a--) {
        for (int k = a + 1; k < UNKNOWNS; k++)
            step[a] -= factor[k][a] * step[k];
        step[a] /= factor[a][a];
    }
    for (int a = 0; a < UNKNOWNS; a++)
        step[a] *= scale[a];
}

/* The factor follows from the rest, so the step moves shift and ramp alone. */
static struct ff_registration stepped(const struct ff_registration *from,
                                      const double step[UNKNOWNS], double share)
{
    struct ff_registration to = *from;
    for (int axis = 0; axis < 2; axis++) {
        to.ramp[axis] += share * step[2 + axis];
        to.shift_px[axis] += share * step[4 + axis];
    }
    return to;
}

static int iterate(struct state *state, struct ff_registration *at)
{
    const double extent[2] = {(double)state->image.rows, (double)state->image.columns};
    if (measure(state, at) < 0)
        return -1;
    for (int i = 0; i < STEPS; i++) {
        double step[UNKNOWNS];
        double before = state->sum;
        double share = 1;
        set_up(state, at);
        solve(state, step);
        struct ff_registration next = stepped(at, step, share);
        for (int k = 0; k < HALVINGS && (measure(state, &next) < 0 || !(state->sum <= before)); k++)
            next = stepped(at, step, share /= 2);
        if (!(state->sum <= before))
            return measure(state, at);
        *at = next;
        double moved = hypot(step[4], step[5]) + hypot(step[2] * extent[0], step[3] * extent[1]);
        if (share * moved < enough)
            break;
    }
    return 0;
}

int ff_fit_registration(const struct ff_fit *fit, struct ff_registration *registration,
                        struct ff_error *error)
{
    struct state state = {.fit = fit};
    const struct ff_image *reference = fit->reference;
    struct ff_image *const fields[] = {&state.image, &state.slope[0], &state.slope[1],
                                       &state.reference_slope[0], &state.reference_slope[1]};
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof fields / sizeof fields[0]; i++)
        result = ff_image_create(fields[i], reference->rows, reference->columns, error);
    for (int axis = 0; result == 0 && axis < 2; axis++) {
        struct ff_image *slope = &state.reference_slope[axis];
        ff_register_fade(reference, slope);
        ff_fourier_forward(fit->fourier, slope->values);
        differentiate(slope, axis);
        ff_fourier_inverse(fit->fourier, slope->values);
    }
    if (result == 0 && iterate(&state, registration) < 0)
        result = ff_fail(error, FF_INPUT_INVALID,
                         "one of the objects is zero all over the region that is compared");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        ff_image_dispose(fields[i]);
    return result;
}
