/*
 * functions/reconstruct/devices/tiles.h: which patterns, and which part of the object, each device
 * has. A pure function of the scan.
 *
 * The patterns are halved again and again along the longer side of what they cover, in proportion
 * to the devices of either half, so that any number of devices gets equal counts, give or take one.
 * Cuts by count follow the scan's density; cuts across the longer side keep the overlaps, which are
 * what devices must exchange, short.
 */
#ifndef FF_RECONSTRUCT_DEVICES_TILES_H
#define FF_RECONSTRUCT_DEVICES_TILES_H

#include "functions/reconstruct/backends/regions.h"

struct ff_scan {
    const double *positions; /* (patterns, fly, 2), as in problem.h */
    size_t patterns, fly;
    size_t rows, columns;               /* of a patch */
    size_t object_rows, object_columns; /* that all patches, with a pixel around, lie in */
    double travel_px;                   /* how far a position may move, in either direction */
};

struct ff_tile {
    uint32_t *patterns; /* in the order of the scan */
    size_t pattern_count;
    struct ff_area area;
    struct ff_area *owned; /* the area without those of the tiles before: disjoint */
    size_t owned_count;
    struct ff_link *links; /* overlaps with other tiles, by number */
    size_t link_count;
};

struct ff_tiles {
    unsigned count;
    struct ff_tile *tiles;
    struct ff_area *areas; /* (count): those of the tiles */
};

/*
 * `count` tiles, at least 1, of at least one pattern; more than patterns are as many as patterns. Wherever positions may
 * travel to, they keep to their tile as problem.h has them keep to the object: a pixel from its
 * edges. A single tile is the whole object; several need not cover it, but the owned areas together
 * are what the tiles cover, each pixel once.
 */
struct ff_tiles *ff_tiles_create(const struct ff_scan *scan, unsigned count,
                                 struct ff_error *error) FF_MUST_USE;
void ff_tiles_destroy(struct ff_tiles *tiles);

/*
 * The patterns in the order in which they are halved, down to single ones: neighbours there are neighbours in the object, and each
 * of 2, 4, 8, … tiles has a run of them. `order` has room for scan->patterns; of the scan positions, patterns and fly are looked at.
 */
int ff_scan_order(const struct ff_scan *scan, uint32_t *order, struct ff_error *error) FF_MUST_USE;

#endif
