#include "functions/reconstruct/devices/tiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pattern while the scan is cut. */
struct spot {
    double at[2]; /* middle of its positions: row, column */
    uint32_t pattern;
};

struct cut {
    struct spot *spots;
    size_t patterns; /* of the scan */
    struct ff_tiles *tiles;
    struct ff_error *error;
};

/* --- which patterns --- */

/* By the axis of the cut, then by the other, then by number: the same order everywhere. */
static int compare_along(const struct spot *p, const struct spot *q, int axis)
{
    for (int i = 0; i < 2; i++, axis = 1 - axis)
        if (p->at[axis] != q->at[axis])
            return p->at[axis] < q->at[axis] ? -1 : 1;
    return p->pattern < q->pattern ? -1 : p->pattern > q->pattern;
}

static int compare_rows(const void *p, const void *q)
{
    return compare_along(p, q, 0);
}

static int compare_columns(const void *p, const void *q)
{
    return compare_along(p, q, 1);
}

static int compare_patterns(const void *p, const void *q)
{
    uint32_t a = *(const uint32_t *)p;
    uint32_t b = *(const uint32_t *)q;
    return a < b ? -1 : a > b;
}

static double extent(const struct spot *spots, size_t count, int axis)
{
    double least = INFINITY;
    double most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, spots[i].at[axis]);
        most = fmax(most, spots[i].at[axis]);
    }
    return most - least;
}

static void sort_along_longer_side(struct spot *spots, size_t count)
{
    bool rows_longer = extent(spots, count, 0) >= extent(spots, count, 1);
    qsort(spots, count, sizeof *spots, rows_longer ? compare_rows : compare_columns);
}

/* How many of the patterns the tiles before `number` have together. */
static size_t patterns_before(const struct cut *cut, unsigned number)
{
    return (size_t)((unsigned __int128)cut->patterns * number / cut->tiles->count);
}

/* The spots from patterns_before(first) on to tiles first … end-1. */
static int halve(const struct cut *cut, unsigned first, unsigned end)
{
    size_t from = patterns_before(cut, first);
    size_t count = patterns_before(cut, end) - from;
    struct spot *spots = cut->spots + from;
    if (end - first > 1) {
        unsigned middle = first + (end - first) / 2;
        sort_along_longer_side(spots, count);
        return halve(cut, first, middle) < 0 ? -1 : halve(cut, middle, end);
    }
    struct ff_tile *tile = &cut->tiles->tiles[first];
    tile->patterns = ff_array_create(count, sizeof *tile->patterns, "a tile", cut->error);
    if (tile->patterns == NULL)
        return -1;
    tile->pattern_count = count;
    for (size_t i = 0; i < count; i++)
        tile->patterns[i] = spots[i].pattern;
    qsort(tile->patterns, count, sizeof *tile->patterns, compare_patterns);
    return 0;
}

static struct spot *find_spots(const struct ff_scan *scan, struct ff_error *error)
{
    struct spot *spots = ff_array_create(scan->patterns, sizeof *spots, "the scan", error);
    for (size_t n = 0; spots != NULL && n < scan->patterns; n++) {
        spots[n].pattern = (uint32_t)n;
        for (size_t k = 0; k < scan->fly; k++)
            for (int axis = 0; axis < 2; axis++)
                spots[n].at[axis] +=
                    scan->positions[2 * (n * scan->fly + k) + (size_t)axis] / (double)scan->fly;
    }
    return spots;
}

static void halve_down(struct spot *spots, size_t count)
{
    if (count < 2)
        return;
    sort_along_longer_side(spots, count);
    halve_down(spots, count / 2);
    halve_down(spots + count / 2, count - count / 2);
}

int ff_scan_order(const struct ff_scan *scan, uint32_t *order, struct ff_error *error)
{
    struct spot *spots = find_spots(scan, error);
    if (spots == NULL)
        return -1;
    halve_down(spots, scan->patterns);
    for (size_t i = 0; i < scan->patterns; i++)
        order[i] = spots[i].pattern;
    free(spots);
    return 0;
}

static int share_patterns(const struct ff_scan *scan, struct ff_tiles *tiles,
                          struct ff_error *error)
{
    struct cut cut = {.patterns = scan->patterns, .tiles = tiles, .error = error};
    cut.spots = find_spots(scan, error);
    if (cut.spots == NULL)
        return -1;
    int result = halve(&cut, 0, tiles->count);
    free(cut.spots);
    return result;
}

/* --- which part of the object --- */

/* Along one axis: from a pixel before the first patch to a pixel after the last, wherever they may
 * travel to within the object. */
