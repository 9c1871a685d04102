/* Cells between all edges of the links: as few as there are neighbours, and none is cut by a link. */
#include "functions/reconstruct/backends/cpu/regions.h"

#include <stdlib.h>

/* How much the regions need of everything. */
struct need {
    size_t regions, sharers, pixels, rows;
};

/* What they are made of. */
struct room {
    struct region *regions;
    unsigned *sharers;
    ff_real *sums;
    bool *touched;
};

/* Where links begin or end, in order, twice as many as links. */
struct edges {
    size_t *rows, *columns;
    size_t count;
};

static int compare_sizes(const void *a, const void *b)
{
    size_t p = *(const size_t *)a;
    size_t q = *(const size_t *)b;
    return p < q ? -1 : p > q;
}

static bool inside(struct ff_area cell, struct ff_area area)
{
    return cell.row >= area.row && cell.row + cell.rows <= area.row + area.rows &&
           cell.column >= area.column && cell.column + cell.columns <= area.column + area.columns;
}

/* The devices that share a cell, this one among them: links are in order of their peers. */
static unsigned sharers_of(const struct ff_backend *backend, struct ff_area cell, unsigned *sharers)
{
    unsigned count = 0;
    size_t i = 0;
    for (; i < backend->link_count && backend->links[i].peer < backend->number; i++)
        if (inside(cell, backend->links[i].area))
            sharers[count++] = backend->links[i].peer;
    sharers[count++] = backend->number;
    for (; i < backend->link_count; i++)
        if (inside(cell, backend->links[i].area))
            sharers[count++] = backend->links[i].peer;
    return count;
}

/* Adds a cell to the need, and makes a region of it where there is room for what was needed. */
static void take_cell(const struct ff_backend *backend, struct ff_area cell, unsigned *sharers,
                      const struct room *room, struct need *need)
{
    unsigned count = sharers_of(backend, cell, sharers);
    size_t pixels = cell.rows * cell.columns;
    if (pixels == 0 || count == 1)
        return;
    if (room != NULL) {
        struct region *region = &room->regions[need->regions];
        region->area = cell;
        region->sharers = room->sharers + need->sharers;
        region->sharer_count = count;
        region->sums = room->sums + need->pixels * REGION_PLANES;
        region->touched = room->touched + need->rows;
        for (unsigned i = 0; i < count; i++)
            room->sharers[need->sharers + i] = sharers[i];
    }
    need->regions++;
    need->sharers += count;
    need->pixels += pixels;
    need->rows += cell.rows;
}

static struct need take_cells(const struct ff_backend *backend, const struct edges *edges,
                              unsigned *sharers, const struct room *room)
{
    struct need need = {0, 0, 0, 0};
    for (size_t i = 0; i + 1 < edges->count; i++)
        for (size_t j = 0; j + 1 < edges->count; j++) {
            const struct ff_area cell = {edges->rows[i], edges->columns[j],
                                         edges->rows[i + 1] - edges->rows[i],
                                         edges->columns[j + 1] - edges->columns[j]};
            take_cell(backend, cell, sharers, room, &need);
        }
    return need;
}

static void sort_edges(const struct ff_backend *backend, struct edges *edges)
{
    for (size_t i = 0; i < backend->link_count; i++) {
        struct ff_area area = backend->links[i].area;
        edges->rows[2 * i] = area.row;
        edges->rows[2 * i + 1] = area.row + area.rows;
        edges->columns[2 * i] = area.column;
        edges->columns[2 * i + 1] = area.column + area.columns;
    }
    qsort(edges->rows, edges->count, sizeof *edges->rows, compare_sizes);
    qsort(edges->columns, edges->count, sizeof *edges->columns, compare_sizes);
}

static int make_room(struct ff_backend *backend, const struct need *need, struct room *room,
                     struct ff_error *error)
{
    static const char what[] = "the overlaps with other devices";
    room->regions = ff_cpu_block(backend, need->regions, sizeof *room->regions, what, error);
    room->sharers = ff_cpu_block(backend, need->sharers, sizeof *room->sharers, what, error);
    room->sums =
        ff_cpu_block(backend, need->pixels * REGION_PLANES, sizeof *room->sums, what, error);
    room->touched = ff_cpu_block(backend, need->rows, sizeof *room->touched, what, error);
    return room->regions != NULL && room->sharers != NULL && room->sums != NULL &&
                   room->touched != NULL
               ? 0
               : -1;
}

int ff_cpu_regions_create(struct ff_backend *backend, struct regions *regions,
                          struct ff_error *error)
{
    struct edges edges = {.count = 2 * backend->link_count};
    struct room room = {0};
    edges.rows = ff_array_create(2 * edges.count, sizeof *edges.rows, "the overlaps", error);
    unsigned *sharers =
        ff_array_create(backend->link_count + 1, sizeof *sharers, "the overlaps", error);
    int result = edges.rows != NULL && sharers != NULL ? 0 : -1;
    if (result == 0) {
        edges.columns = edges.rows + edges.count;
        sort_edges(backend, &edges);
        struct need need = take_cells(backend, &edges, sharers, NULL);
        result = make_room(backend, &need, &room, error);
    }
    if (result == 0)
        *regions =
            (struct regions){room.regions, take_cells(backend, &edges, sharers, &room).regions};
    free(edges.rows);
    free(sharers);
    return result;
}

ff_real *ff_cpu_region_row(const struct region *region, size_t row)
{
    return region->sums + (row - region->area.row) * REGION_PLANES * region->area.columns;
}
