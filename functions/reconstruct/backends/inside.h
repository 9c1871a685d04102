/*
 * functions/reconstruct/backends/inside.h: positions that are put, for every backend.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_INSIDE_H
#define FF_RECONSTRUCT_BACKENDS_INSIDE_H

#include "functions/reconstruct/backends/backend.h"

/* What was put is put inside of the tile: a patch of (rows, columns) beyond it would be read and written where other
 * things lie. `positions` are `count` numbers, row and column in turn, in the whole object. */
void ff_keep_inside(struct ff_area tile, size_t rows, size_t columns, double *positions,
                    size_t count);

#endif
