/*
 * functions/reconstruct/orientation.h: how the axes of a scan lie against those of its frames: the
 * eight ways, and what each does to positions.
 */
#ifndef FF_RECONSTRUCT_ORIENTATION_H
#define FF_RECONSTRUCT_ORIENTATION_H

#include <stdbool.h>
#include <stddef.h>

enum { FF_ORIENTATIONS = 8 };

/* What is done to (row, column) of each position, in this order. */
struct ff_orientation {
    const char *name; /* as in the setting `orientation`: "as-is", "transposed", … */
    bool transposed, rows_reversed, columns_reversed;
};

/* "as-is" first. */
extern const struct ff_orientation ff_orientations[FF_ORIENTATIONS];

/* `positions` (count, 2). */
void ff_orientation_apply(const struct ff_orientation *orientation, double *positions,
                          size_t count);

/* The number of the one with both axes reversed once more: its conjugate object and probe, turned by
 * 180°, explain the same patterns. */
unsigned ff_orientation_twin(unsigned orientation);

#endif
