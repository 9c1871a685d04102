#include "functions/reconstruct/picture/view.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Rows and columns [from, to) of the object. */
struct box {
    size_t from[2], to[2];
};

static size_t clamp(double value, size_t low, size_t high)
{
    if (!(value > (double)low))
        return low;
    return value < (double)high ? (size_t)value : high;
}

/* What the middles of the patches reached, grown by `grow` windows; all of it where that is
 * nothing. */
static struct box box_of(const struct ff_view_source *source, double grow)
{
    const size_t extent[2] = {source->rows, source->columns};
    struct box box;
    for (size_t axis = 0; axis < 2; axis++) {
        double low = INFINITY;
        double high = -INFINITY;
        for (size_t n = 0; source->positions != NULL && n < source->patterns; n++) {
            low = fmin(low, source->positions[2 * n + axis]);
            high = fmax(high, source->positions[2 * n + axis]);
        }
        double window = (double)source->window[axis];
        box.from[axis] = clamp(floor(low + window / 2 - grow * window), 0, extent[axis]);
        box.to[axis] = clamp(ceil(high + window / 2 + grow * window) + 1, 0, extent[axis]);
        if (box.to[axis] < box.from[axis] + 4) {
            box.from[axis] = 0;
            box.to[axis] = extent[axis];
        }
    }
    return box;
}

/* Radians by which the phase grows with each row and column, and what it is at the origin. */
struct ramp {
    double slope[2], offset;
};

static double complex at(const struct ff_view_source *source, size_t row, size_t column)
{
    return (double complex)source->object[row * source->columns + column];
}

/* The slope is the phase of the mean step from a pixel to its neighbour, weighed by their light. */
static struct ramp ramp_of(const struct ff_view_source *source, const struct box *box)
{
    double complex step[2] = {0, 0};
    for (size_t r = box->from[0]; r + 1 < box->to[0]; r++)
        for (size_t c = box->from[1]; c + 1 < box->to[1]; c++) {
            double complex here = conj(at(source, r, c));
            step[0] += here * at(source, r + 1, c);
            step[1] += here * at(source, r, c + 1);
        }
    struct ramp ramp = {{carg(step[0]), carg(step[1])}, 0};
    double complex sum = 0;
    for (size_t r = box->from[0]; r < box->to[0]; r++)
        for (size_t c = box->from[1]; c < box->to[1]; c++) {
            double angle = ramp.slope[0] * (double)r + ramp.slope[1] * (double)c;
            sum += at(source, r, c) * (cos(angle) - sin(angle) * (double complex)I);
        }
    ramp.offset = carg(sum);
    return ramp;
}

static void fill(struct ff_view *view, const struct ff_view_source *source, const struct box *box,
                 size_t square, const struct ramp *ramp)
{
    for (size_t i = 0; i < view->rows * view->columns; i++) {
        size_t row = box->from[0] + i / view->columns * square;
        size_t column = box->from[1] + i % view->columns * square;
        double phase = 0;
        double amplitude = 0;
        for (size_t k = 0; k < square * square; k++) {
            size_t r = row + k / square;
            size_t c = column + k % square;
            double angle = ramp->slope[0] * (double)r + ramp->slope[1] * (double)c + ramp->offset;
            double complex value = at(source, r, c) * (cos(angle) - sin(angle) * (double complex)I);
            phase += carg(value);
            amplitude += cabs(value);
        }
        view->phase[i] = (float)(phase / (double)(square * square));
        view->amplitude[i] = (float)(amplitude / (double)(square * square));
    }
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The two percentiles of the finite values inside `inner`, given in pixels of the view. */
static int find_scale(const struct ff_view *view, const float *values, const struct box *inner,
                      float *low, float *high, struct ff_error *error)
{
    float *sorted = ff_array_create(view->rows * view->columns, sizeof *sorted, "a view", error);
    if (sorted == NULL)
        return -1;
    size_t count = 0;
    for (size_t r = inner->from[0]; r < inner->to[0]; r++)
        for (size_t c = inner->from[1]; c < inner->to[1]; c++)
            if (isfinite(values[r * view->columns + c]))
                sorted[count++] = values[r * view->columns + c];
    qsort(sorted, count, sizeof *sorted, compare_floats);
    *low = count > 0 ? sorted[count / 100] : 0;
    *high = count > 0 ? sorted[count - 1 - count / 100] : 0;
    /* A flat picture is shown flat, not as its rounding errors. */
    if (!(*high > *low + 1e-6f))
        *high = *low + 1;
    free(sorted);
    return 0;
}

static struct box inside(const struct ff_view *view, const struct box *shown,
                         const struct box *reached, size_t square)
{
    const size_t extent[2] = {view->rows, view->columns};
    struct box box;
    for (size_t axis = 0; axis < 2; axis++) {
        box.from[axis] = (reached->from[axis] - shown->from[axis]) / square;
        box.to[axis] = (reached->to[axis] - shown->from[axis]) / square;
        if (box.to[axis] > extent[axis])
            box.to[axis] = extent[axis];
    }
    return box;
}

struct ff_view *ff_view_create(const struct ff_view_source *source, size_t limit,
                               struct ff_error *error)
{
    const struct box reached = box_of(source, 0);
    const struct box shown = box_of(source, 0.2);
    size_t rows = shown.to[0] - shown.from[0];
    size_t columns = shown.to[1] - shown.from[1];
    size_t longer = rows > columns ? rows : columns;
    size_t square = (longer + limit - 1) / limit;
    struct ff_view *view = ff_array_create(1, sizeof *view, "a view", error);
    if (view == NULL)
        return NULL;
    if (square == 0 || rows / square == 0 || columns / square == 0) {
        ff_fail(error, FF_INPUT_INVALID, "an object of %zu × %zu pixels cannot be shown",
                source->rows, source->columns);
        ff_view_destroy(view);
        return NULL;
    }
    view->rows = rows / square;
    view->columns = columns / square;
    view->phase = ff_array_create(view->rows * view->columns, sizeof(float), "a view", error);
    view->amplitude = ff_array_create(view->rows * view->columns, sizeof(float), "a view", error);
    if (view->phase == NULL || view->amplitude == NULL) {
        ff_view_destroy(view);
        return NULL;
    }
    const struct ramp ramp = ramp_of(source, &reached);
    fill(view, source, &shown, square, &ramp);
    const struct box inner = inside(view, &shown, &reached, square);
    if (find_scale(view, view->phase, &inner, &view->phase_low, &view->phase_high, error) == 0 &&
        find_scale(view, view->amplitude, &inner, &view->amplitude_low, &view->amplitude_high,
                   error) == 0)
        return view;
    ff_view_destroy(view);
    return NULL;
}

void ff_view_destroy(struct ff_view *view)
{
    if (view == NULL)
        return;
    free(view->phase);
    free(view->amplitude);
    free(view);
}
