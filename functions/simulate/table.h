/*
 * functions/simulate/table.h: positions as the text files that beamlines keep beside their frames.
 */
#ifndef FF_SIMULATE_TABLE_H
#define FF_SIMULATE_TABLE_H

#include "functions/simulate/plan.h"

/* A line for each place, into the plan's file of that role; nothing where the format has none. */
int ff_simulate_table_write(const struct ff_simulate_plan *plan,
                            struct ff_error *error) FF_MUST_USE;

#endif
