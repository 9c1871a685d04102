/*
 * functions/reconstruct/metrics/register.h: two objects brought to where they can be compared.
 *
 * Diffraction does not tell a global complex factor c, a phase ramp k (O e^{ik·x} with P e^{-ik·x})
 * nor a common shift s of object and probe. Those that bring an object nearest to a reference,
 *     reference(x) ≈ c e^{ik·x} object(x - s),
 * are found in two steps: whole pixels from the products of neighbours, which no ramp changes but
 * for a constant; then ramp and shift to fractions of a pixel from the peaks of the spectra of the
 * product and of the cross-correlation, and all six numbers together by Gauss and Newton, which
 * makes the squared difference over the region least.
 */
#ifndef FF_RECONSTRUCT_METRICS_REGISTER_H
#define FF_RECONSTRUCT_METRICS_REGISTER_H

#include "functions/reconstruct/metrics/image.h"

struct ff_registration {
    double shift_px[2];       /* s: rows, columns */
    double ramp[2];           /* k: radians a pixel */
    ff_complex_double factor; /* c, at the pixel (0, 0) of the reference */
};

/* An image with a window of the same shape that says how well it is known there, 0 … 1. */
struct ff_windowed {
    const struct ff_image *image;
    const struct ff_map *window;
};

/* The shift in whole pixels within `reach` of `guess` at which the windowed products of neighbours
 * correlate most. Shapes may differ. Where there is nothing to correlate it is the guess. */
int ff_register_whole(const struct ff_windowed *object, const struct ff_windowed *reference,
                      const long guess[2], size_t reach, long shift[2],
                      struct ff_error *error) FF_MUST_USE;

/*
 * All six numbers, from a shift below about a pixel on. The images have one shape, and so has
 * `mask`, which weighs the squared difference. FF_INPUT_INVALID where one of them is zero all over
 * the mask.
 */
int ff_register_fine(const struct ff_image *object, const struct ff_image *reference,
                     const struct ff_map *mask, struct ff_registration *registration,
                     struct ff_error *error) FF_MUST_USE;

/* Makes `aligned` = c e^{ik·x} object(x - s), of the same shape; s of at most some pixels. The
 * outermost pixels are faded into their mean, so that the periodic transform sees no edge. */
int ff_register_apply(const struct ff_image *object, const struct ff_registration *registration,
                      struct ff_image *aligned, struct ff_error *error) FF_MUST_USE;

/* `faded`, of the same shape, is the image faded at its edges into its mean. */
void ff_register_fade(const struct ff_image *image, struct ff_image *faded);

/* How many pixels are faded at an edge of an image of so many. */
size_t ff_register_edge(size_t extent);

#endif
