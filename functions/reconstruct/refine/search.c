#include "functions/reconstruct/refine/search.h"

#include "functions/reconstruct/refine/affine.h"
#include "functions/reconstruct/refine/positions.h"
#include "functions/reconstruct/solvers/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STAGE = 40, /* epochs */
    STAGES = 4,
    SETTLING = 20, /* epochs that object and probe must have after they began anew */
    TRIALS = 8,    /* of each in an epoch */
};

static const double last_radius_px = 0.3; /* of a stage: from there on gradients lead */
static const double narrower = 3; /* the next stage begins with a disc so many times narrower */
static const double poor = 4;     /* times the median cost */

struct ff_search {
    const struct ff_problem *problem;
    double radius_px;
    size_t batch_limit;
    size_t stages;
    uint64_t seed;
    uint32_t *chosen; /* patterns that are tried */
    size_t count;
    double *costs;  /* (patterns): those of the last pass */
    double *best;   /* (patterns) */
    double *found;  /* (patterns, 2): the move that led there */
    double *moves;  /* (patterns, 2): those of this trial */
    double *trial;  /* (patterns, fly, 2) */
    double *sorted; /* (patterns) */
};

struct ff_search *ff_search_create(const struct ff_problem *problem, double radius_px,
                                   size_t batch_limit, size_t epochs, uint64_t seed,
                                   struct ff_error *error)
{
    size_t patterns = problem->patterns;
    struct ff_search *search = calloc(1, sizeof *search);
    if (search == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the search of positions");
        return NULL;
    }
    *search = (struct ff_search){.problem = problem,
                                 .radius_px = radius_px,
                                 .batch_limit = batch_limit,
                                 .stages = ff_search_stages(epochs),
                                 .seed = seed};
    search->chosen = ff_array_create(patterns, sizeof *search->chosen, "patterns to try", error);
    search->costs = ff_array_create(patterns, sizeof(double), "the costs of patterns", error);
    search->best = ff_array_create(patterns, sizeof(double), "the best costs", error);
    search->found = ff_array_create(patterns, 2 * sizeof(double), "the best moves", error);
    search->moves = ff_array_create(patterns, 2 * sizeof(double), "the moves", error);
    search->trial = ff_array_create(ff_array_elements(patterns, problem->fly, 1),
                                    2 * sizeof(double), "the positions of a trial", error);
    search->sorted = ff_array_create(patterns, sizeof(double), "the sorted costs", error);
    if (search->chosen == NULL || search->costs == NULL || search->best == NULL ||
        search->found == NULL || search->moves == NULL || search->trial == NULL ||
        search->sorted == NULL) {
        ff_search_destroy(search);
        return NULL;
    }
    return search;
}

void ff_search_destroy(struct ff_search *search)
{
    if (search == NULL)
        return;
    free(search->chosen);
    free(search->costs);
    free(search->best);
    free(search->found);
    free(search->moves);
    free(search->trial);
    free(search->sorted);
    free(search);
}

size_t ff_search_stages(size_t epochs)
{
    size_t room = epochs > SETTLING + STAGE ? (epochs - SETTLING) / STAGE : 1;
    return room < STAGES ? room : STAGES;
}

bool ff_search_is_in_last_stage(const struct ff_search *search, size_t epoch)
{
    return (epoch - 1) / STAGE + 1 >= search->stages;
}

size_t ff_search_since(const struct ff_search *search, size_t epoch)
{
    size_t stage = (epoch - 1) / STAGE;
    return epoch - STAGE * (stage < search->stages ? stage : search->stages - 1);
}

/* Above this cost a pattern fits much worse than most. */
static double poor_cost(struct ff_search *search)
{
    size_t patterns = search->problem->patterns;
    memcpy(search->sorted, search->costs, patterns * sizeof *search->sorted);
    ff_array_sort(search->sorted, patterns);
    return poor * search->sorted[patterns / 2];
}

/* Patterns that cost more than `least`. */
static void choose(struct ff_search *search, double least)
{
    search->count = 0;
    for (size_t n = 0; n < search->problem->patterns; n++)
        if (search->costs[n] > least)
            search->chosen[search->count++] = (uint32_t)n;
}

/* The costs of the chosen patterns at `positions`. */
static int cost_at(struct ff_search *search, const double *positions, struct ff_devices *devices,
                   struct ff_error *error)
{
    struct ff_cost ignored;
    ff_devices_put(devices, FF_POSITIONS, positions);
    for (size_t first = 0; first < search->count; first += search->batch_limit) {
        size_t left = search->count - first;
        size_t count = left < search->batch_limit ? left : search->batch_limit;
        ff_devices_cost(devices, (struct ff_batch){search->chosen + first, count});
    }
    if (ff_devices_take_cost(devices, &ignored, error) < 0)
        return -1;
    ff_devices_get_terms(devices, FF_TERMS_COSTS, search->costs);
    return 0;
}

