/* Cells between all edges of the links: as few as there are neighbours, and none is cut by a link. */
#include "functions/reconstruct/backends/regions.h"

#include "functions/reconstruct/arrays.h"

#include <stdlib.h>

size_t ff_area_pixels(struct ff_area area)
{
    return area.rows * area.columns;
}

/* The part of [a, a + a_size) in [b, b + b_size). */
static size_t common(size_t a, size_t a_size, size_t b, size_t b_size, size_t *size)
{
    size_t first = a > b ? a : b;
    size_t end = a + a_size < b + b_size ? a + a_size : b + b_size;
    *size = end > first ? end - first : 0;
    return first;
}

struct ff_area ff_area_common(struct ff_area a, struct ff_area b)
{
    struct ff_area area;
    area.row = common(a.row, a.rows, b.row, b.rows, &area.rows);
    area.column = common(a.column, a.columns, b.column, b.columns, &area.columns);
    return ff_area_pixels(area) > 0 ? area : (struct ff_area){0};
}

/* The links of a device, and where they begin or end, in order, twice as many as links. */
struct cut {
    const struct ff_link *links;
    size_t link_count;
    unsigned number;
    size_t *rows, *columns;
    size_t edges;
    unsigned *sharers;     /* of the cell at hand */
    struct ff_area common; /* of their tiles */
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
static unsigned find_sharers(struct cut *cut, struct ff_area cell)
{
    unsigned count = 0;
    bool own_taken = false;
    cut->common = (struct ff_area){0, 0, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < cut->link_count; i++) {
        if (!inside(cell, cut->links[i].area))
            continue;
        if (!own_taken && cut->links[i].peer > cut->number) {
            cut->sharers[count++] = cut->number;
            own_taken = true;
        }
        cut->sharers[count++] = cut->links[i].peer;
        cut->common = ff_area_common(cut->common, cut->links[i].area);
    }
    if (!own_taken)
        cut->sharers[count++] = cut->number;
    return count;
}

/* Adds a cell, or, where there is no room for regions yet, what it needs. Returns how many share it; those of the cells
 * before are `used`. */
static size_t take_cell(struct cut *cut, struct ff_area cell, size_t used,
                        struct ff_regions *regions)
{
    unsigned count = find_sharers(cut, cell);
    if (cell.rows == 0 || cell.columns == 0 || count == 1)
        return 0;
    if (regions->regions != NULL && regions->sharers != NULL) {
        unsigned *sharers = regions->sharers + used;
        for (unsigned i = 0; i < count; i++)
            sharers[i] = cut->sharers[i];
        regions->regions[regions->count] = (struct ff_region){cell, cut->common, sharers, count};
    }
    regions->count++;
    regions->pixels += cell.rows * cell.columns;
    regions->rows += cell.rows;
    return count;
}

/* Returns how many sharers all have together. */
static size_t take_cells(struct cut *cut, struct ff_regions *regions)
{
    size_t sharers = 0;
    regions->count = regions->pixels = regions->rows = 0;
    for (size_t i = 0; i + 1 < cut->edges; i++)
        for (size_t j = 0; j + 1 < cut->edges; j++) {
            const struct ff_area cell = {cut->rows[i], cut->columns[j],
                                         cut->rows[i + 1] - cut->rows[i],
                                         cut->columns[j + 1] - cut->columns[j]};
            sharers += take_cell(cut, cell, sharers, regions);
        }
    return sharers;
}

static void sort_edges(const struct cut *cut)
{
    for (size_t i = 0; i < cut->link_count; i++) {
        struct ff_area area = cut->links[i].area;
        cut->rows[2 * i] = area.row;
        cut->rows[2 * i + 1] = area.row + area.rows;
        cut->columns[2 * i] = area.column;
        cut->columns[2 * i + 1] = area.column + area.columns;
    }
    qsort(cut->rows, cut->edges, sizeof *cut->rows, compare_sizes);
    qsort(cut->columns, cut->edges, sizeof *cut->columns, compare_sizes);
}

static int make_regions(struct cut *cut, struct ff_regions *regions, struct ff_error *error)
{
    static const char what[] = "the overlaps with other devices";
    size_t sharers = take_cells(cut, regions);
    regions->sharers = ff_array_create(sharers, sizeof *regions->sharers, what, error);
    regions->regions = ff_array_create(regions->count, sizeof *regions->regions, what, error);
    if (regions->sharers == NULL || regions->regions == NULL)
        return -1;
    regions->bytes = sharers * sizeof *regions->sharers + regions->count * sizeof *regions->regions;
    (void)take_cells(cut, regions);
    return 0;
}

int ff_regions_create(const struct ff_link *links, size_t link_count, unsigned number,
                      struct ff_regions *regions, struct ff_error *error)
{
    static const char what[] = "the overlaps";
    struct cut cut = {.links = links, .link_count = link_count, .number = number};
    *regions = (struct ff_regions){0};
    cut.edges = 2 * link_count;
    cut.rows = ff_array_create(2 * cut.edges, sizeof *cut.rows, what, error);
    cut.sharers = ff_array_create(link_count + 1, sizeof *cut.sharers, what, error);
    int result = cut.rows != NULL && cut.sharers != NULL ? 0 : -1;
    if (result == 0) {
        cut.columns = cut.rows + cut.edges;
        sort_edges(&cut);
        result = make_regions(&cut, regions, error);
    }
    free(cut.rows);
    free(cut.sharers);
    if (result < 0)
        ff_regions_release(regions);
    return result;
}

void ff_regions_release(struct ff_regions *regions)
{
    free(regions->regions);
    free(regions->sharers);
    *regions = (struct ff_regions){0};
}
