/*
 * tests/numeric/figures.h: all that the stages of a backend leave of one batch, to compare two backends, or one with
 * itself.
 */
#ifndef FF_TESTS_NUMERIC_FIGURES_H
#define FF_TESTS_NUMERIC_FIGURES_H

#include "tests/numeric/stand.h"

enum {
    FIGURES_KINDS = FF_TERMS_STEPS + 1,
    /* What a stand is opened with for them. */
    FIGURES_NEEDS = FF_NEED_WAVES | FF_NEED_DIRECTIONS | FF_NEED_LINE | FF_NEED_JOINT_LINE |
                    FF_NEED_EXIT | FF_NEED_VELOCITIES,
};

struct figures {
    struct ff_cost cost;
    struct ff_length_terms lengths;
    struct ff_turn_terms turns[2];
    struct ff_line_terms line;
    double *terms[FIGURES_KINDS];
    /* object and probe: their directions after a turn, what a step with momentum makes of them, and where waves are dark and
     * χ is bounded, their directions and those of the overlap with kept waves */
    model_complex *direction[2], *moved[2], *bounded[2], *overlap[2];
    model_complex *detector; /* F of all patterns */
    model_complex *exit; /* after a projection of dark waves, zero where the probe does not reach */
};

/* Runs the stages. The stand is then in no state to go on with. */
struct figures figures_of(struct stand *stand);
void figures_dispose(struct figures *figures);

/* Fails where a figure is further from the expected one than float explains. */
void figures_check(const struct stand *stand, const struct figures *found,
                   const struct figures *expected);
/* Fails where a bit differs. */
void figures_check_same(const struct stand *stand, const struct figures *a,
                        const struct figures *b);

#endif
