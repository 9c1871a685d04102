/*
 * functions/reconstruct/solvers/shared.h: what several algorithms have in common.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_SHARED_H
#define FF_RECONSTRUCT_SOLVERS_SHARED_H

#include "functions/reconstruct/solvers/solver.h"

/* Whether the object, or in this epoch the probe, is to be moved at all. */
bool ff_object_moves(const struct ff_solver_settings *settings);
bool ff_probe_moves(const struct ff_solver_settings *settings, size_t epoch);

/* The bytes of a solver's own between two epochs are a struct of numbers, saved as it is: a
 * checkpoint is resumed on the same kind of CPU. `name` is the algorithm's, and is saved with it. */
void ff_solver_save(struct ff_buffer *state, const char *name, const void *numbers, size_t size);
int ff_solver_restore(struct ff_span state, const char *name, void *numbers, size_t size,
                      struct ff_error *error) FF_MUST_USE;

#endif
