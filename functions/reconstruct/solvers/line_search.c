#include "functions/reconstruct/solvers/line_search.h"

#include <math.h>

enum { NEWTON_STEPS = 3, HALVINGS = 20 };

/* A slope so much smaller than the first one is as good as none: the next direction differs anyway. */
static const double level_enough = 0.02;

static double majorised_step(const struct ff_line_terms *terms)
{
    return terms->majoriser > 0 ? -terms->slope / terms->majoriser : 0;
}

static double newton_step(const struct ff_line_terms *terms)
{
    return terms->curve > 0 ? -terms->slope / terms->curve : majorised_step(terms);
}

static double descend(ff_line line, void *context, const struct ff_line_terms *begin)
{
    double gamma = majorised_step(begin);
    for (int i = 0; i < HALVINGS && gamma > 0; i++, gamma /= 2)
        if (line(context, gamma).value < begin->value)
            return gamma;
    return 0;
}

double ff_line_minimum(ff_line line, void *context)
{
    const struct ff_line_terms begin = line(context, 0);
    if (!(begin.slope < 0))
        return 0;
    double best = 0;
    double lowest = begin.value;
    double gamma = newton_step(&begin);
    for (int i = 0; i < NEWTON_STEPS && gamma > 0; i++) {
        struct ff_line_terms here = line(context, gamma);
        if (!(here.value < lowest))
            break;
        best = gamma;
        lowest = here.value;
        if (fabs(here.slope) <= level_enough * -begin.slope)
            break;
        gamma += newton_step(&here);
    }
    return best > 0 ? best : descend(line, context, &begin);
}
