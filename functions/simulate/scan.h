/*
 * functions/simulate/scan.h: where the probe is for each pattern, and what the file says about it.
 */
#ifndef FF_SIMULATE_SCAN_H
#define FF_SIMULATE_SCAN_H

#include "functions/simulate/simulation.h"

/* Fills places and positions from the settings, and with them the extent of the object. */
int ff_simulate_scan(struct ff_simulation *simulation, struct ff_error *error) FF_MUST_USE;

/* Fills `stated`: the places as the file has them, wrong by the errors that the settings ask for.
 * About the middle of the scan, (y, x) → scale · rotation · shear · (y, x) + a random error of each
 * pattern; then the orientation. */
int ff_simulate_statement(struct ff_simulation *simulation, struct ff_error *error) FF_MUST_USE;

#endif
