#include "functions/reconstruct/formats/outliers.h"

#include "functions/reconstruct/formats/workers.h"

#include <math.h>
#include <stdlib.h>

enum { PATTERNS_MIN = 16, REACH = 2, NEIGHBOURS_MIN = 5, BEAM_REACH = 2 };

/* Far apart, in counts of all frames together: twice, and more than chance makes of nothing (a pixel
 * that expects 30 stays dark once in 10^13 scans). */
static const double far_factor = 2;
static const double far_counts = 30;
static const double lone_factor = 10; /* a speckle is at least two pixels wide */

struct statistics {
    const struct ff_outliers_scan *scan;
    float *least, *most;
    double *sum;
};

/* Each thread has pixels of its own, so that nothing is added up twice. */
static void gather(void *user, size_t worker)
{
    const struct statistics *own = user;
    const struct ff_outliers_scan *scan = own->scan;
    size_t pixels = scan->rows * scan->columns;
    size_t first = pixels * worker / scan->workers;
    size_t end = pixels * (worker + 1) / scan->workers;
    for (size_t n = 0; n < scan->patterns; n++)
        for (size_t i = first; i < end; i++) {
            float value = scan->counts.u16 != NULL ? (float)scan->counts.u16[n * pixels + i]
                                                   : scan->counts.f32[n * pixels + i];
            own->least[i] = n == 0 || value < own->least[i] ? value : own->least[i];
            own->most[i] = n == 0 || value > own->most[i] ? value : own->most[i];
            own->sum[i] += (double)value;
        }
}

/* Where an element of a pattern lies on the detector, and back. */
static size_t on_detector(const struct ff_outliers_scan *scan, size_t index, size_t extent)
{
    return scan->shifted ? (index + extent / 2) % extent : index;
}

static size_t in_pattern(const struct ff_outliers_scan *scan, size_t index, size_t extent)
{
    return scan->shifted ? (index + extent - extent / 2) % extent : index;
}

/* What the neighbours of a pixel say. */
struct neighbourhood {
    unsigned count, brighter, darker; /* two pixels around */
    unsigned beside, lower;           /* one pixel around; those a tenth as bright */
};

static struct neighbourhood look_around(const struct statistics *own, const size_t at[2])
{
    const struct ff_outliers_scan *scan = own->scan;
    const size_t extent[2] = {scan->rows, scan->columns};
    struct neighbourhood found = {0};
    double here = own->sum[in_pattern(scan, at[0], extent[0]) * extent[1] +
                           in_pattern(scan, at[1], extent[1])];
    size_t low[2];
    size_t high[2];
    for (int axis = 0; axis < 2; axis++) {
        low[axis] = at[axis] > REACH ? at[axis] - REACH : 0;
        high[axis] = at[axis] + REACH < extent[axis] ? at[axis] + REACH : extent[axis] - 1;
    }
    for (size_t r = low[0]; r <= high[0]; r++)
        for (size_t c = low[1]; c <= high[1]; c++) {
            size_t i = in_pattern(scan, r, extent[0]) * extent[1] + in_pattern(scan, c, extent[1]);
            if ((r == at[0] && c == at[1]) || !scan->measured[i])
                continue;
            bool beside = r + 1 >= at[0] && r <= at[0] + 1 && c + 1 >= at[1] && c <= at[1] + 1;
            found.count++;
            found.brighter += own->sum[i] >= far_factor * here + far_counts;
            found.darker += here >= far_factor * own->sum[i] + far_counts;
            found.beside += beside;
            found.lower += beside && here >= lone_factor * own->sum[i] + far_counts;
        }
    return found;
}

/* Light that falls straight through a wide probe is a lone peak, too. */
static bool is_near_beam(const struct ff_outliers_scan *scan, const size_t at[2])
{
    const size_t extent[2] = {scan->rows, scan->columns};
    for (int axis = 0; axis < 2; axis++)
        if (at[axis] + BEAM_REACH < extent[axis] / 2 || at[axis] > extent[axis] / 2 + BEAM_REACH)
            return false;
    return true;
}

static void note_first(size_t *count, size_t first[2], const size_t at[2])
{
    if ((*count)++ == 0) {
        first[0] = at[0];
        first[1] = at[1];
    }
}

static void judge(const struct statistics *own, size_t pixel, uint8_t *stuck,
                  struct ff_outliers *found)
{
    const struct ff_outliers_scan *scan = own->scan;
    bool constant = !(own->most[pixel] > own->least[pixel]);
    /* Most pixels are as bright as the next and fluctuate. */
    if (!constant && own->sum[pixel] < far_counts)
        return;
    const size_t at[2] = {on_detector(scan, pixel / scan->columns, scan->rows),
                          on_detector(scan, pixel % scan->columns, scan->columns)};
    const struct neighbourhood around = look_around(own, at);
    if (around.count < NEIGHBOURS_MIN)
        return;
    if (constant &&
        (4 * around.brighter >= 3 * around.count || 4 * around.darker >= 3 * around.count)) {
        stuck[pixel] = 1;
        note_first(&found->stuck, found->stuck_at, at);
    } else if (!constant && scan->shifted && around.beside > 1 &&
               around.lower + 1 >= around.beside && !is_near_beam(scan, at)) {
        note_first(&found->suspect, found->suspect_at, at);
    }
}

int ff_outliers_find(const struct ff_outliers_scan *scan, uint8_t *stuck, struct ff_outliers *found,
                     struct ff_error *error)
{
    size_t pixels = scan->rows * scan->columns;
    struct statistics own = {.scan = scan};
    *found = (struct ff_outliers){0};
    if (scan->patterns < PATTERNS_MIN)
        return 0;
    own.least = ff_array_create(pixels, sizeof *own.least, "the least counts", error);
    own.most = ff_array_create(pixels, sizeof *own.most, "the greatest counts", error);
    own.sum = ff_array_create(pixels, sizeof *own.sum, "the mean pattern", error);
    bool made = own.least != NULL && own.most != NULL && own.sum != NULL;
    if (made)
        ff_workers_run(scan->workers, gather, &own);
    for (size_t i = 0; made && i < pixels; i++)
        if (scan->measured[i])
            judge(&own, i, stuck, found);
    free(own.least);
    free(own.most);
    free(own.sum);
    return made ? 0 : -1;
}
