/* The ways to get nodes. A new one is a file of its own here, and a row. */
#include "endpoint/providers/provider.h"

#include "endpoint/providers/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The first variable whose name begins so. */
static bool find_variable(const char *beginning, char *name, size_t size)
{
    const size_t length = strlen(beginning);
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        size_t end = strcspn(*at, "=");
        if (strncmp(*at, beginning, length) != 0 || end >= size)
            continue;
        snprintf(name, size, "%.*s", (int)end, *at);
        return true;
    }
    return false;
}

void ff_providers_clear_environment(void)
{
    char name[256];
    for (size_t i = 0; i < COUNT; i++) {
        const struct ff_scheduler *scheduler = providers[i]->scheduler;
        if (scheduler == NULL || scheduler->variables == NULL)
            continue;
        for (const char *const *beginning = scheduler->variables; *beginning != NULL; beginning++)
            while (find_variable(*beginning, name, sizeof name) && unsetenv(name) == 0)
                ;
    }
}
