/*
 * functions/simulate/write.h: a simulation as a CXI file that `reconstruct` reads, with the truth
 * beside it:
 *
 *     /simulation/object        complex64 (rows, columns)
 *     /simulation/probe         complex64 (size, size), or (modes, size, size); its power is counts
 *     /simulation/positions_px  float64 (patterns, 2): row and column of the minimum corner of a patch
 */
#ifndef FF_SIMULATE_WRITE_H
#define FF_SIMULATE_WRITE_H

#include "functions/simulate/simulation.h"

/* Called after each pattern; false ends the writing. */
typedef bool ff_simulation_step(void *user, size_t done);

/*
 * Frame by frame, so memory does not grow with their number. HDF5 lays the file out; its space is
 * then reserved, so a full disk shows before the first pattern is computed; frames go to their
 * place with plain writes. A file appears under `path` only when it is whole: on failure, and when
 * `step` said to end (then FF_TASK_CANCELLED), nothing is left behind.
 */
int ff_simulation_write(struct ff_simulation *simulation, const char *path,
                        ff_simulation_step *step, void *user, struct ff_error *error) FF_MUST_USE;

#endif
