/*
 * functions/reconstruct/formats/measurement.h: what a file says about a scan, checked value by
 * value, in SI units and in the axes of the detector array, before it becomes a problem (build.h).
 * Every format fills this and nothing else.
 */
#ifndef FF_RECONSTRUCT_FORMATS_MEASUREMENT_H
#define FF_RECONSTRUCT_FORMATS_MEASUREMENT_H

#include "functions/reconstruct/problem.h"

/* Remarks for the user that are no errors: one line each. */
enum { FF_NOTES_BYTES_MAX = 16384 };

struct ff_measurement {
    size_t patterns;
    size_t fly;           /* positions within the exposure of a pattern: 1 but for fly scans */
    bool near_field;      /* a pattern is an image at a short distance, not a diffraction pattern */
    size_t rows, columns; /* of what was kept of a frame */
    struct ff_counts counts; /* as in ff_problem: the layout of the field. Owned */
    uint8_t *measured;       /* as in ff_problem, or NULL. Owned */
    double total_counts;     /* over measured pixels */

    double *positions_m; /* (N, fly, 2): where the probe was, along the rows and the columns of the
                            frames. Owned */

    double wavelength_m;
    double energy_J;
    double distance_m;
    double detector_pixel_m[2]; /* rows, columns. What nobody says is NaN. */
    double object_pixel_m[2];   /* likewise; 0: by the geometry, as problem.h says */

    size_t probe_modes; /* 0: the file has none */
    size_t probe_rows, probe_columns;
    ff_complex *probe; /* (modes, rows, columns), centred. Owned */
};

/* Frees what it owns; the structure itself is the caller's. */
void ff_measurement_dispose(struct ff_measurement *measurement);

#endif
