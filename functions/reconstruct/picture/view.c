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

/* A line of a scan reaches nothing in one direction, and box_of takes all for it: more than is
 * shown. */
static struct box common_part(struct box box, const struct box *other)
{
    for (size_t axis = 0; axis < 2; axis++) {
        if (box.from[axis] < other->from[axis])
            box.from[axis] = other->from[axis];
        if (box.to[axis] > other->to[axis])
            box.to[axis] = other->to[axis];
    }
    return box;
}

/* Factors of each row and each column that take a phase ramp and a constant phase out. */
struct ramp {
    double complex *rows, *columns;
};

static double complex at(const struct ff_view_source *source, size_t row, size_t column)
{
    return (double complex)source->object[row * source->columns + column];
}

/* The slopes are the phase of the mean step from a pixel to its neighbour, weighed by their light. */
static void find_slopes(const struct ff_view_source *source, const struct box *box, double slope[2])
{
    double complex step[2] = {0, 0};
    for (size_t r = box->from[0]; r + 1 < box->to[0]; r++)
        for (size_t c = box->from[1]; c + 1 < box->to[1]; c++) {
            double complex here = conj(at(source, r, c));
            step[0] += here * at(source, r + 1, c);
            step[1] += here * at(source, r, c + 1);
        }
    slope[0] = carg(step[0]);
    slope[1] = carg(step[1]);
}

static double complex turn(double angle)
{
    return cos(angle) + sin(angle) * (double complex)I;
}

/* Fills the tables that take the ramp out: a value times those of its row and its column. */
static void find_ramp(const struct ff_view_source *source, const struct box *box, struct ramp *ramp)
{
    double slope[2];
    find_slopes(source, box, slope);
    for (size_t r = 0; r < source->rows; r++)
        ramp->rows[r] = turn(-slope[0] * (double)r);
    for (size_t c = 0; c < source->columns; c++)
        ramp->columns[c] = turn(-slope[1] * (double)c);
    double complex sum = 0;
    for (size_t r = box->from[0]; r < box->to[0]; r++)
        for (size_t c = box->from[1]; c < box->to[1]; c++)
            sum += at(source, r, c) * ramp->rows[r] * ramp->columns[c];
    double complex offset = turn(-carg(sum));
    for (size_t r = 0; r < source->rows; r++)
        ramp->rows[r] *= offset;
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
            double complex value = at(source, r, c) * ramp->rows[r] * ramp->columns[c];
            phase += carg(value);
            amplitude += cabs(value);
        }
        view->phase[i] = (float)(phase / (double)(square * square));
        view->amplitude[i] = (float)(amplitude / (double)(square * square));
    }
}

/* Puts the value of rank `rank` in its place, smaller ones before it and greater ones behind
 * (Hoare's FIND, 1961): in linear time, where sorting would take longer than all else here. */
static float select_rank(float *values, ptrdiff_t count, ptrdiff_t rank)
{
    ptrdiff_t first = 0;
    ptrdiff_t last = count - 1;
    while (first < last) {
        float pivot = values[rank];
        ptrdiff_t i = first;
        ptrdiff_t j = last;
        do {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i <= j) {
                float kept = values[i];
                values[i++] = values[j];
                values[j--] = kept;
            }
        } while (i <= j);
        if (j < rank)
            first = i;
        if (rank < i)
            last = j;
    }
    return values[rank];
}

/* The two percentiles of the finite values inside `inner`, given in pixels of the view. */
static int find_scale(const struct ff_view *view, const float *values, const struct box *inner,
                      float *low, float *high, struct ff_error *error)
{
    float *found = ff_array_create(view->rows * view->columns, sizeof *found, "a view", error);
    if (found == NULL)
        return -1;
    ptrdiff_t count = 0;
    for (size_t r = inner->from[0]; r < inner->to[0]; r++)
        for (size_t c = inner->from[1]; c < inner->to[1]; c++)
            if (isfinite(values[r * view->columns + c]))
                found[count++] = values[r * view->columns + c];
    *low = count > 0 ? select_rank(found, count, count / 100) : 0;
    *high = count > 0 ? select_rank(found, count, count - 1 - count / 100) : 0;
    /* A flat picture is shown flat, not as its rounding errors. */
    if (!(*high > *low + 1e-6f))
        *high = *low + 1;
    free(found);
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

static int flatten(struct ff_view *view, const struct ff_view_source *source,
                   const struct box *shown, const struct box *reached, size_t square,
                   struct ff_error *error)
{
    struct ramp ramp = {
        .rows = ff_array_create(source->rows, sizeof(double complex), "a view", error),
        .columns = ff_array_create(source->columns, sizeof(double complex), "a view", error),
    };
    int result = ramp.rows != NULL && ramp.columns != NULL ? 0 : -1;
    if (result == 0) {
        find_ramp(source, reached, &ramp);
        fill(view, source, shown, square, &ramp);
    }
    free(ramp.rows);
    free(ramp.columns);
    return result;
}

struct ff_view *ff_view_create(const struct ff_view_source *source, size_t limit,
                               struct ff_error *error)
{
    const struct box shown = box_of(source, 0.2);
    const struct box reached = common_part(box_of(source, 0), &shown);
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
    if (flatten(view, source, &shown, &reached, square, error) < 0) {
        ff_view_destroy(view);
        return NULL;
    }
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
