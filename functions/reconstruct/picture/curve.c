/* The curve of the cost: a frame, a grid with numbers, a line. */
#include "functions/reconstruct/picture/plot.h"

#include <math.h>
#include <stdio.h>

enum { TICKS_WANTED = 6 };

static bool usable(double cost)
{
    return isfinite(cost) && cost > 0;
}

/* Epochs 1 … last, and decades. */
static void set_axes(struct ff_plot *plot, const double *costs, size_t epochs)
{
    plot->x_low = epochs > 1 ? 1 : 0;
    plot->x_high = epochs > 1 ? (double)epochs : 2;
    plot->y_low = INFINITY;
    plot->y_high = -INFINITY;
    for (size_t i = 0; i < epochs; i++) {
        if (!usable(costs[i]))
            continue;
        plot->y_low = fmin(plot->y_low, log10(costs[i]));
        plot->y_high = fmax(plot->y_high, log10(costs[i]));
    }
    if (!isfinite(plot->y_low))
        plot->y_low = plot->y_high = 0;
    double margin = fmax(0.02, 0.05 * (plot->y_high - plot->y_low));
    plot->y_low -= margin;
    plot->y_high += margin;
}

static void draw_epochs(const struct ff_plot *plot, size_t epochs)
{
    double step = ff_plot_step(fmax((double)epochs - 1, TICKS_WANTED), TICKS_WANTED);
    for (double epoch = step; epoch <= (double)epochs; epoch += step) {
        char label[32];
        snprintf(label, sizeof label, "%.0f", epoch);
        ff_plot_tick_x(plot, epoch, label);
    }
}

static void draw_cost(const struct ff_plot *plot, double cost)
{
    if (log10(cost) < plot->y_low || log10(cost) > plot->y_high)
        return;
    char label[32];
    snprintf(label, sizeof label, "%.3g", cost);
    ff_plot_tick_y(plot, log10(cost), label);
}

/* Within one decade many digits get a line, over several 1, 2 and 5, over many 1 alone. */
static void draw_costs(const struct ff_plot *plot)
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
    while (which < 2 && !(plot->y_high - plot->y_low < grids[which].range_max))
        which++;
    for (double decade = floor(plot->y_low); decade <= plot->y_high; decade++)
        for (size_t i = 0; i < grids[which].count; i++)
            draw_cost(plot, grids[which].digits[i] * pow(10, decade));
}

struct ff_picture *ff_picture_of_costs(const double *costs, size_t epochs, struct ff_error *error)
{
    struct ff_plot plot;
    if (ff_plot_create(&plot, error) < 0)
        return NULL;
    set_axes(&plot, costs, epochs);
    draw_epochs(&plot, epochs);
    draw_costs(&plot);
    ff_plot_frame(&plot, "epoch", "cost");
    for (size_t i = 0; i < epochs; i++) {
        size_t from = i > 0 && usable(costs[i - 1]) ? i - 1 : i;
        if (usable(costs[i]))
            ff_plot_line(&plot, (double)from + 1, log10(costs[from]), (double)i + 1,
                         log10(costs[i]), 2, ff_plot_curve);
    }
    return plot.picture;
}
