/*
 * functions/reconstruct/picture/picture.h: pictures of a reconstruction, as pixels and as PNG.
 */
#ifndef FF_RECONSTRUCT_PICTURE_PICTURE_H
#define FF_RECONSTRUCT_PICTURE_PICTURE_H

#include "functions/reconstruct/picture/view.h"
#include "protocol/core/bytes.h"

/* Most bytes that a PNG may have here; far above what the limits of the sides allow. */
enum { FF_PICTURE_BYTES_MAX = 256 << 20, FF_PICTURE_SIDE_MAX = 4096, FF_PREVIEW_SIDE_MAX = 512 };

struct ff_colour {
    uint8_t red, green, blue;
};

struct ff_picture {
    size_t width, height;
    struct ff_colour *pixels; /* row by row */
};

/* Filled with `paper`. */
struct ff_picture *ff_picture_create(size_t width, size_t height, struct ff_colour paper,
                                     struct ff_error *error) FF_MUST_USE;
void ff_picture_destroy(struct ff_picture *picture);

/* Colours of 0 … 1 (held there beyond; NaN is grey): viridis, which is even to the eye, in print
 * and to the colour-blind; and black to white. */
struct ff_colour ff_colour_of_phase(float share);
struct ff_colour ff_colour_of_amplitude(float share);

/* Hue for the phase in radians, brightness 0 … 1. */
struct ff_colour ff_colour_of_wave(float phase, float brightness);

/* The phase, and the amplitude, on the view's scale. */
struct ff_picture *ff_picture_of_phase(const struct ff_view *view,
                                       struct ff_error *error) FF_MUST_USE;
struct ff_picture *ff_picture_of_amplitude(const struct ff_view *view,
                                           struct ff_error *error) FF_MUST_USE;

/* Modes side by side, each on its own scale of amplitude, with its share of the power below. */
struct ff_picture *ff_picture_of_probe(const ff_complex *probe, size_t modes, size_t rows,
                                       size_t columns, struct ff_error *error) FF_MUST_USE;

/* Appends the picture as PNG. */
int ff_picture_encode(const struct ff_picture *picture, struct ff_buffer *png,
                      struct ff_error *error) FF_MUST_USE;

#endif
