/*
 * functions/reconstruct/backends/cells.h: which of the devices that share a part of the object owns it, for a backend whose owners do
 * for the others what need be done once. Pure functions of the tiles, of which all devices find the same.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CELLS_H
#define FF_RECONSTRUCT_BACKENDS_CELLS_H

#include "functions/reconstruct/backends/regions.h"

/* A part of a region. */
struct ff_cell {
    struct ff_area area; /* of the object */
    unsigned owner;
    const unsigned *sharers; /* numbers of devices in order */
    unsigned sharer_count;
};

struct ff_cells {
    struct ff_cell *cells;
    size_t count, own_count; /* those of the device's own first */
    size_t pixels;           /* of all together */
    struct ff_regions regions;
};

/* By how much each of `count` devices owns of what it shares, against the others that share it: so that those with more of the object own less,
 * and all have about the same to move. `weights` has room for all. */
int ff_cell_weights(const struct ff_area *tiles, unsigned count, double *weights,
                    struct ff_error *error) FF_MUST_USE;

/* Those of device `number` with these links, as for ff_regions_create(). */
int ff_cells_create(const struct ff_link *links, size_t link_count, unsigned number,
                    const double *weights, struct ff_cells *cells,
                    struct ff_error *error) FF_MUST_USE;
/* Also of zeroed ones that were never made. */
void ff_cells_release(struct ff_cells *cells);

#endif
