#include "functions/reconstruct/solvers/batches.h"

#include "functions/reconstruct/devices/tiles.h"

#include <stdlib.h>

enum { MANY = 64 }; /* patterns of a batch, from which on all tiles shall have as many of them */

struct ff_batches {
    size_t patterns;
    uint32_t *neighbours; /* the patterns, neighbours one behind the other */
    size_t early, late;   /* batches an epoch */
    size_t early_epochs;
    size_t count;      /* of the epoch dealt for */
    size_t width;      /* most patterns in one of its batches */
    uint32_t *members; /* (count, width) */
    uint32_t *sizes;
    uint32_t *hand;  /* the batches in a random order, for one run of neighbours */
    uint32_t *order; /* of the epoch */
};

static size_t at_most(size_t count, size_t limit)
{
    return count < limit ? count : limit;
}

static size_t width_of(const struct ff_batches *batches, size_t count)
{
    return (batches->patterns + count - 1) / count;
}

static int find_neighbours(struct ff_batches *batches, const struct ff_problem *problem,
                           struct ff_error *error)
{
    const struct ff_scan scan = {
        .positions = problem->positions, .patterns = problem->patterns, .fly = problem->fly};
    batches->neighbours =
        ff_array_create(problem->patterns, sizeof(uint32_t), "the batches", error);
    return batches->neighbours != NULL ? ff_scan_order(&scan, batches->neighbours, error) : -1;
}

static int allocate(struct ff_batches *batches, struct ff_error *error)
{
    const char *what = "the batches";
    size_t most = batches->early > batches->late ? batches->early : batches->late;
    /* Batches differ by at most one pattern, so less than one place a batch stays empty. */
    size_t places = batches->patterns + most;
    batches->members = ff_array_create(places, sizeof(uint32_t), what, error);
    batches->sizes = ff_array_create(most, sizeof(uint32_t), what, error);
    batches->hand = ff_array_create(most, sizeof(uint32_t), what, error);
    batches->order = ff_array_create(most, sizeof(uint32_t), what, error);
    return batches->members != NULL && batches->sizes != NULL && batches->hand != NULL &&
                   batches->order != NULL
               ? 0
               : -1;
}

struct ff_batches *ff_batches_create(const struct ff_problem *problem,
                                     const struct ff_solver_settings *settings,
                                     struct ff_error *error)
{
    size_t patterns = problem->patterns;
    struct ff_batches *batches = calloc(1, sizeof *batches);
    if (batches == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for the batches of %zu patterns", patterns);
        return NULL;
    }
    *batches = (struct ff_batches){
        .patterns = patterns,
        .late = at_most(settings->batches, patterns),
        .early = at_most(settings->early_batches, patterns),
        .early_epochs = settings->early_batches > 0 ? settings->early_epochs : 0,
    };
    if (allocate(batches, error) < 0 || find_neighbours(batches, problem, error) < 0) {
        ff_batches_destroy(batches);
        return NULL;
    }
    return batches;
}

void ff_batches_destroy(struct ff_batches *batches)
{
    if (batches == NULL)
        return;
    free(batches->neighbours);
    free(batches->members);
    free(batches->sizes);
    free(batches->hand);
    free(batches->order);
    free(batches);
}

size_t ff_batches_limit(const struct ff_batches *batches)
{
    bool early_are_larger = batches->early_epochs > 0 && batches->early < batches->late;
    return width_of(batches, early_are_larger ? batches->early : batches->late);
}

static void shuffle(uint32_t *values, size_t count, struct ff_random *random)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        uint32_t j = ff_random_below(random, (uint32_t)i);
        uint32_t kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}

size_t ff_batches_deal(struct ff_batches *batches, size_t epoch, struct ff_random *random)
{
    size_t count = epoch <= batches->early_epochs ? batches->early : batches->late;
    size_t width = width_of(batches, count);
    bool many = width >= MANY;
    batches->count = count;
    batches->width = width;
    for (size_t b = 0; b < count; b++)
        batches->sizes[b] = 0;
    size_t turn = 0;
    for (size_t n = 0; n < batches->patterns; n++) {
        if (turn == 0)
            shuffle(batches->hand, count, random);
        uint32_t to = batches->hand[turn];
        batches->members[to * width + batches->sizes[to]++] =
            many ? batches->neighbours[n] : (uint32_t)n;
        turn = turn + 1 < count ? turn + 1 : 0;
    }
    shuffle(batches->order, count, random);
    return count;
}

struct ff_batch ff_batches_at(const struct ff_batches *batches, size_t index)
{
    uint32_t batch = batches->order[index];
    return (struct ff_batch){batches->members + batch * batches->width, batches->sizes[batch]};
}
