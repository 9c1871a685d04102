#include "functions/reconstruct/spacing.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* The neighbour is looked for among those next in the order of rows; NEAR of them on either side
 * hold it in any scan but a pathological one, and the work stays linear. */
enum { NEAR = 256, RASTER_MIN = 25, CANDIDATES = 32 };

static const double raster_share = 0.9;
static const double raster_tolerance = 0.05; /* of a step: jitter of a tenth is no grid any more */

/* The step from each position to its nearest neighbour, and how long it is. */
static void find_neighbours(const struct ff_problem *problem, double *steps, double *lengths)
{
    const double *at = problem->positions;
    size_t count = problem->patterns;
    size_t stride = 2 * problem->fly; /* the first of each exposure */
    for (size_t n = 0; n < count; n++) {
        size_t first = n > NEAR ? n - NEAR : 0;
        lengths[n] = INFINITY;
        for (size_t k = first; k < count && k <= n + NEAR; k++) {
            double y = at[stride * k] - at[stride * n];
            double x = at[stride * k + 1] - at[stride * n + 1];
            double length = hypot(y, x);
            if (k == n || length >= lengths[n])
                continue;
            lengths[n] = length;
            steps[2 * n] = y;
            steps[2 * n + 1] = x;
        }
    }
}

/* Forward and backward are one step. */
static bool same_step(const double *a, const double *b, double tolerance)
{
    return hypot(a[0] - b[0], a[1] - b[1]) < tolerance ||
           hypot(a[0] + b[0], a[1] + b[1]) < tolerance;
}

/* Takes the step that most of those that are left share, and how many they are. `left` are flags. */
static size_t take_commonest(const double *steps, size_t count, double tolerance, uint8_t *left)
{
    size_t best = 0;
    size_t best_at = 0;
    for (size_t i = 0; i < CANDIDATES; i++) {
        size_t candidate = i * count / CANDIDATES;
        size_t alike = 0;
        for (size_t n = 0; left[candidate] && n < count; n++)
            alike += left[n] && same_step(steps + 2 * n, steps + 2 * candidate, tolerance);
        if (alike > best) {
            best = alike;
            best_at = candidate;
        }
    }
    for (size_t n = 0; best > 0 && n < count; n++)
        if (n != best_at && same_step(steps + 2 * n, steps + 2 * best_at, tolerance))
            left[n] = 0;
    left[best_at] = 0;
    return best;
}

static bool is_raster(const double *steps, size_t count, double step_px, uint8_t *left)
{
    if (count < RASTER_MIN || !(step_px > 0))
        return false;
    double tolerance = raster_tolerance * step_px;
    for (size_t n = 0; n < count; n++)
        left[n] = 1;
    size_t alike = take_commonest(steps, count, tolerance, left);
    alike += take_commonest(steps, count, tolerance, left);
    return (double)alike >= raster_share * (double)count;
}

int ff_probe_width(const struct ff_problem *problem, double *width, struct ff_error *error)
{
    double *rings = ff_array_create(problem->probe_rows + problem->probe_columns, sizeof *rings,
                                    "the light of the probe", error);
    if (rings == NULL)
        return -1;
    size_t columns = problem->probe_columns;
    size_t pixels = problem->probe_rows * columns;
    size_t reach = problem->probe_rows + columns;
    double sum = 0;
    double row = 0;
    double column = 0;
    for (size_t i = 0; i < pixels; i++) {
        double light = pow((double)cabsf(problem->probe[i]), 2);
        sum += light;
        row += light * (double)(i / columns);
        column += light * (double)(i % columns);
    }
    for (size_t i = 0; i < pixels; i++) {
        double distance =
            hypot((double)(i / columns) - row / sum, (double)(i % columns) - column / sum);
        size_t ring = (size_t)distance;
        rings[ring < reach ? ring : reach - 1] += pow((double)cabsf(problem->probe[i]), 2);
    }
    double inside = 0;
    size_t radius = 0;
    while (radius < reach && inside < sum / 2)
        inside += rings[radius++];
    free(rings);
    *width = 2 * (double)radius;
    return 0;
}

static double extent_of(const struct ff_problem *problem)
{
    double low[2];
    double high[2];
    ff_array_box(problem->positions, problem->patterns * problem->fly, low, high);
    return fmax(high[0] - low[0], high[1] - low[1]);
}

