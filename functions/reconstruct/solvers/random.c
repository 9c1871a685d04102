#include "functions/reconstruct/solvers/random.h"

struct ff_random ff_random_seed(uint64_t seed)
{
    return (struct ff_random){seed};
}

uint64_t ff_random_next(struct ff_random *random)
{
    uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t ff_random_below(struct ff_random *random, uint32_t below)
{
    /* Of 32 random bits times `below`, the upper half; the bias is under 2^-32 × below. */
    return (uint32_t)((ff_random_next(random) >> 32) * below >> 32);
}

double ff_random_unit(struct ff_random *random)
{
    return (double)(ff_random_next(random) >> 11) * 0x1p-53;
}
