/* The curve of the cost: a frame, a grid with numbers, a line. */
#include "functions/reconstruct/picture/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 400, LEFT = 60, RIGHT = 16, TOP = 24, BOTTOM = 36, TICKS_WANTED = 6 };

static const struct ff_colour paper = {255, 255, 255};
static const struct ff_colour ink = {40, 40, 40};
static const struct ff_colour grid = {224, 224, 224};
static const struct ff_colour curve = {49, 104, 142};

/* The range of the two axes: epochs 1 … last, decades low … high. */
struct axes {
    double last, low, high;
};

static double x_of(const struct axes *axes, double epoch)
{
    double share = axes->last > 1 ? (epoch - 1) / (axes->last - 1) : 0.5;
    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct axes *axes, double cost)
{
    double share = (log10(cost) - axes->low) / (axes->high - axes->low);
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static bool usable(double cost)
{
    return isfinite(cost) && cost > 0;
}

static struct axes axes_of(const double *costs, size_t epochs)
{
    struct axes axes = {(double)epochs, INFINITY, -INFINITY};
    for (size_t i = 0; i < epochs; i++) {
        if (!usable(costs[i]))
            continue;
        axes.low = fmin(axes.low, log10(costs[i]));
        axes.high = fmax(axes.high, log10(costs[i]));
    }
    if (!isfinite(axes.low))
        axes.low = axes.high = 0;
    double margin = fmax(0.02, 0.05 * (axes.high - axes.low));
    axes.low -= margin;
    axes.high += margin;
    return axes;
}

/* 1, 2 or 5 times a power of ten, so that about TICKS_WANTED fit in. */
static double step_of(double range)
{
    double rough = fmax(1, range / TICKS_WANTED);
    double power = pow(10, floor(log10(rough)));
    double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static void draw_epochs(struct ff_picture *picture, const struct axes *axes)
{
    double step = step_of(axes->last - 1);
    for (double epoch = step; epoch <= axes->last; epoch += step) {
        char label[32];
        double x = x_of(axes, epoch);
        snprintf(label, sizeof label, "%.0f", epoch);
        ff_draw_line(picture, x, TOP, x, HEIGHT - BOTTOM, 1, grid);
        ff_draw_text(picture, (size_t)(x - 3 * (double)strlen(label)), HEIGHT - BOTTOM + 6, label,
                     ink);
    }
}

static void draw_cost(struct ff_picture *picture, const struct axes *axes, double cost)
{
    if (log10(cost) < axes->low || log10(cost) > axes->high)
        return;
    char label[32];
    double y = y_of(axes, cost);
    snprintf(label, sizeof label, "%.3g", cost);
    ff_draw_line(picture, LEFT, y, WIDTH - RIGHT, y, 1, grid);
    ff_draw_text(picture, (size_t)(LEFT - 6 - FF_GLYPH_WIDTH * (double)strlen(label)),
                 (size_t)(y - 3), label, ink);
}

/* Within one decade many digits get a line, over several 1, 2 and 5, over many 1 alone. */
static void draw_costs(struct ff_picture *picture, const struct axes *axes)
{
    static const struct {
        double range_max;
        size_t count;
        double digits[10];
    } grids[] = {
        {0.8, 10, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}},
        {3, 3, {1, 2, 5}},
        {INFINITY, 1, {1}},
    };
    size_t which = 0;
    while (which < 2 && !(axes->high - axes->low < grids[which].range_max))
        which++;
    for (double decade = floor(axes->low); decade <= axes->high; decade++)
        for (size_t i = 0; i < grids[which].count; i++)
            draw_cost(picture, axes, grids[which].digits[i] * pow(10, decade));
}

static void draw_frame(struct ff_picture *picture)
{
    ff_draw_line(picture, LEFT, TOP, LEFT, HEIGHT - BOTTOM, 1, ink);
    ff_draw_line(picture, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 1, ink);
    ff_draw_text(picture, LEFT, 8, "cost", ink);
    ff_draw_text(picture, WIDTH - RIGHT - 5 * FF_GLYPH_WIDTH, HEIGHT - 14, "epoch", ink);
}

struct ff_picture *ff_picture_of_costs(const double *costs, size_t epochs, struct ff_error *error)
{
    struct ff_picture *picture = ff_picture_create(WIDTH, HEIGHT, paper, error);
    if (picture == NULL)
        return NULL;
    const struct axes axes = axes_of(costs, epochs);
    draw_epochs(picture, &axes);
    draw_costs(picture, &axes);
    draw_frame(picture);
    for (size_t i = 0; i < epochs; i++) {
        size_t from = i > 0 && usable(costs[i - 1]) ? i - 1 : i;
        if (usable(costs[i]))
            ff_draw_line(picture, x_of(&axes, (double)from + 1), y_of(&axes, costs[from]),
                         x_of(&axes, (double)i + 1), y_of(&axes, costs[i]), 2, curve);
    }
    return picture;
}
