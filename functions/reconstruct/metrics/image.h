/*
 * functions/reconstruct/metrics/image.h: complex images and maps of real numbers in double
 * precision, for judging results: dense, row by row. What lies outside an array is zero.
 */
#ifndef FF_RECONSTRUCT_METRICS_IMAGE_H
#define FF_RECONSTRUCT_METRICS_IMAGE_H

#include "functions/reconstruct/arrays.h"

typedef _Complex double ff_complex_double;

struct ff_image {
    size_t rows, columns;
    ff_complex_double *values; /* owned */
};

struct ff_map {
    size_t rows, columns;
    double *values; /* owned */
};

/* Rows and columns [from, to). */
struct ff_box {
    size_t from[2], to[2];
};

/* Zeros. */
int ff_image_create(struct ff_image *field, size_t rows, size_t columns,
                    struct ff_error *error) FF_MUST_USE;
int ff_map_create(struct ff_map *map, size_t rows, size_t columns,
                  struct ff_error *error) FF_MUST_USE;

/* From single precision; -1 with FF_INPUT_INVALID, naming the pixel, when one is not finite. */
int ff_image_of(const ff_complex *values, size_t rows, size_t columns, struct ff_image *field,
                struct ff_error *error) FF_MUST_USE;

/* Free what is held; zeroed structures are fine. */
void ff_image_dispose(struct ff_image *field);
void ff_map_dispose(struct ff_map *map);

/* Fills all of `to`: to[r][c] = from[r - move[0]][c - move[1]]. */
void ff_image_place(const struct ff_image *from, const long move[2], struct ff_image *to);
void ff_map_place(const struct ff_map *from, const long move[2], struct ff_map *to);

/* The other solution of diffraction alone, in place: conjugate, rotated by 180° (pixel i goes to
 * extent - 1 - i). */
void ff_image_twin(struct ff_image *field);

/* `to`, whose shape is set by the caller, with pixels that are scale[axis] times as large:
 * to[j] = from((j - to_origin[axis]) · scale[axis] + from_origin[axis]), by a windowed sinc of five
 * lobes (Lanczos), widened where pixels grow so that nothing is folded over. */
int ff_image_resample(const struct ff_image *from, const double scale[2],
                      const double from_origin[2], const double to_origin[2], struct ff_image *to,
                      struct ff_error *error) FF_MUST_USE;

/* e^{i angle}. */
ff_complex_double ff_turn(double angle);

/* |value|². */
double ff_power(ff_complex_double value);

#endif
