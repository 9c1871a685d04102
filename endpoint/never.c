#include "endpoint/never.h"

#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"
#include "endpoint/scaling.h"

#include <stdio.h>

bool ff_fresh_would_do(const struct ff_fresh *fresh, const struct ff_needs *needs)
{
    return fresh->comes && needs->nodes <= fresh->nodes &&
           (!fresh->is_counted || needs->devices <= fresh->devices) &&
           (fresh->cores == 0 || needs->cores <= fresh->cores);
}

/* Whether one is under way of which nobody can tell what it has: a block that has not come yet, a manager that has not said it. */
static bool stranger_comes(const struct ff_agent *agent)
{
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (at->state != FF_BLOCK_ENDED && at->managers == 0)
            return true;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        if (!at->ready)
            return true;
    return false;
}

/* By the settings, else by what nodes had so far. */
static struct ff_fresh find_fresh(const struct ff_agent *agent)
{
    const struct ff_config *config = &agent->config;
    const struct ff_scaling_shape *seen = ff_elastic_seen(agent->elastic);
    bool strange = stranger_comes(agent);
    bool learned = seen->seen && !strange;
    struct ff_fresh fresh = {.comes = true, .nodes = (unsigned)config->nodes_per_block};
    if (!agent->provider->grows) {
        fresh.comes = strange || ff_downlink_first(agent->downlink) == NULL;
        return fresh;
    }
    fresh.nodes *= (unsigned)config->max_blocks;
    fresh.is_counted = config->gpus_per_node > 0 || learned;
    fresh.devices = config->gpus_per_node > 0 ? (unsigned)config->gpus_per_node : seen->devices;
    if (config->cores_per_node > 0)
        fresh.cores = (unsigned)config->cores_per_node;
    else if (learned)
        fresh.cores = seen->cores;
    return fresh;
}

bool ff_never_runs(const struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns)
{
    const struct ff_fresh fresh = find_fresh(agent);
    unsigned free_nodes;
    bool could = false;
    if (ff_fresh_would_do(&fresh, needs))
        return false;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        could = could || !ff_verdict_is_never(ff_placement_judge(&at->room, needs, now_ns));
    return !could || (needs->nodes > 1 && ff_gang_most_nodes(agent, &free_nodes) < needs->nodes);
}

/* The most that any node has or will have. */
static struct ff_fresh find_most(const struct ff_agent *agent)
{
    struct ff_fresh most = find_fresh(agent);
    unsigned free_nodes;
    unsigned nodes = ff_gang_most_nodes(agent, &free_nodes);
    most.nodes = nodes > most.nodes ? nodes : most.nodes;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        most.devices = at->room.devices > most.devices ? at->room.devices : most.devices;
        most.cores = at->room.cores > most.cores ? at->room.cores : most.cores;
    }
    return most;
}

void ff_never_why(const struct ff_agent *agent, const struct ff_needs *needs, char *text,
                  size_t size)
{
    const struct ff_fresh most = find_most(agent);
    const char *name = agent->folder.name;
    if (needs->nodes > most.nodes)
        snprintf(text, size, "the task asks for %u nodes; endpoint %s has %u of one block at most",
                 needs->nodes, name, most.nodes);
    else if (needs->devices > most.devices)
        snprintf(text, size, "the task asks for %u GPUs; no node of endpoint %s has more than %u",
                 needs->devices, name, most.devices);
    else if (needs->cores > most.cores)
        snprintf(text, size, "the task asks for %u cores; no node of endpoint %s has more than %u",
                 needs->cores, name, most.cores);
    else
        snprintf(text, size,
                 "the task asks for %u GPUs and %u cores; no node of endpoint %s has both",
                 needs->devices, needs->cores, name);
}
