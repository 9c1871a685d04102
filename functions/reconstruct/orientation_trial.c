#include "functions/reconstruct/orientation_trial.h"

#include "functions/reconstruct/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATTERNS_MOST = 100,
    PATTERNS_LEAST = 36,
    PIXELS_MOST = 1 << 22, /* of all patterns together: large frames get fewer of them */
    BATCHES = 5,
};

/* --- a part of the problem --- */

struct near {
    double distance;
    size_t pattern;
};

static int compare(const void *a, const void *b)
{
    const struct near *x = a;
    const struct near *y = b;
    if (x->distance < y->distance || x->distance > y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

static size_t how_many(const struct ff_problem *problem)
{
    size_t fit = PIXELS_MOST / (problem->rows * problem->columns);
    size_t count = fit > PATTERNS_MOST    ? PATTERNS_MOST
                   : fit < PATTERNS_LEAST ? PATTERNS_LEAST
                                          : fit;
    return count < problem->patterns ? count : problem->patterns;
}

/* The patterns around the middle of the scan, nearest first. */
static struct near *around_middle(const struct ff_problem *problem, struct ff_error *error)
{
    size_t stride = 2 * problem->fly;
    double middle[2] = {0, 0};
    struct near *all =
        ff_array_create(problem->patterns, sizeof *all, "the order of the patterns", error);
    if (all == NULL)
        return NULL;
    for (size_t n = 0; n < problem->patterns; n++)
        for (size_t a = 0; a < 2; a++)
            middle[a] += problem->positions[n * stride + a] / (double)problem->patterns;
    for (size_t n = 0; n < problem->patterns; n++)
        all[n] = (struct near){hypot(problem->positions[n * stride] - middle[0],
                                     problem->positions[n * stride + 1] - middle[1]),
                               n};
    qsort(all, problem->patterns, sizeof *all, compare);
    return all;
}

static int copy_counts(const struct ff_problem *from, const struct near *chosen,
                       struct ff_problem *to, struct ff_error *error)
{
    size_t pixels = from->rows * from->columns;
    size_t bytes = pixels * (from->counts.u16 != NULL ? sizeof(uint16_t) : sizeof(float));
    const char *source =
        from->counts.u16 != NULL ? (const char *)from->counts.u16 : (const char *)from->counts.f32;
    char *counts = ff_array_create(to->patterns, bytes, "the patterns to try", error);
    if (counts == NULL)
        return -1;
    for (size_t n = 0; n < to->patterns; n++)
        memcpy(counts + n * bytes, source + chosen[n].pattern * bytes, bytes);
    if (from->counts.u16 != NULL)
        to->counts.u16 = (const uint16_t *)(const void *)counts;
    else
        to->counts.f32 = (const float *)(const void *)counts;
    to->total_counts = 0;
    for (size_t i = 0; i < to->patterns * pixels; i++) {
        bool measured = from->measured == NULL || from->measured[i % pixels] != 0;
        double count =
            from->counts.u16 != NULL ? (double)to->counts.u16[i] : (double)to->counts.f32[i];
        to->total_counts += measured ? count : 0;
    }
    return 0;
}

static void *copy(const void *from, size_t bytes, struct ff_error *error)
{
    void *to = ff_array_create(bytes, 1, "the problem to try", error);
    if (to != NULL && bytes > 0)
        memcpy(to, from, bytes);
    return to;
}

/* An own problem of a few patterns, still without positions in pixels and object. */
static struct ff_problem *part_of(const struct ff_problem *problem, struct ff_error *error)
{
    struct ff_problem *part = calloc(1, sizeof *part);
    struct near *chosen = part != NULL ? around_middle(problem, error) : NULL;
    if (chosen == NULL) {
        ff_problem_destroy(part);
        return NULL;
    }
    size_t pixels = problem->probe_rows * problem->probe_columns;
    size_t row = 2 * problem->fly * sizeof(double);
    *part = (struct ff_problem){
        .patterns = how_many(problem),
        .fly = problem->fly,
        .rows = problem->rows,
        .columns = problem->columns,
        .probe_rows = problem->probe_rows,
        .probe_columns = problem->probe_columns,
        .near_field = problem->near_field,
        .modes = 1, /* the strongest is enough to tell, and quick */
        .geometry = problem->geometry,
        .probe_was_given = problem->probe_was_given,
    };
    part->probe = copy(problem->probe, part->modes * pixels * sizeof(ff_complex), error);
    part->positions_m = ff_array_create(part->patterns, row, "the positions to try", error);
    if (problem->measured != NULL)
        part->measured = copy(problem->measured, problem->rows * problem->columns, error);
    bool whole = part->probe != NULL && part->positions_m != NULL &&
                 (problem->measured == NULL || part->measured != NULL) &&
                 copy_counts(problem, chosen, part, error) == 0;
    for (size_t n = 0; whole && n < part->patterns; n++)
        memcpy(part->positions_m + 2 * problem->fly * n,
               problem->positions_m + 2 * problem->fly * chosen[n].pattern, row);
    free(chosen);
    if (!whole) {
        ff_problem_destroy(part);
        return NULL;
    }
    return part;
}

/* --- trying --- */

static struct ff_run_settings trial_settings(const struct ff_run_settings *settings, size_t epochs,
                                             bool probe_moves)
{
    return (struct ff_run_settings){
        .algorithm = "rpie",
        .solver = {.epochs = epochs,
                   .batches = BATCHES,
                   .alpha = 0.3,
                   .step_object = 1,
                   .step_probe = probe_moves ? 1 : 0,
                   .probe_start = 2},
        .operations = settings->operations,
        .devices = 1,
        .threads = settings->threads,
        .cores = settings->cores,
        .core_count = settings->core_count,
        .cache_folder = settings->cache_folder,
    };
}

/* The cost of the part in one orientation. What diverges costs without end. */
static int try_one(struct ff_problem *part, const struct ff_orientation *orientation,
                   const struct ff_run_settings *settings, double *cost, struct ff_error *error)
{
    double *as_given = part->positions_m;
    size_t places = part->patterns * part->fly;
    struct ff_run_result result;
    part->positions_m = copy(as_given, 2 * places * sizeof(double), error);
    int outcome = part->positions_m != NULL ? 0 : -1;
    if (outcome == 0) {
        ff_orientation_apply(orientation, part->positions_m, places);
        outcome = ff_problem_place(part, false, error);
    }
    *cost = INFINITY;
    if (outcome == 0 && ff_run(part, settings, NULL, (struct ff_span){0}, &result, error) == 0) {
        *cost = result.cost;
        ff_run_result_dispose(&result);
    } else if (outcome == 0 && error->code != FF_TASK_FAILED) {
        outcome = -1;
    }
    free(part->positions_m);
    part->positions_m = as_given;
    return outcome;
}

/* The two twins with the probe as it was given. */
static int compare_twins(struct ff_problem *part, const struct ff_run_settings *fixed,
                         struct ff_orientation_trial *trial, struct ff_error *error)
{
    unsigned twin = ff_orientation_twin(trial->best);
    double here;
    double there;
    trial->twin_margin = 1;
    if (!part->probe_was_given)
        return 0;
    if (try_one(part, &ff_orientations[trial->best], fixed, &here, error) < 0 ||
        try_one(part, &ff_orientations[twin], fixed, &there, error) < 0)
        return -1;
    if (there < here)
        trial->best = twin;
    trial->twin_margin = fmax(here, there) / fmin(here, there);
    return 0;
}

static void judge(struct ff_orientation_trial *trial)
{
    double second = INFINITY;
    trial->best = 0;
    for (unsigned i = 1; i < FF_ORIENTATIONS; i++)
        if (trial->cost[i] < trial->cost[trial->best])
            trial->best = i;
    for (unsigned i = 0; i < FF_ORIENTATIONS; i++)
        if (i != trial->best && i != ff_orientation_twin(trial->best))
            second = fmin(second, trial->cost[i]);
    trial->margin = second / trial->cost[trial->best];
}

int ff_orientation_try(const struct ff_problem *problem, const struct ff_run_settings *settings,
                       unsigned tried, size_t epochs, struct ff_orientation_trial *trial,
                       struct ff_error *error)
{
    const struct ff_run_settings moving = trial_settings(settings, epochs, true);
    const struct ff_run_settings fixed = trial_settings(settings, epochs, false);
    struct ff_problem *part = part_of(problem, error);
    if (part == NULL)
        return -1;
    int result = 0;
    *trial = (struct ff_orientation_trial){.patterns = part->patterns, .twin_margin = 1};
    for (unsigned i = 0; result == 0 && i < FF_ORIENTATIONS; i++) {
        trial->cost[i] = INFINITY;
        if (tried & (1U << i))
            result = try_one(part, &ff_orientations[i], &moving, &trial->cost[i], error);
    }
    if (result == 0) {
        judge(trial);
        if (tried & (1U << ff_orientation_twin(trial->best)))
            result = compare_twins(part, &fixed, trial, error);
    }
    ff_problem_destroy(part);
    return result;
}
