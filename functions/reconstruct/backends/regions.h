/*
 * functions/reconstruct/backends/regions.h: the parts of a device's tile that others share, cut so that
 * all pixels of a part are shared by the same devices. A pure function of the links of backend.h, for
 * every backend's exchange.
 */
#ifndef FF_RECONSTRUCT_BACKENDS_REGIONS_H
#define FF_RECONSTRUCT_BACKENDS_REGIONS_H

#include "functions/reconstruct/backends/backend.h"

size_t ff_area_pixels(struct ff_area area);

/* What two areas have in common; without rows or columns where that is nothing. */
struct ff_area ff_area_common(struct ff_area a, struct ff_area b);

struct ff_region {
    struct ff_area area; /* of the object */
    struct ff_area
        common; /* what all sharers have in common: the area, and perhaps more; each of them finds the same */
    const unsigned *sharers; /* numbers of devices in order, this one among them: at least two */
    unsigned sharer_count;
};

struct ff_regions {
    struct ff_region *regions; /* by row, then by column */
    size_t count;
    size_t pixels, rows; /* of all together */
    size_t bytes;        /* that all this takes */
    unsigned *sharers;   /* of all regions */
};

/* Those of device `number` with these links, which are in order of their peers: disjoint, and together
 * all that the links cover. */
int ff_regions_create(const struct ff_link *links, size_t link_count, unsigned number,
                      struct ff_regions *regions, struct ff_error *error) FF_MUST_USE;
/* Also of zeroed regions that were never made. */
void ff_regions_release(struct ff_regions *regions);

#endif
