#include "functions/reconstruct/devices/placement.h"

#include "functions/reconstruct/arrays.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_DEVICES = 8, NOWHERE = -1 };

struct search {
    const struct ff_topology *topology;
    const double *bytes;
    unsigned tiles;
    int *device; /* of each tile, or NOWHERE */
    int *tile;   /* of each device, or NOWHERE */
    int *best;   /* of each tile */
};

/* How long an exchange takes; the second decides among equals. */
struct time {
    double exchange_s, link_seconds;
};

static double seconds_of(const struct ff_topology *topology, unsigned from, unsigned to,
                         double bytes)
{
    return topology->links != NULL ? bytes / topology->links[from * topology->devices + to] : 0;
}

/* Of what is placed so far. */
static struct time time_of(const struct search *search, const int *device)
{
    const struct ff_topology *topology = search->topology;
    struct time time = {0, 0};
    for (unsigned reader = 0; reader < search->tiles; reader++) {
        double all = 0;
        if (device[reader] == NOWHERE)
            continue;
        for (unsigned peer = 0; peer < search->tiles; peer++) {
            double bytes = search->bytes[peer * search->tiles + reader];
            if (peer == reader || device[peer] == NOWHERE || bytes <= 0)
                continue;
            double seconds =
                seconds_of(topology, (unsigned)device[peer], (unsigned)device[reader], bytes);
            time.exchange_s = fmax(time.exchange_s, seconds);
            time.link_seconds += seconds;
            all += bytes;
        }
        if (topology->ports != NULL)
            time.exchange_s = fmax(time.exchange_s, all / topology->ports[device[reader]]);
    }
    return time;
}

/* By more than rounding: equal placements must not depend on the order of sums. */
static bool clearly_less(double a, double b)
{
    return a < b * (1 - 1e-9);
}

static bool faster(struct time a, struct time b)
{
    if (clearly_less(a.exchange_s, b.exchange_s) || clearly_less(b.exchange_s, a.exchange_s))
        return a.exchange_s < b.exchange_s;
    return clearly_less(a.link_seconds, b.link_seconds);
}

static void put(struct search *search, unsigned tile, unsigned device)
{
    search->device[tile] = (int)device;
    search->tile[device] = (int)tile;
}

static void take(struct search *search, unsigned tile)
{
    search->tile[search->device[tile]] = NOWHERE;
    search->device[tile] = NOWHERE;
}

/* Tries all devices for `tile` and those after it. More tiles only make an exchange slower, so what
 * is no faster than the best already is left. */
static void try_all(struct search *search, unsigned tile, struct time *best)
{
    struct time time = time_of(search, search->device);
    if (!faster(time, *best))
        return;
    if (tile == search->tiles) {
        *best = time;
        memcpy(search->best, search->device, search->tiles * sizeof *search->best);
        return;
    }
    for (unsigned device = 0; device < search->topology->devices; device++) {
        if (search->tile[device] != NOWHERE)
            continue;
        put(search, tile, device);
        try_all(search, tile + 1, best);
        take(search, tile);
    }
}

/* The tile not yet placed that shares most with those that are: the first is the one that shares
 * most of all. */
static unsigned heaviest(const struct search *search, bool first)
{
    unsigned found = 0;
    double most = -1;
    for (unsigned tile = 0; tile < search->tiles; tile++) {
        double shared = 0;
        if (search->device[tile] != NOWHERE)
            continue;
        for (unsigned peer = 0; peer < search->tiles; peer++)
            if (peer != tile && (first || search->device[peer] != NOWHERE))
                shared += search->bytes[peer * search->tiles + tile] +
                          search->bytes[tile * search->tiles + peer];
        if (shared > most) {
            most = shared;
            found = tile;
        }
    }
    return found;
}

/* Puts `tile` on the free device where it makes the exchange least slow. */
static void put_best(struct search *search, unsigned tile)
{
    struct time best = {INFINITY, INFINITY};
    unsigned found = 0;
    for (unsigned device = 0; device < search->topology->devices; device++) {
        if (search->tile[device] != NOWHERE)
            continue;
        put(search, tile, device);
        struct time time = time_of(search, search->device);
        take(search, tile);
        if (faster(time, best)) {
            best = time;
            found = device;
        }
    }
    put(search, tile, found);
}

/* Lets two devices change their tiles; either may have none. */
static void swap(struct search *search, unsigned a, unsigned b)
{
    int of_a = search->tile[a];
    int of_b = search->tile[b];
    search->tile[a] = of_b;
    search->tile[b] = of_a;
    if (of_a != NOWHERE)
        search->device[of_a] = (int)b;
    if (of_b != NOWHERE)
        search->device[of_b] = (int)a;
}

