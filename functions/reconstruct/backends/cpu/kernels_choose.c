#include "functions/reconstruct/backends/cpu/kernels.h"

static bool runs_x86_64(void)
{
    return true;
}

#ifndef FF_REAL_DOUBLE
static bool runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool runs_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

/* Narrowest first among those of one layout of waves. */
static const struct {
    const struct ff_kernels *kernels;
    bool (*runs)(void);
} tables[] = {
    {&ff_kernels_x86_64, runs_x86_64},
#ifndef FF_REAL_DOUBLE
    {&ff_kernels_avx2, runs_avx2},        {&ff_kernels_avx512, runs_avx512},
    {&ff_kernels_avx2_blocks, runs_avx2}, {&ff_kernels_avx512_blocks, runs_avx512},
#endif
};

enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

const struct ff_kernels *ff_kernels_at(unsigned index, bool *runs)
{
    if (index >= TABLE_COUNT)
        return NULL;
    *runs = tables[index].runs();
    return tables[index].kernels;
}

static const struct ff_kernels *widest(bool of_vector)
{
    const struct ff_kernels *widest = NULL;
    for (unsigned i = 0; i < TABLE_COUNT; i++)
        if (tables[i].runs() && (tables[i].kernels->vector != NULL) == of_vector)
            widest = tables[i].kernels;
    return widest;
}

const struct ff_kernels *ff_kernels_choose(void)
{
    return widest(false);
}

const struct ff_kernels *ff_kernels_vector(void)
{
    return widest(true);
}
