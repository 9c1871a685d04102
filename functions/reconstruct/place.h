/*
 * functions/reconstruct/place.h: the positions of a scan in the object, and how large that has to be.
 */
#ifndef FF_RECONSTRUCT_PLACE_H
#define FF_RECONSTRUCT_PLACE_H

#include "functions/reconstruct/problem.h"

/* Pixels of the object around the scan, beside those that positions may move into. */
enum { FF_OBJECT_MARGIN = 8 };

/* Makes positions (pixels), travel_px and the extent of the object, which is 1 everywhere, from
 * positions_m, the shapes and the geometry of a problem, in place of what it had of them. FF_INPUT_INVALID when the scan is larger
 * than any object can be. */
int ff_problem_place(struct ff_problem *problem, bool positions_move,
                     struct ff_error *error) FF_MUST_USE;

#endif
