/*
 * functions/reconstruct/picture/plot.h: two linear axes with a frame, a grid and lines, on which
 * the curves are drawn.
 */
#ifndef FF_RECONSTRUCT_PICTURE_PLOT_H
#define FF_RECONSTRUCT_PICTURE_PLOT_H

#include "functions/reconstruct/picture/draw.h"

struct ff_plot {
    struct ff_picture *picture;
    size_t left, right, top, bottom; /* margins in pixels */
    double x_low, x_high, y_low, y_high;
};

extern const struct ff_colour ff_plot_ink, ff_plot_curve, ff_plot_second_curve;

/* With room for numbers and names around the frame; plot->picture is the caller's. The four limits
 * are set before. */
int ff_plot_create(struct ff_plot *plot, struct ff_error *error) FF_MUST_USE;

/* The same for a terminal: so many pixels, no margins. */
int ff_plot_create_small(struct ff_plot *plot, size_t width, size_t height,
                         struct ff_error *error) FF_MUST_USE;

/* A line of the grid with its number. */
void ff_plot_tick_x(const struct ff_plot *plot, double x, const char *label);
void ff_plot_tick_y(const struct ff_plot *plot, double y, const char *label);

/* The two axes with their names, over the grid. */
void ff_plot_frame(const struct ff_plot *plot, const char *x_name, const char *y_name);

void ff_plot_line(const struct ff_plot *plot, double x0, double y0, double x1, double y1,
                  double width, struct ff_colour ink);

/* 1, 2 or 5 times a power of ten, so that about `wanted` fit into the range. */
double ff_plot_step(double range, double wanted);

/* The correlation and its threshold (dimmer) against the frequency, as a share of Nyquist's:
 * metrics/frc.h. Large with numbers, or for a terminal. */
struct ff_curves {
    size_t count;
    const double *frequency; /* cycles per pixel */
    const double *correlation, *threshold;
};
struct ff_picture *ff_picture_of_correlation(const struct ff_curves *curves,
                                             struct ff_error *error) FF_MUST_USE;
struct ff_picture *ff_picture_of_correlation_small(const struct ff_curves *curves, size_t width,
                                                   size_t height,
                                                   struct ff_error *error) FF_MUST_USE;

#endif
