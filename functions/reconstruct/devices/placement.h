/*
 * functions/reconstruct/devices/placement.h: which tile goes on which physical device. A pure
 * function of what the devices are joined by and of what the tiles must exchange.
 *
 * The model of an exchange: every device reads each overlap from each neighbour, all at once. A pair
 * of devices is as slow as its link; a device that has several neighbours may be slower yet, because
 * all it reads comes in through one port. The exchange lasts as long as the slowest of all. Of the
 * placements that are equally fast the one with the least total time on the links is taken, which
 * puts the heaviest edges on the best links, and of those the first in order of the numbers.
 */
#ifndef FF_RECONSTRUCT_DEVICES_PLACEMENT_H
#define FF_RECONSTRUCT_DEVICES_PLACEMENT_H

#include "protocol/core/error.h"

#include <stddef.h>

enum { FF_PLACEMENT_DEVICES_MAX = 1024 };

/* What joins the physical devices. */
struct ff_topology {
    unsigned devices;
    /* (devices, devices), bytes a second from row to column when nothing else is under way; the
     * diagonal is not looked at. Above 0. NULL: all pairs are equal. */
    const double *links;
    /* (devices), bytes a second that a device can read from all others together. NULL: no limit but
     * the links. */
    const double *ports;
};

struct ff_placement {
    unsigned tiles;
    unsigned *device;   /* (tiles): the physical device of each; no two are the same */
    double *link_bytes; /* (devices, devices): from row to column in one exchange */
    double
        exchange_s; /* what the model says that one takes; 0 where links are NULL and ports are NULL */
    double link_seconds; /* Σ bytes / bandwidth over all links, likewise */
};

/*
 * Places `tiles` tiles, at most topology->devices, of which tile j reads bytes[i × tiles + j] from
 * tile i in one exchange. Exact up to eight devices, by trying all; beyond, heaviest edges first and
 * then exchanging pairs until none helps. The same answer for the same numbers, everywhere.
 */
struct ff_placement *ff_placement_create(const struct ff_topology *topology, unsigned tiles,
                                         const double *bytes, struct ff_error *error) FF_MUST_USE;
void ff_placement_destroy(struct ff_placement *placement);

#endif
