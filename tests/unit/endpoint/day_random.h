/*
 * tests/unit/endpoint/day_random.h: numbers of a seed, the same everywhere (SplitMix64: Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014).
 */
#ifndef FF_TESTS_UNIT_ENDPOINT_DAY_RANDOM_H
#define FF_TESTS_UNIT_ENDPOINT_DAY_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t day_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 … count - 1; 0 of nothing. */
static inline unsigned day_below(uint64_t *state, unsigned count)
{
    return count > 0 ? (unsigned)(day_random(state) % count) : 0;
}

/* In (0, 1]. */
static inline double day_part(uint64_t *state)
{
    return (double)((day_random(state) >> 11) + 1) * 0x1p-53;
}

static inline double day_between(uint64_t *state, double low, double high)
{
    return low + (high - low) * day_part(state);
}

/* As likely between 1 and 10 as between 10 and 100. */
static inline double day_spread(uint64_t *state, double low, double high)
{
    return low * pow(high / low, day_part(state));
}

static inline double day_exponential(uint64_t *state, double mean)
{
    return -mean * log(day_part(state));
}

#endif
