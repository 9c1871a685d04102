/* What sharers have in common is cut into as many bands of rows as there are sharers, as wide as their weights. */
#include "functions/reconstruct/backends/cells.h"

#include "functions/reconstruct/arrays.h"

#include <stdlib.h>

static const char what[] = "what devices share";

/* Bytes that a batch of rPIE moves for a pixel of the object: on each device that has it (O read for waves and for the probe's sums, W and
 * N_O written, a step), and more on its owner (W and the step, against fetching what came of it). */
enum { TILE_BYTES = 56, OWNER_BYTES = 24 };

enum { ROUNDS = 32 };
static const double LEAST_WEIGHT = 1.0 / 64;

/* The part of a region that sharer k owns, perhaps none. */
static struct ff_area owned_part(const struct ff_region *region, unsigned k, const double *weights)
{
    double before = 0, up_to = 0, all = 0;
    for (unsigned i = 0; i < region->sharer_count; i++) {
        before += i < k ? weights[region->sharers[i]] : 0;
        up_to += i <= k ? weights[region->sharers[i]] : 0;
        all += weights[region->sharers[i]];
    }
    struct ff_area band = region->common;
    size_t first = (size_t)((double)band.rows * before / all);
    size_t end =
        k + 1 < region->sharer_count ? (size_t)((double)band.rows * up_to / all) : band.rows;
    band.row += first;
    band.rows = end - first;
    return ff_area_common(region->area, band);
}

static size_t own_pixels(const struct ff_regions *regions, unsigned number, const double *weights)
{
    size_t pixels = 0;
    for (size_t i = 0; i < regions->count; i++)
        for (unsigned k = 0; k < regions->regions[i].sharer_count; k++)
            if (regions->regions[i].sharers[k] == number)
                pixels += ff_area_pixels(owned_part(&regions->regions[i], k, weights));
    return pixels;
}

/* --- weights --- */

static int regions_of(const struct ff_area *tiles, unsigned count, unsigned number,
                      struct ff_regions *regions, struct ff_error *error)
{
    struct ff_link *links = ff_array_create(count, sizeof *links, what, error);
    size_t link_count = 0;
    if (links == NULL)
        return -1;
    for (unsigned peer = 0; peer < count; peer++) {
        struct ff_area both = ff_area_common(tiles[number], tiles[peer]);
        if (peer != number && ff_area_pixels(both) > 0)
            links[link_count++] = (struct ff_link){peer, both};
    }
    int result = ff_regions_create(links, link_count, number, regions, error);
    free(links);
    return result;
}

/* Each weight goes towards what its device should own for all to have the same load. */
static void even_out(const struct ff_area *tiles, const struct ff_regions *regions, unsigned count,
                     double *own, double *weights)
{
    double mean = 0;
    for (unsigned i = 0; i < count; i++) {
        own[i] = (double)own_pixels(&regions[i], i, weights);
        mean += (TILE_BYTES * (double)ff_area_pixels(tiles[i]) + OWNER_BYTES * own[i]) / count;
    }
    for (unsigned i = 0; i < count; i++) {
        double wanted = (mean - TILE_BYTES * (double)ff_area_pixels(tiles[i])) / OWNER_BYTES;
        double factor = own[i] > 0 ? wanted / own[i] : 2;
        factor = factor < 0.5 ? 0.5 : factor > 2 ? 2 : factor;
        weights[i] *= factor;
        weights[i] = weights[i] < LEAST_WEIGHT ? LEAST_WEIGHT : weights[i];
        weights[i] = weights[i] > 1 / LEAST_WEIGHT ? 1 / LEAST_WEIGHT : weights[i];
    }
}

int ff_cell_weights(const struct ff_area *tiles, unsigned count, double *weights,
                    struct ff_error *error)
{
    struct ff_regions *regions = ff_array_create(count, sizeof *regions, what, error);
    double *own = ff_array_create(count, sizeof *own, what, error);
    int result = regions != NULL && own != NULL ? 0 : -1;
    for (unsigned i = 0; result == 0 && i < count; i++) {
        weights[i] = 1;
        result = regions_of(tiles, count, i, &regions[i], error);
    }
    for (int round = 0; result == 0 && round < ROUNDS; round++)
        even_out(tiles, regions, count, own, weights);
    for (unsigned i = 0; regions != NULL && i < count; i++)
        ff_regions_release(&regions[i]);
    free(regions);
    free(own);
    return result;
}

/* --- cells --- */

static void take_cells(const struct ff_regions *regions, unsigned number, const double *weights,
                       bool own, struct ff_cells *cells)
{
    for (size_t i = 0; i < regions->count; i++) {
        const struct ff_region *region = &regions->regions[i];
        for (unsigned k = 0; k < region->sharer_count; k++) {
            struct ff_area part = owned_part(region, k, weights);
            if (ff_area_pixels(part) == 0 || (region->sharers[k] == number) != own)
                continue;
            cells->cells[cells->count++] =
                (struct ff_cell){part, region->sharers[k], region->sharers, region->sharer_count};
            cells->pixels += ff_area_pixels(part);
        }
    }
}

int ff_cells_create(const struct ff_link *links, size_t link_count, unsigned number,
                    const double *weights, struct ff_cells *cells, struct ff_error *error)
{
    size_t room = 0;
    *cells = (struct ff_cells){.count = 0};
    if (ff_regions_create(links, link_count, number, &cells->regions, error) < 0)
        return -1;
    for (size_t i = 0; i < cells->regions.count; i++)
        room += cells->regions.regions[i].sharer_count;
    cells->cells = ff_array_create(room, sizeof *cells->cells, what, error);
    if (cells->cells == NULL) {
        ff_cells_release(cells);
        return -1;
    }
    take_cells(&cells->regions, number, weights, true, cells);
    cells->own_count = cells->count;
    take_cells(&cells->regions, number, weights, false, cells);
    return 0;
}

void ff_cells_release(struct ff_cells *cells)
{
    ff_regions_release(&cells->regions);
    free(cells->cells);
    *cells = (struct ff_cells){.count = 0};
}
