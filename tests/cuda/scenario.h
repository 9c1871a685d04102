/*
 * tests/cuda/scenario.h: what a run asks of a backend, in small: batches of different patterns and sizes, one behind the other
 * without a wait between them, then a fit, step lengths, and numbers of every kind. All values are by chance, so that
 * nothing is smooth enough to hide what is wrong at one pixel.
 */
#ifndef FF_TESTS_CUDA_SCENARIO_H
#define FF_TESTS_CUDA_SCENARIO_H

#include "functions/reconstruct/backends/backend.h"

enum {
    SCENARIO_PATTERNS = 40,
    SCENARIO_DEVICES = 3,                     /* at most */
    SCENARIO_PATTERN_BYTES = 2 * 14 * 75 * 8, /* of the waves of a pattern */
};

struct scenario {
    struct ff_problem problem;
    ff_complex *probe;                   /* modes and one eigenprobe */
    double scales[2][SCENARIO_PATTERNS]; /* first, and from some batch on */
    double weights[SCENARIO_PATTERNS];
    uint32_t order[SCENARIO_PATTERNS]; /* of which batches are parts */
};

void make_scenario(struct scenario *scenario);
void end_scenario(struct scenario *scenario);

/* What it leaves, in parts. */
enum { OUTCOME_PARTS = 8 };
struct outcome {
    double *values[OUTCOME_PARTS];
    size_t counts[OUTCOME_PARTS];
    bool is_fed;        /* counts came from the host */
    size_t bytes_apart; /* that all devices held */
};

/* Plays it on so many devices, whatever machine there is. Returns 0, or -1 with the failure that it was told of; then there
 * is no outcome. */
int play_scenario(const struct scenario *scenario, const struct ff_backend_operations *operations,
                  unsigned devices, struct outcome *outcome, struct ff_error *error);
/* Begins it, and ends the devices while they are at work. */
void leave_scenario(const struct scenario *scenario, const struct ff_backend_operations *operations,
                    unsigned devices);
void end_outcome(struct outcome *outcome);

/* The part that is furthest from what is expected, |found - expected| / |expected|, and its name. */
double outcome_apart(const struct outcome *found, const struct outcome *expected,
                     const char **name);
/* The first part of which a bit differs; NULL: none does. */
const char *outcome_differs(const struct outcome *a, const struct outcome *b);

#endif