/* Every swap that is kept makes the time less by a part in 10⁹, so this ends. */
static struct time improve(struct search *search)
{
    struct time best = time_of(search, search->device);
    for (bool improved = true; improved;) {
        improved = false;
        for (unsigned a = 0; a < search->topology->devices; a++) {
            for (unsigned b = a + 1; b < search->topology->devices; b++) {
                swap(search, a, b);
                struct time time = time_of(search, search->device);
                if (faster(time, best)) {
                    best = time;
                    improved = true;
                } else {
                    swap(search, a, b);
                }
            }
        }
    }
    return best;
}

static void place_greedily(struct search *search)
{
    for (unsigned i = 0; i < search->tiles; i++)
        put(search, i, i);
    struct time in_order = improve(search);
    memcpy(search->best, search->device, search->tiles * sizeof *search->best);
    for (unsigned i = 0; i < search->tiles; i++)
        take(search, i);
    for (unsigned i = 0; i < search->tiles; i++)
        put_best(search, heaviest(search, i == 0));
    if (faster(improve(search), in_order))
        memcpy(search->best, search->device, search->tiles * sizeof *search->best);
}

static int check(const struct ff_topology *topology, unsigned tiles, struct ff_error *error)
{
    unsigned devices = topology->devices;
    if (tiles < 1 || tiles > devices || devices > FF_PLACEMENT_DEVICES_MAX)
        return ff_fail(error, FF_INVALID_ARGUMENT, "%u tiles on %u devices; there may be 1 to %u",
                       tiles, devices,
                       devices < FF_PLACEMENT_DEVICES_MAX ? devices : FF_PLACEMENT_DEVICES_MAX);
    for (unsigned from = 0; from < devices; from++) {
        if (topology->ports != NULL && !(topology->ports[from] > 0))
            return ff_fail(error, FF_INVALID_ARGUMENT, "device %u reads %g bytes a second", from,
                           topology->ports[from]);
        for (unsigned to = 0; topology->links != NULL && to < devices; to++)
            if (to != from && !(topology->links[from * devices + to] > 0))
                return ff_fail(error, FF_INVALID_ARGUMENT,
                               "the link from device %u to device %u takes %g bytes a second", from,
                               to, topology->links[from * devices + to]);
    }
    return 0;
}

static void write_placement(const struct search *search, struct ff_placement *placement)
{
    unsigned devices = search->topology->devices;
    struct time time = time_of(search, search->best);
    placement->exchange_s = time.exchange_s;
    placement->link_seconds = time.link_seconds;
    for (unsigned i = 0; i < search->tiles; i++)
        placement->device[i] = (unsigned)search->best[i];
    for (unsigned i = 0; i < search->tiles; i++)
        for (unsigned j = 0; j < search->tiles; j++)
            if (i != j)
                placement->link_bytes[placement->device[i] * devices + placement->device[j]] =
                    search->bytes[i * search->tiles + j];
}

static int place(const struct ff_topology *topology, const double *bytes,
                 struct ff_placement *placement, struct ff_error *error)
{
    unsigned devices = topology->devices;
    struct search search = {.topology = topology, .bytes = bytes, .tiles = placement->tiles};
    int *numbers = ff_array_create(3 * (size_t)devices, sizeof *numbers, "the placement", error);
    if (numbers == NULL)
        return -1;
    search.device = numbers;
    search.tile = numbers + devices;
    search.best = numbers + 2 * devices;
    for (size_t i = 0; i < 3 * (size_t)devices; i++)
        numbers[i] = NOWHERE;
    struct time best = {INFINITY, INFINITY};
    if (devices <= EXACT_DEVICES)
        try_all(&search, 0, &best);
    else
        place_greedily(&search);
    write_placement(&search, placement);
    free(numbers);
    return 0;
}

struct ff_placement *ff_placement_create(const struct ff_topology *topology, unsigned tiles,
                                         const double *bytes, struct ff_error *error)
{
    if (check(topology, tiles, error) < 0)
        return NULL;
    struct ff_placement *placement = calloc(1, sizeof *placement);
    if (placement == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the placement");
        return NULL;
    }
    size_t devices = topology->devices;
    placement->tiles = tiles;
    placement->device = ff_array_create(tiles, sizeof *placement->device, "the placement", error);
    placement->link_bytes = ff_array_create(devices * devices, sizeof *placement->link_bytes,
                                            "the bytes of the links", error);
    if (placement->device != NULL && placement->link_bytes != NULL &&
        place(topology, bytes, placement, error) == 0)
        return placement;
    ff_placement_destroy(placement);
    return NULL;
}

void ff_placement_destroy(struct ff_placement *placement)
{
    if (placement == NULL)
        return;
    free(placement->device);
    free(placement->link_bytes);
    free(placement);
}