static size_t reach(const struct ff_scan *scan, const struct ff_tile *tile, int axis, size_t *size)
{
    double window = axis == 0 ? (double)scan->rows : (double)scan->columns;
    double object = axis == 0 ? (double)scan->object_rows : (double)scan->object_columns;
    double first = INFINITY;
    double last = 0;
    for (size_t i = 0; i < tile->pattern_count; i++)
        for (size_t k = 0; k < scan->fly; k++) {
            size_t at = 2 * (tile->patterns[i] * scan->fly + k) + (size_t)axis;
            first = fmin(first, scan->positions[at]);
            last = fmax(last, scan->positions[at]);
        }
    first = fmax(0, floor(first - scan->travel_px - 1));
    last = fmin(object, ceil(last + scan->travel_px + window + 1));
    *size = (size_t)(last - first);
    return (size_t)first;
}

static struct ff_area area_of(const struct ff_scan *scan, const struct ff_tile *tile)
{
    struct ff_area area;
    area.row = reach(scan, tile, 0, &area.rows);
    area.column = reach(scan, tile, 1, &area.columns);
    return area;
}

/* The parts of `area` above, below, left and right of `hole`, which lies inside; returns how many. */
static size_t around(struct ff_area area, struct ff_area hole, struct ff_area parts[4])
{
    size_t hole_end = hole.row + hole.rows;
    size_t hole_right = hole.column + hole.columns;
    const struct ff_area all[4] = {
        {area.row, area.column, hole.row - area.row, area.columns},
        {hole.row, area.column, hole.rows, hole.column - area.column},
        {hole.row, hole_right, hole.rows, area.column + area.columns - hole_right},
        {hole_end, area.column, area.row + area.rows - hole_end, area.columns},
    };
    size_t count = 0;
    for (int i = 0; i < 4; i++)
        if (ff_area_pixels(all[i]) > 0)
            parts[count++] = all[i];
    return count;
}

/* Takes `hole` out of the owned areas of a tile. */
static int take_out(struct ff_tile *tile, struct ff_area hole, struct ff_error *error)
{
    struct ff_area *left =
        ff_array_create(4 * tile->owned_count + 1, sizeof *left, "the parts of a tile", error);
    size_t count = 0;
    if (left == NULL)
        return -1;
    for (size_t i = 0; i < tile->owned_count; i++) {
        struct ff_area both = ff_area_common(tile->owned[i], hole);
        if (ff_area_pixels(both) > 0)
            count += around(tile->owned[i], both, left + count);
        else
            left[count++] = tile->owned[i];
    }
    free(tile->owned);
    tile->owned = left;
    tile->owned_count = count;
    return 0;
}

static int share_pixels(struct ff_tiles *tiles, unsigned number, struct ff_error *error)
{
    struct ff_tile *tile = &tiles->tiles[number];
    tile->owned = ff_array_create(1, sizeof *tile->owned, "a tile", error);
    tile->links = ff_array_create(tiles->count, sizeof *tile->links, "a tile's links", error);
    if (tile->owned == NULL || tile->links == NULL)
        return -1;
    tile->owned[tile->owned_count++] = tile->area;
    for (unsigned peer = 0; peer < tiles->count; peer++) {
        struct ff_area both = ff_area_common(tile->area, tiles->tiles[peer].area);
        if (peer == number || ff_area_pixels(both) == 0)
            continue;
        tile->links[tile->link_count++] = (struct ff_link){peer, both};
        if (peer < number && take_out(tile, both, error) < 0)
            return -1;
    }
    return 0;
}

struct ff_tiles *ff_tiles_create(const struct ff_scan *scan, unsigned count, struct ff_error *error)
{
    if (scan->patterns == 0 || count == 0) {
        ff_fail(error, FF_INVALID_ARGUMENT, "%zu patterns on %u devices", scan->patterns, count);
        return NULL;
    }
    struct ff_tiles *tiles = calloc(1, sizeof *tiles);
    if (tiles == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the tiles");
        return NULL;
    }
    tiles->count = count < scan->patterns ? count : (unsigned)scan->patterns;
    tiles->tiles = ff_array_create(tiles->count, sizeof *tiles->tiles, "the tiles", error);
    tiles->areas = ff_array_create(tiles->count, sizeof *tiles->areas, "the tiles", error);
    int result =
        tiles->tiles != NULL && tiles->areas != NULL ? share_patterns(scan, tiles, error) : -1;
    for (unsigned i = 0; result == 0 && i < tiles->count; i++)
        tiles->areas[i] = tiles->tiles[i].area =
            tiles->count > 1 ? area_of(scan, &tiles->tiles[i])
                             : (struct ff_area){0, 0, scan->object_rows, scan->object_columns};
    for (unsigned i = 0; result == 0 && i < tiles->count; i++)
        result = share_pixels(tiles, i, error);
    if (result == 0)
        return tiles;
    ff_tiles_destroy(tiles);
    return NULL;
}

void ff_tiles_destroy(struct ff_tiles *tiles)
{
    if (tiles == NULL)
        return;
    for (unsigned i = 0; tiles->tiles != NULL && i < tiles->count; i++) {
        free(tiles->tiles[i].patterns);
        free(tiles->tiles[i].owned);
        free(tiles->tiles[i].links);
    }
    free(tiles->tiles);
    free(tiles->areas);
    free(tiles);
}
