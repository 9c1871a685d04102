#include "functions/simulate/draw.h"

#include <math.h>
#include <stddef.h>

/* Streams are apart by more numbers than one pattern can draw in any practical case. */
struct ff_random ff_simulate_stream(int64_t seed, size_t index, enum ff_draw purpose)
{
    static const uint64_t salts[] = {
        [FF_DRAW_COUNTS] = 0,
        [FF_DRAW_POSITION] = 0x9d1c7a3e5b2f6081u,
        [FF_DRAW_WEIGHTS] = 0x37e4b9d2c60f158au,
        [FF_DRAW_PIXEL] = 0xe85a10c4f72d936bu,
    };
    return ff_random_seed(((uint64_t)seed + ((uint64_t)index << 40)) ^ salts[purpose]);
}

static double draw_small(struct ff_random *random, double mean)
{
    double limit = exp(-mean);
    double product = ff_random_unit(random);
    double count = 0;
    while (product > limit) {
        product *= ff_random_unit(random);
        count++;
    }
    return count;
}

static double draw_large(struct ff_random *random, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean);
    double a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    double quick = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = ff_random_unit(random) - 0.5;
        double v = 1 - ff_random_unit(random);
        double us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= quick)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        int sign;
        if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <=
            k * log(mean) - mean - lgamma_r(k + 1, &sign))
            return k;
    }
}

double ff_simulate_poisson(struct ff_random *random, double mean)
{
    return mean < 10 ? draw_small(random, mean) : draw_large(random, mean);
}

double ff_simulate_normal(struct ff_random *random)
{
    double radius = sqrt(-2 * log(1 - ff_random_unit(random)));
    return radius * cos(2 * M_PI * ff_random_unit(random));
}
