/*
 * functions/reconstruct/solvers/solvers.h: the table of algorithms.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_SOLVERS_H
#define FF_RECONSTRUCT_SOLVERS_SOLVERS_H

#include "functions/reconstruct/solvers/solver.h"

/* Ended by NULL. */
extern const struct ff_solver_operations *const ff_solvers[];

/* NULL with FF_INVALID_SETTING when there is none of that name. */
const struct ff_solver_operations *ff_solver_by_name(const char *name,
                                                     struct ff_error *error) FF_MUST_USE;

#endif
