/*
 * functions/reconstruct/solvers/line_search.h: how far to go along a direction, when the objective
 * and its two derivatives along it cost a pass over stored numbers and no transform.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_LINE_SEARCH_H
#define FF_RECONSTRUCT_SOLVERS_LINE_SEARCH_H

#include "functions/reconstruct/backends/backend.h"

/* The objective at γ along the line. */
typedef struct ff_line_terms (*ff_line)(void *context, double gamma);

/*
 * A γ where the objective is lower than at 0, near the minimum that Newton's method finds from there
 * with at most 5 evaluations. A step that goes uphill is replaced by that of the majorising parabola,
 * or by half of itself. 0 when the line does not descend at 0, or nothing lower was found.
 */
double ff_line_minimum(ff_line line, void *context);

#endif
