#include "functions/reconstruct/solvers/line_search.h"

#include <math.h>

enum { STEPS = 4, STEPS_MAX = 24 };

/* A slope so much smaller than the first one is as good as none: the next direction differs anyway. */
static const double level_enough = 0.02;

/* The curvature that Newton's step reckons with at the least, against the majoriser's. */
static const double least_curve = 0.2;

static double majorised_step(const struct ff_line_terms *terms)
{
    return terms->majoriser > 0 ? -terms->slope / terms->majoriser : 0;
}

/* Pixels that are dark where counts were measured bend the line down so sharply that the sum of all
 * may be next to nothing, and the step without end. */
static double newton_step(const struct ff_line_terms *terms)
{
    double least = least_curve * terms->majoriser;
    double curve = terms->curve > least ? terms->curve : least;
    return curve > 0 ? -terms->slope / curve : 0;
}

/* In place of one that went uphill. */
static double shorter_step(const struct ff_line_terms *terms, double tried)
{
    double majorised = majorised_step(terms);
    return majorised * tried > 0 && fabs(majorised) < fabs(tried) ? majorised : tried / 2;
}

double ff_line_minimum(ff_line line, void *context)
{
    struct ff_line_terms lowest = line(context, 0);
    const double steep = -lowest.slope;
    double best = 0;
    double step = newton_step(&lowest);
    if (!(steep > 0))
        return 0;
    for (int i = 0; i < STEPS || (!(best > 0) && i < STEPS_MAX); i++) {
        struct ff_line_terms here = line(context, best + step);
        if (!(here.value < lowest.value)) {
            step = shorter_step(&lowest, step);
            continue;
        }
        best += step;
        lowest = here;
        if (fabs(here.slope) <= level_enough * steep)
            break;
        step = newton_step(&here);
    }
    return best;
}
