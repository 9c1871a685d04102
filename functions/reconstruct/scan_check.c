#include "functions/reconstruct/scan_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Beyond this many windows from the origin a cell's number would not be exact. */
#define CELLS_MAX 1e9

/* Positions sorted into cells of one window, so that whatever overlaps one lies in the 3 × 3 cells
 * about it. */
struct cell_entry {
    int64_t row, column;
    size_t index;
};

static int compare_entries(const void *left, const void *right)
{
    const struct cell_entry *a = left;
    const struct cell_entry *b = right;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static size_t lower_bound(const struct cell_entry *entries, size_t count, struct cell_entry wanted)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_entries(&entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool overlaps_another(const struct cell_entry *entries, size_t count,
                             const struct cell_entry *own, const double *positions_m,
                             const double window_m[2])
{
    const double *here = positions_m + 2 * own->index;
    for (int64_t row = own->row - 1; row <= own->row + 1; row++) {
        struct cell_entry from = {row, own->column - 1, 0};
        for (size_t i = lower_bound(entries, count, from);
             i < count && entries[i].row == row && entries[i].column <= own->column + 1; i++) {
            const double *there = positions_m + 2 * entries[i].index;
            if (entries[i].index != own->index && fabs(there[0] - here[0]) < window_m[0] &&
                fabs(there[1] - here[1]) < window_m[1])
                return true;
        }
    }
    return false;
}

struct extent {
    double low[2], high[2];
};

static struct extent extent_of(const double *positions_m, size_t patterns)
{
    struct extent extent = {{INFINITY, INFINITY}, {-INFINITY, -INFINITY}};
    for (size_t n = 0; n < patterns; n++)
        for (int axis = 0; axis < 2; axis++) {
            extent.low[axis] = fmin(extent.low[axis], positions_m[2 * n + (size_t)axis]);
            extent.high[axis] = fmax(extent.high[axis], positions_m[2 * n + (size_t)axis]);
        }
    return extent;
}

/* Most patterns are alone: the unit is wrong, and the spacing says by how much. */
static int refuse_unit(const char *source, const struct extent *extent, size_t patterns,
                       const double window_m[2], struct ff_error *error)
{
    double height = extent->high[0] - extent->low[0];
    double width = extent->high[1] - extent->low[1];
    double spacing =
        fmax(sqrt(height * width / (double)patterns), fmax(height, width) / (double)patterns);
    double window = fmin(window_m[0], window_m[1]);
    ff_fail(error, FF_INPUT_INVALID,
            "%s: the positions are about %.3g m apart, and the window of one pattern is only %.3g "
            "m wide: they do not overlap",
            source, spacing, window);
    const char *unit = spacing * 1e-3 < window    ? "millimetres"
                       : spacing * 1e-6 < window  ? "micrometres"
                       : spacing * 1e-9 < window  ? "nanometres"
                       : spacing * 1e-12 < window ? "picometres"
                                                  : NULL;
    if (unit != NULL)
        return ff_hint(error,
                       "positions are in metres here; are these %s? Else check energy, distance "
                       "and pixel size",
                       unit);
    return ff_hint(
        error,
        "positions are in metres here; check them, the energy, the distance and the pixel size");
}

static int judge(const char *source, const struct cell_entry *entries, const double *positions_m,
                 size_t patterns, const double window_m[2], const struct extent *extent,
                 struct ff_error *error)
{
    size_t alone = 0;
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < patterns; i++) {
        if (overlaps_another(entries, patterns, &entries[i], positions_m, window_m))
            continue;
        alone++;
        first = entries[i].index < first ? entries[i].index : first;
    }
    if (alone == 0)
        return 0;
    if (2 * alone > patterns)
        return refuse_unit(source, extent, patterns, window_m, error);
    ff_fail(error, FF_INPUT_INVALID,
            "%s: position %zu (y %g m, x %g m) leaves the scan: no other pattern overlaps it (%zu "
            "such of %zu)",
            source, first, positions_m[2 * first], positions_m[2 * first + 1], alone, patterns);
    return ff_hint(error, "leave such frames out, or correct their positions");
}

int ff_scan_check(const char *source, const double *positions_m, size_t patterns,
                  const double window_m[2], const double pixel_m[2], struct ff_error *error)
{
    if (patterns < 2) {
        ff_fail(error, FF_INPUT_INVALID, "%s holds %zu pattern", source, patterns);
        return ff_hint(error, "ptychography needs patterns that overlap: two at the least");
    }
    struct extent extent = extent_of(positions_m, patterns);
    double height = extent.high[0] - extent.low[0];
    double width = extent.high[1] - extent.low[1];
    if (height < pixel_m[0] && width < pixel_m[1]) {
        ff_fail(
            error, FF_INPUT_INVALID,
            "%s: all %zu positions lie within %.3g m, which is less than an object pixel (%.3g m)",
            source, patterns, fmax(height, width), fmin(pixel_m[0], pixel_m[1]));
        return ff_hint(error,
                       "positions are in metres here: were they recorded, and in that unit?");
    }
    if (height / window_m[0] > CELLS_MAX || width / window_m[1] > CELLS_MAX)
        return refuse_unit(source, &extent, patterns, window_m, error);
    struct cell_entry *entries =
        ff_array_create(patterns, sizeof *entries, "the cells of the scan", error);
    if (entries == NULL)
        return -1;
    for (size_t n = 0; n < patterns; n++) {
        entries[n].row = (int64_t)floor((positions_m[2 * n] - extent.low[0]) / window_m[0]);
        entries[n].column = (int64_t)floor((positions_m[2 * n + 1] - extent.low[1]) / window_m[1]);
        entries[n].index = n;
    }
    qsort(entries, patterns, sizeof *entries, compare_entries);
    int result = judge(source, entries, positions_m, patterns, window_m, &extent, error);
    free(entries);
    return result;
}
