#include "functions/simulate/scan.h"

#include "functions/simulate/beam.h"
#include "functions/simulate/draw.h"

#include <math.h>
#include <string.h>

enum { OBJECT_SIDE_MAX = 1 << 15 };

/* The golden angle: two turns of it never meet. */
static const double spiral_angle = 2.399963229728653;

/* Where the probe is at "time" `n` of the way, in steps; with a fraction on a spiral, between two
 * patterns. */
static void spiral_at(double n, double *at)
{
    /* One step² of area for each pattern. */
    double radius = sqrt(n / M_PI);
    at[0] = radius * sin(n * spiral_angle);
    at[1] = radius * cos(n * spiral_angle);
}

/* The middle of exposure `n`, and the way of the stage during it, both in steps. */
static void at_exposure(const struct ff_simulation *simulation, size_t n, struct ff_random *random,
                        double *middle, double *way)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    if (settings->path == FF_SIMULATE_SPIRAL) {
        double next[2];
        spiral_at((double)n, middle);
        spiral_at((double)n + 1, next);
        double length = hypot(next[0] - middle[0], next[1] - middle[1]);
        for (size_t axis = 0; axis < 2; axis++)
            way[axis] = (next[axis] - middle[axis]) / length;
    } else {
        size_t across = (size_t)ceil(sqrt((double)simulation->patterns));
        const double grid[2] = {(double)(n / across), (double)(n % across)};
        for (size_t axis = 0; axis < 2; axis++)
            middle[axis] = grid[axis] + settings->jitter * (2 * ff_random_unit(random) - 1);
        way[0] = 0;
        way[1] = 1;
    }
}

/* In pixels; the corner is added later. */
static void place_all(struct ff_simulation *simulation, double *low, double *high)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    double step = fmax(1, (1 - settings->overlap) *
                              ff_simulate_beam_width(simulation->probe, simulation->probe_size));
    struct ff_random random = ff_random_seed((uint64_t)settings->seed ^ 0x5ca4u);
    for (size_t n = 0; n < simulation->patterns; n++) {
        double middle[2];
        double way[2];
        at_exposure(simulation, n, &random, middle, way);
        for (size_t k = 0; k < simulation->fly; k++) {
            double part = ((double)k + 0.5) / (double)simulation->fly - 0.5;
            for (size_t axis = 0; axis < 2; axis++) {
                double at = step * (middle[axis] + settings->fly_steps * part * way[axis]);
                simulation->places[2 * (n * simulation->fly + k) + axis] = at;
                low[axis] = fmin(low[axis], at);
                high[axis] = fmax(high[axis], at);
            }
        }
    }
}

static void take_middles(struct ff_simulation *simulation)
{
    size_t fly = simulation->fly;
    for (size_t n = 0; n < simulation->patterns; n++)
        for (size_t axis = 0; axis < 2; axis++) {
            double sum = 0;
            for (size_t k = 0; k < fly; k++)
                sum += simulation->places[2 * (n * fly + k) + axis];
            simulation->positions[2 * n + axis] = sum / (double)fly;
        }
}

int ff_simulate_scan(struct ff_simulation *simulation, struct ff_error *error)
{
    double low[2] = {INFINITY, INFINITY};
    double high[2] = {-INFINITY, -INFINITY};
    size_t places = ff_array_elements(simulation->patterns, simulation->fly, 2);
    simulation->places = ff_array_create(places, sizeof(double), "the positions", error);
    simulation->positions =
        ff_array_create(simulation->patterns, 2 * sizeof(double), "the positions", error);
    if (simulation->places == NULL || simulation->positions == NULL)
        return -1;
    place_all(simulation, low, high);
    for (size_t i = 0; i < places; i++)
        simulation->places[i] += FF_SIMULATION_MARGIN - low[i % 2];
    take_middles(simulation);
    size_t window = simulation->probe_size + 2 * FF_SIMULATION_MARGIN;
    simulation->rows = (size_t)ceil(high[0] - low[0]) + window;
    simulation->columns = (size_t)ceil(high[1] - low[1]) + window;
    if (simulation->rows <= OBJECT_SIDE_MAX && simulation->columns <= OBJECT_SIDE_MAX)
        return 0;
    ff_fail(error, FF_INVALID_SETTING, "the object would have %zu × %zu pixels", simulation->rows,
            simulation->columns);
    return ff_hint(error, "ask for fewer patterns, or more overlap; a side may have %d pixels",
                   OBJECT_SIDE_MAX);
}

/* The affine part of what the file says: [0] is the row y, [1] the column x. */
static void wrong_map(const struct ff_simulate_settings *settings, double map[2][2])
{
    double scale = 1 + settings->scale_error_percent / 100;
    double shear = settings->shear_error_percent / 100;
    double angle = settings->rotation_error_deg * M_PI / 180;
    map[0][0] = scale * (cos(angle) - sin(angle) * shear);
    map[0][1] = scale * -sin(angle);
    map[1][0] = scale * (sin(angle) + cos(angle) * shear);
    map[1][1] = scale * cos(angle);
}

/* The inverse of what a reader has to do. */
static void turn(int orientation, double *at)
{
    if (orientation & FF_SIMULATE_ROWS_REVERSED)
        at[0] = -at[0];
    if (orientation & FF_SIMULATE_COLUMNS_REVERSED)
        at[1] = -at[1];
    if (orientation & FF_SIMULATE_TRANSPOSED) {
        double row = at[0];
        at[0] = at[1];
        at[1] = row;
    }
}

int ff_simulate_statement(struct ff_simulation *simulation, struct ff_error *error)
{
    const struct ff_simulate_settings *settings = &simulation->settings;
    size_t fly = simulation->fly;
    double map[2][2];
    double middle[2] = {0, 0};
    simulation->stated = ff_array_create(ff_array_elements(simulation->patterns, fly, 2),
                                         sizeof(double), "the positions", error);
    if (simulation->stated == NULL)
        return -1;
    for (size_t i = 0; i < 2 * simulation->patterns; i++)
        middle[i % 2] += simulation->positions[i] / (double)simulation->patterns;
    wrong_map(settings, map);
    for (size_t n = 0; n < simulation->patterns; n++) {
        struct ff_random random = ff_simulate_stream(settings->seed, n, FF_DRAW_POSITION);
        const double error_px[2] = {settings->position_error_px * ff_simulate_normal(&random),
                                    settings->position_error_px * ff_simulate_normal(&random)};
        for (size_t k = 0; k < fly; k++) {
            const double *truth = simulation->places + 2 * (n * fly + k);
            double *stated = simulation->stated + 2 * (n * fly + k);
            const double from[2] = {truth[0] - middle[0], truth[1] - middle[1]};
            for (size_t axis = 0; axis < 2; axis++)
                stated[axis] =
                    middle[axis] + map[axis][0] * from[0] + map[axis][1] * from[1] + error_px[axis];
            turn(settings->orientation, stated);
        }
    }
    return 0;
}