/* How many pixels of the object lie in the square about some position's probe; those of a row are
 * marked by where squares begin and end, in differences. */
static double lit_pixels(const struct ff_problem *problem, double width, int32_t *marks)
{
    size_t rows = problem->object_rows;
    size_t columns = problem->object_columns;
    size_t lit = 0;
    for (size_t n = 0; n < problem->patterns * problem->fly; n++) {
        double middle[2] = {problem->positions[2 * n] + (double)problem->probe_rows / 2,
                            problem->positions[2 * n + 1] + (double)problem->probe_columns / 2};
        size_t top = (size_t)fmax(0, middle[0] - width / 2);
        size_t left = (size_t)fmax(0, middle[1] - width / 2);
        size_t bottom = (size_t)fmin((double)rows, middle[0] + width / 2);
        size_t right = (size_t)fmin((double)columns, middle[1] + width / 2);
        for (size_t r = top; r < bottom; r++) {
            marks[r * (columns + 1) + left]++;
            marks[r * (columns + 1) + right]--;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        int32_t depth = 0;
        for (size_t c = 0; c < columns; c++) {
            depth += marks[r * (columns + 1) + c];
            lit += depth > 0;
        }
    }
    return (double)lit;
}

int ff_spacing_of(const struct ff_problem *problem, struct ff_spacing *spacing,
                  struct ff_error *error)
{
    size_t count = problem->patterns;
    size_t cells = ff_array_elements(problem->object_rows, problem->object_columns + 1, 1);
    double *steps = ff_array_create(count, 2 * sizeof *steps, "the steps of the scan", error);
    double *lengths = ff_array_create(count, sizeof *lengths, "the steps of the scan", error);
    uint8_t *left = ff_array_create(count, 1, "the steps of the scan", error);
    int32_t *marks = ff_array_create(cells, sizeof *marks, "the lit pixels", error);
    bool made = steps != NULL && lengths != NULL && left != NULL && marks != NULL &&
                ff_probe_width(problem, &spacing->probe_width_px, error) == 0;
    if (made) {
        find_neighbours(problem, steps, lengths);
        ff_array_sort(lengths, count);
        spacing->step_px = lengths[count / 2];
        spacing->overlap = fmax(0, 1 - spacing->step_px / spacing->probe_width_px);
        spacing->window_px =
            (double)(problem->probe_rows < problem->probe_columns ? problem->probe_rows
                                                                  : problem->probe_columns);
        spacing->probe_was_given = problem->probe_was_given;
        spacing->extent_px = extent_of(problem);
        spacing->lit_px = lit_pixels(problem, spacing->probe_width_px, marks);
        spacing->is_raster = is_raster(steps, count, spacing->step_px, left);
    }
    free(steps);
    free(lengths);
    free(left);
    free(marks);
    return made ? 0 : -1;
}

void ff_spacing_doubts(const struct ff_spacing *spacing, struct ff_buffer *lines)
{
    static const char remedy[] =
        "check the unit of the positions (positions_unit), the energy, the "
        "distance and the detector pixel";
    /* A probe that fills more than half of its window is not sampled by the detector. */
    bool far_apart = spacing->step_px > spacing->window_px / 2;
    if (far_apart || (spacing->probe_was_given && spacing->step_px > spacing->probe_width_px))
        ff_buffer_printf(lines,
                         "neighbours are %.1f pixels apart, and half of the probe's light falls "
                         "within %.0f of a window of %.0f: they hardly overlap; %s\n",
                         spacing->step_px, spacing->probe_width_px, spacing->window_px, remedy);
    else if (spacing->probe_was_given && spacing->overlap < 0.5)
        ff_buffer_printf(lines,
                         "the overlap of neighbours is only %.2f; 0.6 to 0.7 is usual; where the "
                         "scan is meant to be finer, %s\n",
                         spacing->overlap, remedy);
    if (spacing->extent_px < spacing->probe_width_px)
        ff_buffer_printf(
            lines,
            "all positions lie within %.2f pixels, and half of the probe's light falls "
            "within %.0f: the scan hardly moves; %s\n",
            spacing->extent_px, spacing->probe_width_px, remedy);
    if (spacing->is_raster)
        ff_buffer_append_text(
            lines, "the positions lie on a regular grid, which leaves its own pattern in "
                   "the object (raster pathology); scan next time along a spiral, or "
                   "with a tenth of a step of jitter\n");
}
