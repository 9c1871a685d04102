#include "endpoint/promise.h"

#include "endpoint/downlink.h"
#include "endpoint/elastic.h"
#include "endpoint/manager.h"

#include <stdlib.h>

static struct ff_release *room_for_releases(struct ff_agent *agent, size_t count)
{
    if (count > agent->release_capacity) {
        struct ff_release *grown = realloc(agent->releases, count * sizeof grown[0]);
        if (grown == NULL)
            return NULL;
        agent->releases = grown;
        agent->release_capacity = count;
    }
    return agent->releases;
}

/* What ends on a manager, and when, as far as is known; tiny calls count together. Their number; 0 without memory. */
static size_t gather_releases(struct ff_agent *agent, const struct ff_manager *manager,
                              int64_t now_ns)
{
    struct ff_release *releases = room_for_releases(agent, manager->given.count + 3);
    struct ff_release tiny = {.at_ns = now_ns + FF_AHEAD_US * 1000ll};
    size_t count = 0;
    if (releases == NULL)
        return 0;
    for (const struct ff_held *at = manager->given.first; at != NULL; at = at->next) {
        unsigned cores = at->cores > 1 ? at->cores : 1;
        if (!at->slow) {
            tiny.slots++;
            tiny.devices += at->devices;
            tiny.cores += cores;
            continue;
        }
        releases[count++] = (struct ff_release){
            .at_ns = ff_placement_end(at->given_ns, at->lasts_ns, now_ns),
            .slots = 1,
            .devices = at->devices,
            .cores = cores,
        };
    }
    if (tiny.slots > 0)
        releases[count++] = tiny;
    if (manager->gang != NULL && manager->gang->manager != manager)
        releases[count++] = (struct ff_release){
            .at_ns = ff_placement_end(manager->gang->given_ns, manager->gang->lasts_ns, now_ns),
            .slots = manager->room.slots,
        };
    if (manager->room.devices_taken > 0)
        releases[count++] =
            (struct ff_release){.at_ns = FF_UNKNOWN_NS, .devices = manager->room.devices_taken};
    return count;
}

/* When one node could run the task, or be part of it. */
static struct ff_promise look_at(struct ff_agent *agent, const struct ff_manager *manager,
                                 const struct ff_needs *needs, int64_t now_ns, size_t *ends)
{
    const struct ff_promise none = {.made = false};
    enum ff_verdict verdict = ff_placement_judge(&manager->room, needs, now_ns);
    if (ff_verdict_is_never(verdict) || verdict == FF_NOT_OPEN || verdict == FF_ENDS_TOO_SOON)
        return none;
    size_t count = gather_releases(agent, manager, now_ns);
    return ff_placement_soonest(&manager->room, needs, agent->releases, count, now_ns, ends);
}

static bool is_sooner(const struct ff_promise *a, size_t a_ends, const struct ff_promise *b,
                      size_t b_ends)
{
    return !b->made || a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a_ends < b_ends);
}

static void promise_node(struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns)
{
    struct ff_manager *best = NULL;
    struct ff_promise best_promise = {.made = false};
    size_t best_ends = 0;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        size_t ends = 0;
        const struct ff_promise promise = look_at(agent, at, needs, now_ns, &ends);
        if (!promise.made || !is_sooner(&promise, ends, &best_promise, best_ends))
            continue;
        best = at;
        best_promise = promise;
        best_ends = ends;
    }
    if (best != NULL)
        best->room.promise = best_promise;
}

/* ---- several nodes ---- */

/* A node of a block, and when it is wholly free. */
struct candidate {
    struct ff_manager *manager;
    struct ff_promise promise;
    size_t ends;
};

static int compare(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    if (left->promise.at_ns != right->promise.at_ns)
        return left->promise.at_ns < right->promise.at_ns ? -1 : 1;
    return (left->ends > right->ends) - (left->ends < right->ends);
}

static size_t find_candidates(struct ff_agent *agent, const struct ff_block *block,
                              const struct ff_needs *needs, int64_t now_ns,
                              struct candidate *candidates)
{
    size_t count = 0;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        struct candidate candidate = {.manager = at};
        if (at->block != block)
            continue;
        candidate.promise = look_at(agent, at, needs, now_ns, &candidate.ends);
        if (candidate.promise.made)
            candidates[count++] = candidate;
    }
    qsort(candidates, count, sizeof candidates[0], compare);
    return count;
}

/* How many of the candidates a call gets, with nodes of the block that have not come yet for the rest; 0: too few. */
static size_t count_kept(const struct ff_agent *agent, const struct ff_block *block,
                         const struct ff_needs *needs, size_t candidates)
{
    if (candidates >= needs->nodes)
        return needs->nodes;
    size_t coming = ff_elastic_nodes_to_come(agent->elastic, block);
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        coming += at->block == block && !at->ready && !at->draining;
    return candidates + coming >= needs->nodes ? candidates : 0;
}

/* Of all blocks the one whose nodes are free soonest, all of them kept until the last is. Nodes of a block that come one after
 * the other wait for each other: else younger calls take the first. */
static void promise_nodes(struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns)
{
    const struct ff_block *best = NULL;
    struct candidate last = {.promise = {.made = false}};
    size_t managers = 0;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        managers++;
    struct candidate *candidates = calloc(managers + 1, sizeof candidates[0]);
    if (candidates == NULL)
        return;
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next) {
        size_t count = find_candidates(agent, at, needs, now_ns, candidates);
        size_t kept = count_kept(agent, at, needs, count);
        if (kept == 0)
            continue;
        const struct candidate *here = &candidates[kept - 1];
        if (!is_sooner(&here->promise, here->ends, &last.promise, last.ends))
            continue;
        best = at;
        last = *here;
    }
    size_t count = best != NULL ? find_candidates(agent, best, needs, now_ns, candidates) : 0;
    for (size_t i = 0; i < count && i < needs->nodes; i++) {
        candidates[i].manager->room.promise = candidates[i].promise;
        candidates[i].manager->room.promise.at_ns = last.promise.at_ns;
    }
    free(candidates);
}

void ff_promise_soonest(struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns)
{
    if (needs->nodes > 1)
        promise_nodes(agent, needs, now_ns);
    else
        promise_node(agent, needs, now_ns);
}

void ff_promise_forget(struct ff_agent *agent)
{
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next)
        at->room.promise.made = false;
}
