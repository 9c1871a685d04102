/*
 * functions/simulate/quantity.h: what a file can say about a simulation, as arrays.
 */
#ifndef FF_SIMULATE_QUANTITY_H
#define FF_SIMULATE_QUANTITY_H

#include "functions/simulate/simulation.h"

enum { FF_QUANTITY_RANK_MAX = 4 };

/* Positions are those that the file states, one for each place: in pixels from the smallest
 * coordinate, in metres as they are. */
enum ff_simulate_what {
    FF_SAY_NOTHING, /* ends a table */
    FF_SAY_ENERGY_J,
    FF_SAY_ENERGY_EV,
    FF_SAY_WAVELENGTH_M,
    FF_SAY_DISTANCE_M,
    FF_SAY_PIXEL_M,        /* of the detector */
    FF_SAY_OBJECT_PIXEL_M, /* of the object */
    FF_SAY_BEAM_PX,        /* where the beam hits a frame, on both axes */
    FF_SAY_SIZE,           /* of a frame */
    FF_SAY_FRAME_COUNT,
    FF_SAY_NUMBER,  /* the unit itself, an integer */
    FF_SAY_BASIS,   /* (2, 3): the steps of a pixel along rows (y) and columns (x) */
    FF_SAY_Y_M,     /* (P) */
    FF_SAY_X_M,     /* (P) */
    FF_SAY_Y_PX,    /* (P) */
    FF_SAY_X_PX,    /* (P) */
    FF_SAY_YX_M,    /* (P, 2) */
    FF_SAY_XYZ_M,   /* (P, 3) */
    FF_SAY_GRID_PX, /* (P, 2): rounded, unsigned */
    FF_SAY_SCAN_PX, /* (1, P, 2) float */
    FF_SAY_Y_X_M,   /* (2, P): y, then x */
    FF_SAY_X_Y_M,   /* (2, P): x, then y */
    FF_SAY_PLACES,  /* (P): the number of the pattern of each place */
    FF_SAY_FRAMES,  /* (n): the number of the pattern of each frame */
    FF_SAY_BAD,     /* (size, size): 1 where a pixel is bad; absent with mask = none */
    FF_SAY_GOOD,    /* (size, size): 1 where it is not; likewise */
    FF_SAY_GUESS,   /* (modes, h, w), (h, w) for one mode; absent with guess = none */
    FF_SAY_GUESS_4, /* (1, modes, h, w) */
    FF_SAY_GUESS_1, /* (h, w): the first mode */

    FF_SAY_EMPTY_OBJECT, /* (rows, columns) of 1 */

    /* The truth. */
    FF_SAY_OBJECT,
    FF_SAY_PROBE,
    FF_SAY_MEASURED,    /* (size, size): 1 where a pixel is good */
    FF_SAY_POSITIONS,   /* (N, 2) */
    FF_SAY_ALL_PLACES,  /* (N, fly, 2) of fly scans */
    FF_SAY_STATED,      /* (N, fly, 2) */
    FF_SAY_EIGENPROBES, /* (C, h, w) */
    FF_SAY_WEIGHTS,     /* (N, C) */
    FF_SAY_INTENSITIES, /* (N) */
    FF_SAY_FAULTS,      /* (N) of enum ff_simulate_fault */
};

enum ff_simulate_element {
    FF_ELEMENT_U8,
    FF_ELEMENT_U32,
    FF_ELEMENT_I64,
    FF_ELEMENT_F32,
    FF_ELEMENT_F64,
    FF_ELEMENT_COMPLEX
};

struct ff_simulate_array {
    enum ff_simulate_element element;
    int rank; /* 0: a single value */
    size_t shape[FF_QUANTITY_RANK_MAX];
    const void *values; /* NULL: the simulation has none of it */
    void *owned;        /* those that had to be made; the caller frees */
};

/* One line of the table of a format: lengths and energies are divided by the unit. */
struct ff_simulate_entry {
    const char *path; /* PATH, or PATH@ATTRIBUTE */
    enum ff_simulate_what what;
    double unit;
};

/* Some of the frames; NULL stands for all frames, and for the places of all patterns, also of those
 * whose frames were dropped. */
struct ff_simulate_part {
    size_t first, count;
};

/* The values live as long as the simulation, and no longer than `owned`. */
int ff_simulate_quantity(const struct ff_simulation *simulation,
                         const struct ff_simulate_entry *field, const struct ff_simulate_part *part,
                         struct ff_simulate_array *array, struct ff_error *error) FF_MUST_USE;

size_t ff_simulate_array_elements(const struct ff_simulate_array *array);
size_t ff_simulate_element_bytes(enum ff_simulate_element element);

#endif
