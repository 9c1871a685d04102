/*
 * functions/reconstruct/picture/tiff.h: images of numbers as TIFF, 32-bit float, one sample a
 * pixel, for programs that measure rather than look. The size of a pixel stands in the resolution
 * tags (pixels per centimetre) and, with the unit of the values, in the description.
 */
#ifndef FF_RECONSTRUCT_PICTURE_TIFF_H
#define FF_RECONSTRUCT_PICTURE_TIFF_H

#include "functions/reconstruct/arrays.h"
#include "protocol/core/bytes.h"

struct ff_tiff {
    size_t pages; /* images of one shape in the file; 0 is 1 */
    size_t rows, columns;
    float *values;     /* (pages, rows, columns) */
    double pixel_m[2]; /* rows, columns; NaN: not told */
};

/* Appends the images as TIFF. `description` is one line of text; FF_TOO_LARGE above 4 GB, which the
 * format cannot address. */
int ff_tiff_encode(const struct ff_tiff *image, const char *description, struct ff_buffer *bytes,
                   struct ff_error *error) FF_MUST_USE;

/* Reads the first image of a file, of 32 or 64-bit float or of 8, 16 or 32-bit unsigned integers,
 * one sample a pixel. FF_INPUT_INVALID for all else, in words. The caller frees image->values. */
int ff_tiff_read(const char *path, struct ff_tiff *image, struct ff_error *error) FF_MUST_USE;

#endif
