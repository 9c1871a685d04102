#include "functions/reconstruct/place.h"

#include <math.h>
#include <stdlib.h>

enum { OBJECT_SIDE_MAX = 1 << 20 };

/* Along one axis: positions to pixels, and how long the object has to be. */
static double place_axis(struct ff_problem *problem, size_t axis, size_t window)
{
    size_t places = problem->patterns * problem->fly;
    double margin = FF_OBJECT_MARGIN + ceil(problem->travel_px);
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t n = 0; n < places; n++) {
        double at = problem->positions_m[2 * n + axis] / problem->geometry.object_pixel_m[axis];
        problem->positions[2 * n + axis] = at;
        low = fmin(low, at);
        high = fmax(high, at);
    }
    for (size_t n = 0; n < places; n++)
        problem->positions[2 * n + axis] += margin - low;
    return ceil(high - low) + (double)window + 2 * margin;
}

/* How far positions may have to go that are wrong by some pixels and a scale of some per cent. */
static double travel_of(const struct ff_problem *problem)
{
    const double *pixel = problem->geometry.object_pixel_m;
    double low[2];
    double high[2];
    ff_array_box(problem->positions_m, problem->patterns * problem->fly, low, high);
    double extent = fmax((high[0] - low[0]) / pixel[0], (high[1] - low[1]) / pixel[1]);
    return 8 + 0.02 * extent;
}

int ff_problem_place(struct ff_problem *problem, bool positions_move, struct ff_error *error)
{
    size_t places = problem->patterns * problem->fly;
    free(problem->positions);
    free(problem->object);
    problem->object = NULL;
    problem->positions =
        ff_array_create(places, 2 * sizeof(double), "the positions in pixels", error);
    if (problem->positions == NULL)
        return -1;
    problem->travel_px = positions_move ? travel_of(problem) : 0;
    size_t extent[2];
    const size_t window[2] = {problem->probe_rows, problem->probe_columns};
    for (size_t axis = 0; axis < 2; axis++) {
        double side = place_axis(problem, axis, window[axis]);
        if (side > OBJECT_SIDE_MAX)
            return ff_fail(error, FF_INPUT_INVALID,
                           "%s: the scan is %.0f object pixels long; at most %d are made",
                           problem->source != NULL ? problem->source : "the scan", side,
                           OBJECT_SIDE_MAX);
        extent[axis] = (size_t)side;
    }
    problem->object_rows = extent[0];
    problem->object_columns = extent[1];
    return 0;
}
