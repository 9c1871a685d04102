/*
 * functions/reconstruct/refine/affine.h: the affine map that carries one set of points to another.
 */
#ifndef FF_RECONSTRUCT_REFINE_AFFINE_H
#define FF_RECONSTRUCT_REFINE_AFFINE_H

#include <stdbool.h>
#include <stddef.h>

/* to = matrix (from - centre) + centre + shift. */
struct ff_affine {
    double matrix[2][2];
    double centre[2]; /* of the points it was fitted to */
    double shift[2];
};

/* The map that fits `to` (count, 2) best, outliers aside: least squares, repeated with weights that
 * fall with the distance in terms of its median (Cauchy's). False when the points do not tell: fewer
 * than four, or all on a line. */
bool ff_affine_fit(const double *from, const double *to, size_t count, struct ff_affine *map);

void ff_affine_apply(const struct ff_affine *map, const double from[2], double to[2]);

/* The map in words: mean scale, the second axis' scale against the first, rotation and shear, both in
 * degrees. */
struct ff_affine_parts {
    double scale, stretch, rotation_deg, shear_deg;
};
struct ff_affine_parts ff_affine_parts_of(const struct ff_affine *map);

#endif
