/*
 * functions/simulate/measurement.h: a simulation as a measurement in memory, for benchmarks and
 * tests: as if it had been written to a file and read back. Positions are the file's, with its
 * errors and in its orientation; the truth stays in the simulation. Dropped frames are left out with
 * their positions. Counts are 16 bit for the type u16, else float.
 */
#ifndef FF_SIMULATE_MEASUREMENT_H
#define FF_SIMULATE_MEASUREMENT_H

#include "functions/simulate/simulation.h"

#include "functions/reconstruct/formats/measurement.h"

/* Dispose of it with ff_measurement_dispose, also after a failure. */
int ff_simulation_measure(struct ff_simulation *simulation, struct ff_measurement *measurement,
                          struct ff_error *error) FF_MUST_USE;

#endif
