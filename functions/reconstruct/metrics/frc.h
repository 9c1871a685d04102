/*
 * functions/reconstruct/metrics/frc.h: Fourier ring correlation (Saxton and Baumeister, J. Microsc.
 * 127, 127 (1982)) with the half-bit threshold (van Heel and Schatz, J. Struct. Biol. 151, 250
 * (2005)).
 *
 * Of two registered images a, b under a window w, transformed to A and B, ring by ring:
 *     FRC(q) = Re Σ A conj(B) / √(Σ|A|² Σ|B|²),
 *     T(n) = (0.2071 + 1.9102 / √n) / (1.2071 + 0.9102 / √n).
 * n is the number of independent values in the ring: its pixels times (Σ w²)² / (N Σ w⁴) with N
 * pixels of the image, the share that the window leaves of the independent values of noise.
 */
#ifndef FF_RECONSTRUCT_METRICS_FRC_H
#define FF_RECONSTRUCT_METRICS_FRC_H

#include "functions/reconstruct/metrics/image.h"

#include <stdbool.h>

struct ff_frc {
    size_t rings; /* from the second lowest frequency to that of Nyquist */
    double
        *frequency; /* cycles per pixel of the coarser axis, ½ at most: the ring's middle. Owned */
    double *correlation, *threshold;
    /* Where the correlation falls below the threshold and stays there for the next two rings as
     * well: half a period, in pixels of the coarser axis. NaN where it was never above. */
    double resolution_px;
    bool reaches_nyquist; /* it never falls below: resolution_px is 1 */
};

/* `pixel` holds the sizes of rows and columns, in any unit that both share. Images and window have
 * one shape. */
int ff_frc_create(const struct ff_image *a, const struct ff_image *b, const struct ff_map *window,
                  const double pixel[2], struct ff_frc *frc, struct ff_error *error) FF_MUST_USE;
void ff_frc_dispose(struct ff_frc *frc);

/* T(n). */
double ff_frc_threshold(double n);

#endif
