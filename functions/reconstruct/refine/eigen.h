/*
 * functions/reconstruct/refine/eigen.h: eigenvalues and eigenvectors of the small Hermitian matrices that probes
 * make, by Jacobi's method in double.
 */
#ifndef FF_RECONSTRUCT_REFINE_EIGEN_H
#define FF_RECONSTRUCT_REFINE_EIGEN_H

#include <stddef.h>

/* Of `matrix` (n, n), positive semidefinite: leaves the eigenvalues on its diagonal, the eigenvectors in the columns
 * of `vectors` (n, n), and in `order` (n) their numbers, greatest eigenvalue first. A matrix that is all but diagonal
 * is turned by little. */
void ff_eigen_solve(_Complex double *matrix, _Complex double *vectors, size_t *order, size_t n);

#endif
