/*
 * functions/reconstruct/backends/cpu/regions.h: the parts of a tile that others share, cut so that all
 * pixels of a part are shared by the same devices. Private to the exchange.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_CPU_REGIONS_H
#define FF_RECONSTRUCT_BACKENDS_CPU_REGIONS_H

#include "functions/reconstruct/backends/cpu/state.h"

enum { REGION_PLANES = 3 }; /* of the sums: real and imaginary part of N_O, and W */

struct region {
    struct ff_area area;     /* of the object */
    const unsigned *sharers; /* numbers of devices in order, this one among them */
    unsigned sharer_count;
    ff_real *sums; /* (rows, REGION_PLANES, columns): of all sharers, beside those of this device */
    bool *touched; /* (rows): by a pattern of any sharer */
};

struct regions {
    struct region *regions;
    size_t count;
};

/* Those of the plan's links, disjoint and together all that the links cover; freed with the backend. */
int ff_cpu_regions_create(struct ff_backend *backend, struct regions *regions,
                          struct ff_error *error) FF_MUST_USE;

/* The sums of a row of the object in a region. */
ff_real *ff_cpu_region_row(const struct region *region, size_t row);

#endif
