/*
 * functions/reconstruct/problem.h: what is to be solved, checked and in pixels. The border between formats (which
 * fill it from files), solvers (which read it) and results (which need its geometry).
 *
 * Conventions (those of tike): exit wave S_nk · P_m with S_nk the patch of the object at position k of pattern n (a
 * fly scan moves during the exposure: then a pattern has several); at the detector F = FFT(pad(S P)), orthonormal, in
 * the far field, and F = IFFT(H FFT(pad(S P))) with the Fresnel transfer function H in the near field; intensity
 * I_n = Σ_k Σ_m |F_nkm|². Probe and patch have one shape, patterns another that is at least as large: what the probe's
 * window lacks is filled with zeros.
 *
 * Object pixel size: in the far field wavelength × distance / (pixels of a pattern × detector pixel size), for each
 * axis of its own; in the near field that of the detector.
 */
#ifndef FF_RECONSTRUCT_PROBLEM_H
#define FF_RECONSTRUCT_PROBLEM_H

#include "functions/reconstruct/arrays.h"
#include "protocol/core/digest.h"

#include <stdbool.h>

/* Where it came from: SI units. What a file did not say is NaN. */
struct ff_geometry {
    double wavelength_m;
    double energy_J;
    double distance_m;          /* sample to detector */
    double detector_pixel_m[2]; /* rows, columns */
    double object_pixel_m[2];   /* rows, columns */
};

/* Measured counts in one of two forms: exactly one of the pointers is set. 16 bit wherever that is lossless. */
struct ff_counts {
    const uint16_t *u16;
    const float *f32;
};

struct ff_problem {
    size_t patterns;                  /* N */
    size_t fly;                       /* K ≥ 1: positions within the exposure of a pattern */
    size_t rows, columns;             /* of a pattern */
    size_t probe_rows, probe_columns; /* of the probe and a patch: at most those of a pattern */
    bool near_field;

    /* (N, rows, columns). Far field: DC at the corner, so element [n][0][0] is the centre of the beam. Near field: as
     * on the detector. Owned. */
    struct ff_counts counts;
    /* (rows, columns), laid out like a pattern, 1 = measured, 0 = not to be used. NULL: all are. Owned. */
    uint8_t *measured;

    /* (N, K, 2): row and column of the minimum corner of each patch in the object, in object pixels, with fractions.
     * 1 ≤ position and position + size + 1 ≤ object size, so that the 4-tap bilinear stencil stays inside. Owned. */
    double *positions;
    /* (N, K, 2): probe position y and x in metres, as the result file shall hold them. Owned. */
    double *positions_m;

    double
        travel_px; /* how far a refinement may move each position from here, in either axis; 0: not
                         at all. The bounds above hold for every place it may get to */

    size_t object_rows, object_columns;
    ff_complex
        *object; /* (object_rows, object_columns): the initial object. NULL: 1 everywhere. Owned. */

    size_t modes; /* M ≥ 1 */
    ff_complex *
        probe; /* (M, probe_rows, probe_columns): initial probe modes, centred in the array, strongest first. Owned. */

    struct ff_geometry geometry;

    char *source;                  /* the file's absolute path */
    char *format;                  /* the name of the preset that read it: "cxi" */
    struct ff_digest digest;       /* SHA-256 of the file and what it links to */
    struct ff_digest probe_digest; /* likewise of the one that initial_probe names; zeros: none */
    double total_counts;           /* over measured pixels */
    bool probe_was_given;          /* the initial probe came from a file */
};

void ff_problem_destroy(struct ff_problem *problem);

/* Checks every statement above that can be checked; the message names pattern, position or pixel and its value. */
int ff_problem_check(const struct ff_problem *problem, struct ff_error *error) FF_MUST_USE;

#endif
