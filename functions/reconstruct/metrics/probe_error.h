/*
 * functions/reconstruct/metrics/probe_error.h: how far the modes of a probe are from those of a
 * reference.
 *
 * Incoherent modes may be mixed by any unitary matrix; what the data see is the sum of projectors
 * ρ = Σ_m |P_m><P_m|. So the error is ‖s ρ - ρ_ref‖ / ‖ρ_ref‖ in the Frobenius norm with the best
 * scale s, √(1 - t² / (‖ρ‖² ‖ρ_ref‖²)), t = tr ρ ρ_ref = Σ_ml |<P_m|P_l,ref>|²; a mode's phase does
 * not count either.
 */
#ifndef FF_RECONSTRUCT_METRICS_PROBE_ERROR_H
#define FF_RECONSTRUCT_METRICS_PROBE_ERROR_H

#include "functions/reconstruct/metrics/image.h"

/* (modes, rows, columns), borrowed. */
struct ff_probe_view {
    const ff_complex_double *values;
    size_t modes, rows, columns;
};

enum { FF_PROBE_SHARES_MAX = 64 };

struct ff_probe_error {
    double relative;
    double power_ratio; /* Σ|P|² of the probe over that of the reference */
    /* The power shares of the modes once they are orthogonal, strongest first. */
    size_t modes[2]; /* of the probe and the reference, at most FF_PROBE_SHARES_MAX */
    double shares[2][FF_PROBE_SHARES_MAX];
    double first_overlap; /* |<P|P_ref>| / (‖P‖ ‖P_ref‖) of the strongest of them */
};

/* Rows and columns must agree. */
int ff_probe_error(const struct ff_probe_view *probe, const struct ff_probe_view *reference,
                   struct ff_probe_error *found, struct ff_error *error) FF_MUST_USE;

#endif
