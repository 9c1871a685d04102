/* The CUDA backend under the numeric tests of every backend, on the stand-in. */
#include "numeric_backend.h"

#include "functions/reconstruct/backends/cuda/cuda.h"
#include "functions/reconstruct/backends/cuda/plans.h"
#include "tests/numeric/backend.h"

#include <stdio.h>
#include <stdlib.h>

/* Of the second cache: so few patterns have their waves in half of it that even small batches are cut into chunks, of
 * which the last is not always full. */
enum { CACHE_BYTES = 24 << 10 };

const struct ff_backend_operations *numeric_backend(void)
{
    return &ff_backend_cuda;
}

bool numeric_is_slow(void)
{
    return true;
}

static void shrink_caches(void)
{
    for (unsigned device = 0; device < NUMERIC_DEVICES; device++)
        standin_set_cache(device, CACHE_BYTES);
}

void numeric_machine_begin(enum standin_order order, uint64_t seed)
{
    standin_begin(NUMERIC_DEVICES, order, seed);
    shrink_caches();
}

void numeric_machine_end(void)
{
    ff_cuda_plans_drop();
    standin_end();
}

int numeric_begin(void **state)
{
    char count[16];
    (void)state;
    snprintf(count, sizeof count, "%d", NUMERIC_DEVICES);
    if (setenv("FF_STANDIN_DEVICES", count, 1) < 0)
        return -1;
    standin_begin_from_environment();
    shrink_caches();
    return 0;
}

int numeric_end(void **state)
{
    (void)state;
    numeric_machine_end();
    return 0;
}
