#include "functions/reconstruct/solvers/batches.h"

#include <stdlib.h>

struct ff_batches {
    size_t patterns, count, limit;
    uint32_t *members; /* (count, limit) */
    uint32_t *sizes;
    uint32_t *hand;  /* the batches in a random order, for one run of neighbours */
    uint32_t *order; /* of the epoch */
};

struct ff_batches *ff_batches_create(size_t patterns, size_t count, struct ff_error *error)
{
    if (count > patterns)
        count = patterns;
    struct ff_batches *batches = calloc(1, sizeof *batches);
    if (batches != NULL && count > 0) {
        batches->patterns = patterns;
        batches->count = count;
        batches->limit = (patterns + count - 1) / count;
        batches->members = calloc(batches->count * batches->limit, sizeof(uint32_t));
        batches->sizes = calloc(count, sizeof(uint32_t));
        batches->hand = calloc(count, sizeof(uint32_t));
        batches->order = calloc(count, sizeof(uint32_t));
    }
    if (batches == NULL || batches->members == NULL || batches->sizes == NULL ||
        batches->hand == NULL || batches->order == NULL) {
        ff_batches_destroy(batches);
        ff_fail(error, FF_NO_MEMORY, "no memory for %zu batches of %zu patterns", count, patterns);
        return NULL;
    }
    return batches;
}

size_t ff_batches_count(const struct ff_batches *batches)
{
    return batches->count;
}

size_t ff_batches_limit(const struct ff_batches *batches)
{
    return batches->limit;
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

void ff_batches_deal(struct ff_batches *batches, struct ff_random *random)
{
    for (size_t b = 0; b < batches->count; b++)
        batches->sizes[b] = 0;
    size_t turn = 0;
    for (size_t n = 0; n < batches->patterns; n++) {
        if (turn == 0)
            shuffle(batches->hand, batches->count, random);
        uint32_t to = batches->hand[turn];
        batches->members[to * batches->limit + batches->sizes[to]++] = (uint32_t)n;
        turn = turn + 1 < batches->count ? turn + 1 : 0;
    }
    shuffle(batches->order, batches->count, random);
}

struct ff_batch ff_batches_at(const struct ff_batches *batches, size_t index)
{
    uint32_t batch = batches->order[index];
    return (struct ff_batch){batches->members + batch * batches->limit, batches->sizes[batch]};
}

void ff_batches_destroy(struct ff_batches *batches)
{
    if (batches == NULL)
        return;
    free(batches->members);
    free(batches->sizes);
    free(batches->hand);
    free(batches->order);
    free(batches);
}
