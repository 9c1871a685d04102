#include "endpoint/never.h"

#include "endpoint/downlink.h"
#include "endpoint/gang.h"
#include "endpoint/manager.h"

#include <stdio.h>

bool ff_fresh_would_do(const struct ff_fresh *fresh, const struct ff_needs *needs)
{
    return fresh->comes && (fresh->devices == 0 || needs->devices <= fresh->devices) &&
           (fresh->cores == 0 || needs->cores <= fresh->cores) && needs->nodes <= fresh->nodes;
}

/* Whether one is under way whose shape nobody can tell: a block of an earlier agent, or the first of a machine. */
static bool stranger_comes(const struct ff_agent *agent)
{
    if (ff_downlink_first(agent->downlink) == NULL && !agent->provider->grows)
        return true;
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (!at->announced && at->state != FF_BLOCK_ENDED &&
            (at->adopted || !agent->provider->grows))
            return true;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        if (!at->ready)
            return true;
    return false;
}

static struct ff_fresh find_fresh(const struct ff_agent *agent)
{
    const struct ff_config *config = &agent->config;
    unsigned nodes = (unsigned)config->nodes_per_block;
    if (stranger_comes(agent))
        return (struct ff_fresh){.comes = true, .nodes = nodes};
    const struct ff_fresh fresh = {
        .comes = agent->provider->grows,
        .devices = (unsigned)config->gpus_per_node,
        .cores = (unsigned)config->cores_per_node,
        .nodes = nodes,
    };
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
        snprintf(text, size, "the task asks for %u nodes; a block of endpoint %s has %u",
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
