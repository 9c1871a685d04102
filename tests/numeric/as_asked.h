/*
 * tests/numeric/as_asked.h: simulated scans and their reconstruction, each by the settings that a user would give: arrays
 * of "key=value" that end with NULL. What fails ends the test.
 */
#ifndef FF_TESTS_NUMERIC_AS_ASKED_H
#define FF_TESTS_NUMERIC_AS_ASKED_H

#include "functions/reconstruct/run.h"
#include "functions/simulate/measurement.h"

/* Destroy with ff_simulation_destroy, ff_problem_destroy and ff_run_result_dispose. */
struct ff_simulation *simulate_as_asked(const char *const *asked);
struct ff_problem *problem_as_asked(struct ff_simulation *simulation, const char *const *asked);
struct ff_run_result run_as_asked(const struct ff_problem *problem, const char *const *asked);

#endif
