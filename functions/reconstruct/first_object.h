/*
 * functions/reconstruct/first_object.h: the object of an earlier result, to begin with.
 */
#ifndef FF_RECONSTRUCT_FIRST_OBJECT_H
#define FF_RECONSTRUCT_FIRST_OBJECT_H

#include "functions/reconstruct/problem.h"

/* Puts the object of a result (a product of ptychodus) where it was, by its metres and whatever its
 * pixel, into problem->object; where it has no values the object is 1. FF_INPUT_INVALID
 * when the two do not meet. */
int ff_first_object_read(const char *path, struct ff_problem *problem,
                         struct ff_error *error) FF_MUST_USE;

#endif
