/*
 * functions/reconstruct/picture/draw.h: lines, a small font, and the curve of the cost.
 */
#ifndef FF_RECONSTRUCT_PICTURE_DRAW_H
#define FF_RECONSTRUCT_PICTURE_DRAW_H

#include "functions/reconstruct/picture/picture.h"

enum { FF_GLYPH_WIDTH = 6, FF_GLYPH_HEIGHT = 8 }; /* with the space around */

/* Digits, lower-case letters, space and . - + %; others are left out. Clipped. */
void ff_draw_text(struct ff_picture *picture, size_t left, size_t top, const char *text,
                  struct ff_colour ink);

/* Between two pixels, `width` pixels thick. Clipped. */
void ff_draw_line(struct ff_picture *picture, double x0, double y0, double x1, double y1,
                  double width, struct ff_colour ink);

/* Cost against epoch, the cost on a logarithmic axis. */
struct ff_picture *ff_picture_of_costs(const double *costs, size_t epochs,
                                       struct ff_error *error) FF_MUST_USE;

#endif
