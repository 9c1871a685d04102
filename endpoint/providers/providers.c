/* The ways to get nodes. A new one is a file of its own here, and a row. */
#include "endpoint/providers/provider.h"

#include <string.h>

static const struct ff_provider *const providers[] = {
    &ff_provider_local,
    &ff_provider_slurm,
    &ff_provider_pbs,
    &ff_provider_cobalt,
};

enum { COUNT = sizeof providers / sizeof providers[0] };

const struct ff_provider *ff_provider_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(name, providers[i]->name) == 0)
            return providers[i];
    return NULL;
}

const char *ff_provider_name(size_t index)
{
    return index < COUNT ? providers[index]->name : NULL;
}
