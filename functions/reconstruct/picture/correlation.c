/* The curve of a Fourier ring correlation with its threshold. */
#include "functions/reconstruct/picture/plot.h"

#include <math.h>
#include <stdio.h>

enum { TENTHS = 10 };

static const double nyquist = 0.5; /* cycles per pixel */

/* A correlation may be negative, where it means nothing but noise. */
static double held(double value)
{
    return fmin(1, fmax(0, value));
}

static void draw(const struct ff_plot *plot, const struct ff_curves *curves, double width)
{
    for (size_t i = 1; i < curves->count; i++) {
        double x0 = curves->frequency[i - 1] / nyquist;
        double x1 = curves->frequency[i] / nyquist;
        ff_plot_line(plot, x0, held(curves->threshold[i - 1]), x1, held(curves->threshold[i]),
                     width, ff_plot_second_curve);
        ff_plot_line(plot, x0, held(curves->correlation[i - 1]), x1, held(curves->correlation[i]),
                     width, ff_plot_curve);
    }
}

struct ff_picture *ff_picture_of_correlation(const struct ff_curves *curves, struct ff_error *error)
{
    struct ff_plot plot = {.x_high = 1, .y_high = 1};
    if (ff_plot_create(&plot, error) < 0)
        return NULL;
    for (int i = 0; i <= TENTHS; i += 2) {
        char label[32];
        snprintf(label, sizeof label, "%.1f", (double)i / TENTHS);
        ff_plot_tick_x(&plot, (double)i / TENTHS, label);
        ff_plot_tick_y(&plot, (double)i / TENTHS, label);
    }
    ff_plot_frame(&plot, "frequency by nyquist", "ring correlation and half-bit threshold");
    draw(&plot, curves, 2);
    return plot.picture;
}

struct ff_picture *ff_picture_of_correlation_small(const struct ff_curves *curves, size_t width,
                                                   size_t height, struct ff_error *error)
{
    struct ff_plot plot = {.x_high = 1, .y_high = 1};
    if (ff_plot_create_small(&plot, width, height, error) < 0)
        return NULL;
    draw(&plot, curves, 1);
    return plot.picture;
}
