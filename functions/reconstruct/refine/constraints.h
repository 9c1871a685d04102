/*
 * functions/reconstruct/refine/constraints.h: what object and probe are held to between epochs.
 */
#ifndef FF_RECONSTRUCT_REFINE_CONSTRAINTS_H
#define FF_RECONSTRUCT_REFINE_CONSTRAINTS_H

#include "functions/reconstruct/arrays.h"

/* In the order of the choices of the settings of these names. */
enum ff_object_constraint {
    FF_OBJECT_FREE,
    FF_OBJECT_UNIT,   /* |O| ≤ 1: the sample absorbs, and emits nothing */
    FF_OBJECT_PHASE,  /* |O| = 1: it only delays */
    FF_OBJECT_SMOOTH, /* a tenth of each pixel from the mean of its 3 × 3 neighbours */
};
enum ff_probe_constraint {
    FF_PROBE_FREE,
    FF_PROBE_CENTRED, /* its centre of light stays in the middle of its window: moved at most a pixel */
    FF_PROBE_SUPPORT, /* nothing beyond a circle of nine tenths of the window */
};

/* (rows, columns) in place. `room` is of the same shape; only FF_OBJECT_SMOOTH needs it. */
void ff_object_constrain(ff_complex *object, size_t rows, size_t columns,
                         enum ff_object_constraint constraint, ff_complex *room);

/* Whole pixels by which the light's centre is off the middle, -1, 0 or 1 for each axis. */
void ff_probe_offset(const ff_complex *probe, size_t modes, size_t rows, size_t columns,
                     int offset[2]);

/* Moves planes of (rows, columns) by whole pixels, zeros coming in. */
void ff_planes_shift(ff_complex *planes, size_t count, size_t rows, size_t columns,
                     const int by[2]);

/* Zero beyond the circle. */
void ff_probe_bound(ff_complex *probe, size_t planes, size_t rows, size_t columns);

/* Mean |O|² over the pixels that are `seen`; 1 where none is. */
double ff_object_power(const ff_complex *object, const uint8_t *seen, size_t pixels);

#endif
