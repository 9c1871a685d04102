#include "tests/numeric/backend.h"

const struct ff_backend_operations *numeric_backend(void)
{
    return &ff_backend_cpu_double;
}

bool numeric_is_slow(void)
{
    return false;
}

int numeric_begin(void **state)
{
    (void)state;
    return 0;
}

int numeric_end(void **state)
{
    (void)state;
    return 0;
}