/* to = positions + moves, as far as they may go. */
static void move(const struct ff_search *search, const double *positions, const double *moves,
                 double *to)
{
    const struct ff_problem *problem = search->problem;
    size_t places = problem->patterns * problem->fly;
    for (size_t i = 0; i < 2 * places; i++)
        to[i] = positions[i] + moves[2 * (i / (2 * problem->fly)) + i % 2];
    ff_positions_hold(to, problem->positions, places, problem->travel_px);
}

/* What the trials of an epoch draw from. */
struct disc {
    double radius_px;            /* around where a pattern is */
    double poor_cost;            /* those above it: anywhere around where the map puts them */
    const struct ff_affine *map; /* of the stated positions; NULL: none */
};

static void draw(struct ff_search *search, struct ff_random *random, const struct disc *disc,
                 const double *positions)
{
    const struct ff_problem *problem = search->problem;
    memset(search->moves, 0, 2 * problem->patterns * sizeof *search->moves);
    for (size_t i = 0; i < search->count; i++) {
        size_t n = search->chosen[i];
        const double *position = positions + 2 * n * problem->fly;
        const double *stated = problem->positions + 2 * n * problem->fly;
        bool lost = disc->map != NULL && search->best[n] > disc->poor_cost;
        double middle[2] = {position[0], position[1]};
        if (lost)
            ff_affine_apply(disc->map, stated, middle);
        double length = (lost ? search->radius_px : disc->radius_px) * sqrt(ff_random_unit(random));
        double angle = 2 * M_PI * ff_random_unit(random);
        search->moves[2 * n] = middle[0] - position[0] + length * cos(angle);
        search->moves[2 * n + 1] = middle[1] - position[1] + length * sin(angle);
    }
}

static void keep_better(struct ff_search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        size_t n = search->chosen[i];
        if (search->costs[n] >= search->best[n])
            continue;
        search->best[n] = search->costs[n];
        memcpy(search->found + 2 * n, search->moves + 2 * n, 2 * sizeof *search->found);
    }
}

static void rest(const struct ff_search *search, double *velocities)
{
    size_t fly = search->problem->fly;
    for (size_t i = 0; i < search->count; i++) {
        size_t n = search->chosen[i];
        if (search->found[2 * n] != 0 || search->found[2 * n + 1] != 0)
            memset(velocities + 2 * n * fly, 0, 2 * fly * sizeof *velocities);
    }
}

static double radius_in(const struct ff_search *search, size_t epoch)
{
    size_t stage = (epoch - 1) / STAGE;
    double first = fmax(search->radius_px / pow(narrower, (double)stage), last_radius_px);
    double gone = (double)(ff_search_since(search, epoch) - 1) / STAGE;
    return first * pow(last_radius_px / first, fmin(gone, 1));
}

int ff_search_move(struct ff_search *search, size_t epoch, struct ff_devices *devices,
                   struct ff_state *state, struct ff_error *error)
{
    const struct ff_problem *problem = search->problem;
    size_t places = problem->patterns * problem->fly;
    size_t stage = (epoch - 1) / STAGE;
    bool all = stage < search->stages;
    struct ff_affine map;
    bool mapped = stage > 0 && ff_affine_fit(problem->positions, state->positions, places, &map);
    struct ff_random random = ff_random_seed(search->seed + epoch);
    ff_devices_get_terms(devices, FF_TERMS_COSTS, search->costs);
    const struct disc disc = {
        .radius_px = radius_in(search, epoch),
        .poor_cost = poor_cost(search),
        .map = mapped ? &map : NULL,
    };
    choose(search, all ? -1 : disc.poor_cost);
    if (cost_at(search, state->positions, devices, error) < 0)
        return -1;
    memcpy(search->best, search->costs, problem->patterns * sizeof *search->best);
    memset(search->found, 0, 2 * problem->patterns * sizeof *search->found);
    for (unsigned k = 0; k < TRIALS && search->count > 0; k++) {
        draw(search, &random, &disc, state->positions);
        move(search, state->positions, search->moves, search->trial);
        if (cost_at(search, search->trial, devices, error) < 0)
            return -1;
        keep_better(search);
    }
    rest(search, state->velocities);
    move(search, state->positions, search->found, state->positions);
    ff_devices_put(devices, FF_POSITIONS, state->positions);
    return 0;
}
