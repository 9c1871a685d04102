#include "functions/reconstruct/picture/plot.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 400, LEFT = 60, RIGHT = 16, TOP = 24, BOTTOM = 36 };

static const struct ff_colour paper = {255, 255, 255};
static const struct ff_colour grid = {224, 224, 224};
const struct ff_colour ff_plot_ink = {40, 40, 40};
const struct ff_colour ff_plot_curve = {49, 104, 142};
const struct ff_colour ff_plot_second_curve = {200, 120, 60};

int ff_plot_create(struct ff_plot *plot, struct ff_error *error)
{
    plot->left = LEFT;
    plot->right = RIGHT;
    plot->top = TOP;
    plot->bottom = BOTTOM;
    plot->picture = ff_picture_create(WIDTH, HEIGHT, paper, error);
    return plot->picture != NULL ? 0 : -1;
}

int ff_plot_create_small(struct ff_plot *plot, size_t width, size_t height, struct ff_error *error)
{
    plot->left = plot->right = plot->top = plot->bottom = 1;
    plot->picture = ff_picture_create(width, height, paper, error);
    return plot->picture != NULL ? 0 : -1;
}

static double x_of(const struct ff_plot *plot, double x)
{
    double share = (x - plot->x_low) / (plot->x_high - plot->x_low);
    return (double)plot->left +
           share * ((double)plot->picture->width - (double)plot->left - (double)plot->right);
}

static double y_of(const struct ff_plot *plot, double y)
{
    double share = (y - plot->y_low) / (plot->y_high - plot->y_low);
    double height = (double)plot->picture->height;
    return height - (double)plot->bottom -
           share * (height - (double)plot->top - (double)plot->bottom);
}

void ff_plot_tick_x(const struct ff_plot *plot, double x, const char *label)
{
    double place = x_of(plot, x);
    size_t foot = plot->picture->height - plot->bottom;
    double half = FF_GLYPH_WIDTH / 2.0 * (double)strlen(label);
    ff_draw_line(plot->picture, place, (double)plot->top, place, (double)foot, 1, grid);
    ff_draw_text(plot->picture, (size_t)fmax(0, place - half), foot + 6, label, ff_plot_ink);
}

void ff_plot_tick_y(const struct ff_plot *plot, double y, const char *label)
{
    double place = y_of(plot, y);
    double width = FF_GLYPH_WIDTH * (double)strlen(label);
    ff_draw_line(plot->picture, (double)plot->left, place,
                 (double)(plot->picture->width - plot->right), place, 1, grid);
    ff_draw_text(plot->picture, (size_t)fmax(0, (double)plot->left - 6 - width),
                 (size_t)fmax(0, place - 3), label, ff_plot_ink);
}

void ff_plot_frame(const struct ff_plot *plot, const char *x_name, const char *y_name)
{
    struct ff_picture *picture = plot->picture;
    double left = (double)plot->left;
    double foot = (double)(picture->height - plot->bottom);
    size_t end = picture->width - plot->right;
    size_t length = strlen(x_name) * FF_GLYPH_WIDTH;
    ff_draw_line(picture, left, (double)plot->top, left, foot, 1, ff_plot_ink);
    ff_draw_line(picture, left, foot, (double)end, foot, 1, ff_plot_ink);
    ff_draw_text(picture, plot->left, 8, y_name, ff_plot_ink);
    ff_draw_text(picture, end > length ? end - length : 0,
                 picture->height - (plot->bottom < 14 ? plot->bottom : 14), x_name, ff_plot_ink);
}

void ff_plot_line(const struct ff_plot *plot, double x0, double y0, double x1, double y1,
                  double width, struct ff_colour ink)
{
    ff_draw_line(plot->picture, x_of(plot, x0), y_of(plot, y0), x_of(plot, x1), y_of(plot, y1),
                 width, ink);
}

double ff_plot_step(double range, double wanted)
{
    double rough = range / wanted;
    double power = pow(10, floor(log10(rough)));
    double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}
