/*
 * functions/reconstruct/refine/deformation.h: an error of the positions that neighbours share: a wrong scale of the
 * scan, by a wrong energy or distance, rotation and shear, drift.
 *
 * An object put together at wrong distances is deformed as they are, and only at the edge of the scan does a pattern see
 * that a position is wrong; moving positions one by one mends the rest an overlap an epoch. But each pattern tells how
 * large its own patch is, whatever its place. So the field u that deforms all patches best, S(r) → S(r + ∇u r) about
 * their middles, is found from FF_TERMS_STRAINS by Gauss-Newton, every pattern being free to shift meanwhile; then
 * object and positions are deformed by it together, and no pattern sees anything shift.
 *
 * u is a polynomial in each axis: Legendre's P_i(y) P_j(x), 1 ≤ i + j ≤ degree, over the box of the stated positions.
 * Degree 1 is affine.
 */
#ifndef FF_RECONSTRUCT_REFINE_DEFORMATION_H
#define FF_RECONSTRUCT_REFINE_DEFORMATION_H

#include "functions/reconstruct/arrays.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FF_DEFORMATION_DEGREE_MAX = 8,
    FF_DEFORMATION_TERMS_MAX = 44, /* (degree + 1) (degree + 2) / 2 - 1 */
    FF_DEFORMATION_VALUES = 2 * FF_DEFORMATION_TERMS_MAX,
};

struct ff_deformation {
    unsigned degree;
    double middle[2], half[2]; /* of the box, pixels */
    /* by axis of u, then by i and j: pixels */
    double coefficients[2][FF_DEFORMATION_TERMS_MAX];
};

/* u = 0 over the box of `positions` (count, 2), of a degree with which waves of u are about twice as long as
 * `width_px`, what a pattern sees: shorter ones it does not tell. */
void ff_deformation_begin(struct ff_deformation *deformation, const double *positions, size_t count,
                          double width_px);

/* The coefficients that `shifts` (count, 5) and `strains` (count, 19), of FF_TERMS_POSITIONS and _STRAINS at
 * `positions` (count, 2), ask for. False, and nothing changed, where they do not tell. */
bool ff_deformation_find(struct ff_deformation *deformation, const double *positions,
                         const double *shifts, const double *strains, size_t count);

/* u at a position. */
void ff_deformation_at(const struct ff_deformation *deformation, const double position[2],
                       double u[2]);

/* Each position x moves to the x' with x' + u(x') = x. Returns the longest move. */
double ff_deformation_move(const struct ff_deformation *deformation, double *positions,
                           size_t count);

/* to(r) = from(r + u(r - corner)), `corner` being the middle of a patch against its position; by cubic interpolation
 * (Keys, IEEE Trans. ASSP 29, 1153 (1981)). Objects of rows × columns, row-major; beyond its border an object goes on
 * as it is there. */
void ff_deformation_apply(const struct ff_deformation *deformation, const double corner[2],
                          const ff_complex *from, size_t rows, size_t columns, ff_complex *to);

#endif
