/* Which position belongs to which frame: by number where the files number them, else by order; and
 * the positions within an exposure. */
#include "functions/reconstruct/formats/paths.h"
#include "functions/reconstruct/formats/reading.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = 1 << 26 };

struct numbered {
    int64_t id;
    size_t index;
};

static int compare(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int read_frame_ids(const struct ff_reading *reading, size_t frames, double **ids,
                          struct ff_error *error)
{
    const char *text = reading->description.frame_ids;
    struct ff_quantity place;
    struct ff_hdf5_dataset dataset;
    bool found;
    *ids = NULL;
    if (ff_paths_find(reading->file, text, &place, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    const char *const paths[] = {place.path, NULL};
    if (ff_hdf5_find(reading->file, paths, &dataset, error) < 0)
        return -1;
    int result = ff_hdf5_read_doubles(&dataset, IDS_MAX, ids, error);
    if (result == 0 && dataset.elements != frames) {
        result = ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu numbers for %zu frames",
                         ff_hdf5_path(reading->file), place.path, dataset.elements, frames);
        free(*ids);
        *ids = NULL;
    }
    ff_hdf5_dataset_close(&dataset);
    return result;
}

/* The positions in the order of their numbers. */
static struct numbered *sorted_positions(const struct ff_points *points, struct ff_error *error)
{
    struct numbered *sorted =
        ff_array_create(points->count, sizeof *sorted, "the numbers of the positions", error);
    for (size_t p = 0; sorted != NULL && p < points->count; p++) {
        double id = points->ids[p];
        if (!isfinite(id) || fabs(id) > 1e15) {
            ff_fail(error, FF_INPUT_INVALID, "the number of position %zu is %g", p, id);
            free(sorted);
            return NULL;
        }
        sorted[p] = (struct numbered){(int64_t)id, p};
    }
    if (sorted != NULL)
        qsort(sorted, points->count, sizeof *sorted, compare);
    return sorted;
}

/* The run of positions of one number, made one: written over the first of them. */
static int merge(const struct ff_reading *reading, const struct ff_description *description,
                 struct ff_points *points, const struct numbered *run, size_t count,
                 struct ff_error *error)
{
    size_t width = 2 * points->within;
    double *first = points->yx + run[0].index * width;
    if (count == 1)
        return 0;
    if (description->repeated_ids == FF_REPEATS_REFUSE) {
        ff_fail(error, FF_INPUT_INVALID, "%s: %zu positions have the number %" PRId64,
                ff_hdf5_path(reading->side != NULL ? reading->side : reading->file), count,
                run[0].id);
        return ff_hint(error, "in a format description, repeated_ids: mean takes their mean");
    }
    size_t step = description->repeated_ids == FF_REPEATS_ENDS ? count - 1 : 1;
    for (size_t i = 0; i < width; i++) {
        double sum = 0;
        size_t summed = 0;
        for (size_t k = 0; k < count; k += step, summed++)
            sum += points->yx[run[k].index * width + i];
        first[i] = sum / (double)summed;
    }
    return 0;
}

/* One entry for each number; their count. */
static int merge_all(const struct ff_reading *reading, struct ff_points *points,
                     struct numbered *sorted, size_t *count, struct ff_error *error)
{
    const struct ff_description *description =
        reading->side != NULL ? &reading->side_description : &reading->description;
    size_t kept = 0;
    for (size_t i = 0, next; i < points->count; i = next) {
        for (next = i + 1; next < points->count && sorted[next].id == sorted[i].id;)
            next++;
        if (merge(reading, description, points, sorted + i, next - i, error) < 0)
            return -1;
        sorted[kept++] = sorted[i];
    }
    *count = kept;
    return 0;
}

static const struct numbered *find(const struct numbered *sorted, size_t count, int64_t id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && sorted[low].id == id ? &sorted[low] : NULL;
}

static void note_unpaired(const struct ff_reading *reading, size_t frames, size_t first_frame,
                          size_t paired, size_t positions)
{
    if (paired < frames)
        ff_buffer_printf(reading->notes,
                         "%zu of %zu frames have no position of their number (first: frame %zu) "
                         "and are left out\n",
                         frames - paired, frames, first_frame);
    if (paired < positions)
        ff_buffer_printf(reading->notes, "%zu of %zu positions have no frame\n", positions - paired,
                         positions);
}

/* Fills `slots` with the position of each frame, or SIZE_MAX. */
static int pair_by_number(const struct ff_reading *reading, struct ff_points *points,
                          const double *frame_ids, size_t frames, size_t *slots,
                          struct ff_error *error)
{
    size_t count = 0;
    size_t paired = 0;
    size_t first_lone = SIZE_MAX;
    struct numbered *sorted = sorted_positions(points, error);
    if (sorted == NULL || merge_all(reading, points, sorted, &count, error) < 0) {
        free(sorted);
        return -1;
    }
    /* Frames without numbers are counted as the positions are: from 0, if one has it, else from 1. */
    int64_t base = find(sorted, count, 0) != NULL ? 0 : 1;
    for (size_t n = 0; n < frames; n++) {
        double id = frame_ids != NULL ? frame_ids[n] : (double)n + (double)base;
        const struct numbered *own = fabs(id) <= 1e15 ? find(sorted, count, (int64_t)id) : NULL;
        slots[n] = own != NULL ? own->index : SIZE_MAX;
        paired += own != NULL;
        if (own == NULL && first_lone == SIZE_MAX)
            first_lone = n;
    }
    if (paired > 0)
        note_unpaired(reading, frames, first_lone, paired, count);
    free(sorted);
    if (paired > 0)
        return 0;
    ff_fail(error, FF_INPUT_INVALID, "%s: no frame has the number of a position",
            ff_hdf5_path(reading->file));
    return ff_hint(error, "do the positions belong to this scan?");
}

static int refuse_counts(const struct ff_reading *reading, const struct ff_points *points,
                         size_t frames, size_t fly, struct ff_error *error)
{
    const char *path = ff_hdf5_path(reading->side != NULL ? reading->side : reading->file);
    ff_fail(error, FF_INPUT_INVALID, "%s: %s has %zu positions and there are %zu frames", path,
            points->name, points->count, frames);
    if (fly == 1 && frames > 0 && points->count % frames == 0)
        return ff_hint(error, "if these are %zu positions within each exposure, give fly=%zu",
                       points->count / frames, points->count / frames);
    return ff_hint(error, "pair frames and positions by their trigger number (frame_ids and "
                          "position_ids in a format description), and leave out what has no "
                          "partner");
}

/* By order. Positions of one list of N K are K to a frame. */
static int pair_by_order(const struct ff_reading *reading, struct ff_points *points, size_t frames,
                         size_t *slots, struct ff_error *error)
{
    size_t fly = (size_t)reading->settings->fly;
    if (points->within == 1 && fly > 1 && points->count != frames &&
        points->count == ff_array_elements(frames, fly, 1)) {
        points->count = frames;
        points->within = fly;
    }
    if (points->count != frames)
        return refuse_counts(reading, points, frames, fly, error);
    for (size_t n = 0; n < frames; n++)
        slots[n] = n;
    return 0;
}

static double step_length(const double *yx, size_t n)
{
    return hypot(yx[2 * n + 2] - yx[2 * n], yx[2 * n + 3] - yx[2 * n + 1]);
}

/* The median distance of successive positions; 0 where memory is out. */
static double median_step(const double *yx, size_t count)
{
    double *steps = count > 1 ? calloc(count - 1, sizeof *steps) : NULL;
    if (steps == NULL)
        return 0;
    for (size_t n = 0; n + 1 < count; n++)
        steps[n] = step_length(yx, n);
    ff_array_sort(steps, count - 1);
    double median = steps[(count - 1) / 2];
    free(steps);
    return median;
}

/*
 * `fly` positions along the path through those recorded, which are the middles of the exposures: an
 * exposure begins half way from the one before and ends half way to the next. A step of more than
 * three usual ones is a jump to another line, so there the step on the other side stands for it.
 */
static void interpolate(const double *yx, size_t count, size_t fly, double *positions)
{
    double most = 3 * median_step(yx, count);
    for (size_t n = 0; n < count; n++) {
        bool before = n > 0 && step_length(yx, n - 1) <= most;
        bool after = n + 1 < count && step_length(yx, n) <= most;
        size_t back = before ? n - 1 : n;
        size_t ahead = after ? n : n - 1;
        if (!before && after)
            back = n;
        for (size_t k = 0; k < fly; k++) {
            double at = ((double)k + 0.5) / (double)fly - 0.5;
            size_t from = at < 0 ? back : ahead;
            for (size_t axis = 0; axis < 2; axis++) {
                double step = before || after ? yx[2 * from + 2 + axis] - yx[2 * from + axis] : 0;
                positions[2 * (n * fly + k) + axis] = yx[2 * n + axis] + at * step;
            }
        }
    }
}

/* Numbers the frames that have a position, and gathers these in that order. */
static double *gather(const struct ff_points *points, size_t frames, size_t *slots, size_t *count,
                      struct ff_error *error)
{
    size_t width = 2 * points->within;
    double *gathered = ff_array_create(ff_array_elements(frames, width, 1), sizeof *gathered,
                                       "the positions", error);
    *count = 0;
    for (size_t n = 0; gathered != NULL && n < frames; n++) {
        if (slots[n] == SIZE_MAX)
            continue;
        memcpy(gathered + *count * width, points->yx + slots[n] * width, width * sizeof *gathered);
        slots[n] = (*count)++;
    }
    return gathered;
}

static int spread(const struct ff_reading *reading, size_t within, double **positions,
                  struct ff_measurement *measurement, struct ff_error *error)
{
    size_t fly = (size_t)reading->settings->fly;
    measurement->fly = within;
    if (within > 1 && fly > 1 && fly != within) {
        ff_fail(error, FF_INVALID_SETTING,
                "the setting 'fly' is %zu, and %s has %zu positions for each frame", fly,
                ff_hdf5_path(reading->file), within);
        return ff_hint(error, "leave 'fly' out to use them all");
    }
    if (within > 1 || fly == 1)
        return 0;
    double *path = ff_array_create(ff_array_elements(measurement->patterns, fly, 2), sizeof *path,
                                   "the positions within exposures", error);
    if (path == NULL)
        return -1;
    interpolate(*positions, measurement->patterns, fly, path);
    free(*positions);
    *positions = path;
    measurement->fly = fly;
    ff_buffer_printf(reading->notes,
                     "the %zu positions within each exposure are taken from the path between "
                     "successive frames\n",
                     fly);
    return 0;
}

int ff_points_pair(const struct ff_reading *reading, struct ff_points *points, size_t frames,
                   size_t **slots, double **positions, struct ff_measurement *measurement,
                   struct ff_error *error)
{
    double *frame_ids = NULL;
    double *gathered = NULL;
    size_t *own = ff_array_create(frames, sizeof *own, "the order of the frames", error);
    int result = own != NULL ? read_frame_ids(reading, frames, &frame_ids, error) : -1;
    if (result == 0)
        result = points->ids != NULL
                     ? pair_by_number(reading, points, frame_ids, frames, own, error)
                     : pair_by_order(reading, points, frames, own, error);
    if (result == 0) {
        gathered = gather(points, frames, own, &measurement->patterns, error);
        result =
            gathered != NULL ? spread(reading, points->within, &gathered, measurement, error) : -1;
    }
    free(frame_ids);
    if (result < 0) {
        free(own);
        free(gathered);
        return -1;
    }
    *slots = own;
    *positions = gathered;
    return 0;
}
