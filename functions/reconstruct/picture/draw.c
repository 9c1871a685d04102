#include "functions/reconstruct/picture/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GLYPH_ROWS = 7, GLYPH_COLUMNS = 5 };

/* A glyph is seven rows of five pixels, the leftmost in bit 4. */
static const struct glyph {
    char name;
    uint8_t rows[GLYPH_ROWS];
} glyphs[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},
    {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {31, 2, 4, 2, 1, 17, 14}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},
    {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {'.', {0, 0, 0, 0, 0, 12, 12}},      {'-', {0, 0, 0, 31, 0, 0, 0}},
    {'+', {0, 4, 4, 31, 4, 4, 0}},       {'%', {24, 25, 2, 4, 8, 19, 3}},
    {'a', {0, 0, 14, 1, 15, 17, 15}},    {'b', {16, 16, 22, 25, 17, 17, 30}},
    {'c', {0, 0, 14, 16, 16, 17, 14}},   {'d', {1, 1, 13, 19, 17, 17, 15}},
    {'e', {0, 0, 14, 17, 31, 16, 14}},   {'f', {6, 9, 8, 28, 8, 8, 8}},
    {'g', {0, 15, 17, 17, 15, 1, 14}},   {'h', {16, 16, 22, 25, 17, 17, 17}},
    {'i', {4, 0, 12, 4, 4, 4, 14}},      {'j', {2, 0, 6, 2, 2, 18, 12}},
    {'k', {16, 16, 18, 20, 24, 20, 18}}, {'l', {12, 4, 4, 4, 4, 4, 14}},
    {'m', {0, 0, 26, 21, 21, 17, 17}},   {'n', {0, 0, 22, 25, 17, 17, 17}},
    {'o', {0, 0, 14, 17, 17, 17, 14}},   {'p', {0, 0, 30, 17, 30, 16, 16}},
    {'q', {0, 0, 13, 19, 15, 1, 1}},     {'r', {0, 0, 22, 25, 16, 16, 16}},
    {'s', {0, 0, 14, 16, 14, 1, 30}},    {'t', {8, 8, 28, 8, 8, 9, 6}},
    {'u', {0, 0, 17, 17, 17, 19, 13}},   {'v', {0, 0, 17, 17, 17, 10, 4}},
    {'w', {0, 0, 17, 17, 21, 21, 10}},   {'x', {0, 0, 17, 10, 4, 10, 17}},
    {'y', {0, 0, 17, 17, 15, 1, 14}},    {'z', {0, 0, 31, 2, 4, 8, 31}},
};

static void set_pixel(struct ff_picture *picture, size_t x, size_t y, struct ff_colour ink)
{
    if (x < picture->width && y < picture->height)
        picture->pixels[y * picture->width + x] = ink;
}

static const struct glyph *glyph_of(char name)
{
    for (size_t i = 0; i < sizeof glyphs / sizeof glyphs[0]; i++)
        if (glyphs[i].name == name)
            return &glyphs[i];
    return NULL;
}

void ff_draw_text(struct ff_picture *picture, size_t left, size_t top, const char *text,
                  struct ff_colour ink)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        const struct glyph *glyph = glyph_of(text[i]);
        for (size_t y = 0; glyph != NULL && y < GLYPH_ROWS; y++)
            for (size_t x = 0; x < GLYPH_COLUMNS; x++)
                if (glyph->rows[y] >> (GLYPH_COLUMNS - 1 - x) & 1)
                    set_pixel(picture, left + i * FF_GLYPH_WIDTH + x, top + y, ink);
    }
}

static uint8_t mix(uint8_t below, uint8_t ink, double share)
{
    return (uint8_t)lround((1 - share) * below + share * ink);
}

/* Each pixel near the line is covered by how close its middle lies: an even, smooth edge. */
void ff_draw_line(struct ff_picture *picture, double x0, double y0, double x1, double y1,
                  double width, struct ff_colour ink)
{
    double dx = x1 - x0;
    double dy = y1 - y0;
    double length_squared = dx * dx + dy * dy;
    double reach = width / 2 + 1;
    long left = lround(fmax(0, floor(fmin(x0, x1) - reach)));
    long right = lround(fmin((double)picture->width - 1, ceil(fmax(x0, x1) + reach)));
    long top = lround(fmax(0, floor(fmin(y0, y1) - reach)));
    long bottom = lround(fmin((double)picture->height - 1, ceil(fmax(y0, y1) + reach)));
    for (long y = top; y <= bottom; y++)
        for (long x = left; x <= right; x++) {
            double along = length_squared > 0
                               ? (((double)x - x0) * dx + ((double)y - y0) * dy) / length_squared
                               : 0;
            along = fmin(1, fmax(0, along));
            double distance = hypot((double)x - x0 - along * dx, (double)y - y0 - along * dy);
            double share = fmin(1, fmax(0, width / 2 + 0.5 - distance));
            struct ff_colour *pixel = &picture->pixels[(size_t)y * picture->width + (size_t)x];
            *pixel = (struct ff_colour){mix(pixel->red, ink.red, share),
                                        mix(pixel->green, ink.green, share),
                                        mix(pixel->blue, ink.blue, share)};
        }
}
