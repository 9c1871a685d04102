/*
 * functions/reconstruct/formats/outliers.h: pixels that no mask names and that cannot be right.
 *
 * A pixel is dead or stuck when it says the same in every frame and three quarters of its
 * neighbours, two pixels around, say far more or far less all the same: light is counted, and counts
 * fluctuate. Such pixels can be masked without a doubt. A lone pixel that fluctuates and counts ten
 * times what those beside it count may be hot or may be a peak of the object, so it is only told of.
 */
#ifndef FF_RECONSTRUCT_FORMATS_OUTLIERS_H
#define FF_RECONSTRUCT_FORMATS_OUTLIERS_H

#include "functions/reconstruct/problem.h"

#include <stdbool.h>

struct ff_outliers_scan {
    size_t patterns, rows, columns;
    struct ff_counts counts; /* (patterns, rows, columns) */
    const uint8_t *measured; /* (rows, columns), 1 = use; the others are not looked at */
    bool shifted;            /* the beam is at element 0; else patterns lie as on the detector */
    size_t workers;
};

/* How many, and where the first of each kind is on the detector (row, column of the used part). */
struct ff_outliers {
    size_t stuck, suspect;
    size_t stuck_at[2], suspect_at[2];
};

/* Sets stuck[i] to 1 for the pixels that are dead or stuck, in the order of `measured`. Nothing is
 * found in less than 16 patterns, which prove nothing. */
int ff_outliers_find(const struct ff_outliers_scan *scan, uint8_t *stuck, struct ff_outliers *found,
                     struct ff_error *error) FF_MUST_USE;

#endif
