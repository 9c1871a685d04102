/*
 * functions/reconstruct/metrics/fourier.h: two-dimensional transforms in double precision.
 */
#ifndef FF_RECONSTRUCT_METRICS_FOURIER_H
#define FF_RECONSTRUCT_METRICS_FOURIER_H

#include "functions/reconstruct/metrics/image.h"

/* A plan for (rows, columns) in place, DC at the corner: forward F_u = Σ_x f_x e^{-2πi ux/N},
 * inverse with 1/N. Made and destroyed by one thread at a time. */
struct ff_fourier;
struct ff_fourier *ff_fourier_create(size_t rows, size_t columns,
                                     struct ff_error *error) FF_MUST_USE;
void ff_fourier_destroy(struct ff_fourier *fourier);
void ff_fourier_forward(const struct ff_fourier *fourier, ff_complex_double *values);
void ff_fourier_inverse(const struct ff_fourier *fourier, ff_complex_double *values);

/* The least number ≥ `least` without a prime factor above 7. */
size_t ff_fourier_size(size_t least);

/* The frequency of an index, in cycles per pixel, -½ … ½. */
double ff_fourier_frequency(size_t index, size_t count);

/* Moves the image, of which these are the frequencies, by fractions of pixels: f(x) → f(x - move).
 * The frequency ½, which has no sign, is damped by cos π move, as the mean of both signs gives. */
void ff_fourier_move(struct ff_image *spectrum, const double move[2]);

/*
 * Where |Σ_j t_j e^{i s_j·place}| is greatest near `place`, which is where the search begins: a
 * transform at a few fractional places only (Guizar-Sicairos, Thurman and Fienup, Opt. Lett. 33,
 * 156 (2008)), zoomed in to 1e-3.
 *   FF_PEAK_OF_SPECTRUM: t are frequencies, s_j theirs in radians per pixel, place in pixels.
 *   FF_PEAK_OF_IMAGE: t is an image, s_j = -(row, column), place in radians per pixel.
 */
enum ff_peak_kind { FF_PEAK_OF_SPECTRUM, FF_PEAK_OF_IMAGE };
int ff_fourier_peak(const struct ff_image *terms, enum ff_peak_kind kind, double place[2],
                    struct ff_error *error) FF_MUST_USE;

#endif
