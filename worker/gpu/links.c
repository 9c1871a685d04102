#include "worker/gpu/links.h"

typedef const uint8_t link_matrix[FF_GPU_CAPACITY][FF_GPU_CAPACITY];

struct rating {
    int worst;
    int inside; /* sum of the links within the set */
    int cut;    /* sum of the links from the set to what stays free */
};

/* Runs over the bits of a mask. */
#define FOR_EACH(i, mask)                                                                          \
    for (uint32_t left_##i = (mask), i;                                                            \
         left_##i != 0 && (i = (uint32_t)__builtin_ctz(left_##i), 1); left_##i &= left_##i - 1)

static struct rating rate(link_matrix links, uint32_t set, uint32_t free_mask)
{
    struct rating rating = {256, 0, 0};
    FOR_EACH(a, set)
    {
        FOR_EACH(b, set & ~(1u << a))
        {
            rating.inside += links[a][b];
            if (links[a][b] < rating.worst)
                rating.worst = links[a][b];
        }
        FOR_EACH(c, free_mask & ~set)
        rating.cut += links[a][c];
    }
    return rating;
}

static bool is_better(struct rating a, struct rating b)
{
    if (a.worst != b.worst)
        return a.worst > b.worst;
    if (a.inside != b.inside)
        return a.inside > b.inside;
    return a.cut < b.cut;
}

/* Grows a set from one device, each time by the one that rates best. From every start, that finds the islands that
 * real nodes have, and takes some microseconds, which an exact search over 16 devices would not. */
static uint32_t grow(link_matrix links, uint32_t free_mask, uint32_t wanted, unsigned start)
{
    uint32_t set = 1u << start;
    for (uint32_t have = 1; have < wanted; have++) {
        uint32_t best = 0;
        struct rating best_rating = {-1, 0, 0};
        FOR_EACH(i, free_mask & ~set)
        {
            uint32_t grown = set | 1u << i;
            struct rating rating = rate(links, grown, free_mask);
            if (best == 0 || is_better(rating, best_rating)) {
                best = grown;
                best_rating = rating;
            }
        }
        set = best;
    }
    return set;
}

uint32_t ff_gpu_choose(link_matrix links, uint32_t free_mask, uint32_t wanted)
{
    if (wanted == 0 || (uint32_t)__builtin_popcount(free_mask) < wanted)
        return 0;
    uint32_t best = 0;
    struct rating best_rating = {-1, 0, 0};
    FOR_EACH(start, free_mask)
    {
        uint32_t set = grow(links, free_mask, wanted, start);
        struct rating rating = rate(links, set, free_mask);
        if (best == 0 || is_better(rating, best_rating)) {
            best = set;
            best_rating = rating;
        }
    }
    return best;
}
