/* The other half of dispatch.h: which waiting task goes where. */
#include "endpoint/booking.h"
#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/manager.h"
#include "protocol/core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TELL_AFTER_MS = 500 };

/* ---- a place ---- */

/* The manager for a task of this shape; NULL with the verdict that says most about why not. */
static struct ff_manager *choose(const struct ff_agent *agent, const struct ff_needs *needs,
                                 int64_t now_ns, enum ff_verdict *verdict)
{
    struct ff_manager *best = NULL;
    uint64_t best_score = 0;
    *verdict = FF_NOT_OPEN;
    bool none = true;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        enum ff_verdict here = ff_placement_judge(&at->room, needs, now_ns);
        if (here <= FF_FITS_AHEAD) {
            uint64_t score = ff_placement_score(&at->room, needs, here);
            if (best == NULL || score > best_score) {
                best = at;
                best_score = score;
            }
        }
        /* One node that could is worth more words than all that never can. */
        if (none || here < *verdict)
            *verdict = here;
        none = false;
    }
    return best;
}

/* Whether a block that starts anew lives long enough for the task. */
static bool fresh_block_would_do(const struct ff_agent *agent, const struct ff_needs *needs)
{
    return agent->provider->grows && needs->lasts_ns <= agent->longest_block_ns;
}

/* A task that no block outlives begins all the same: it goes on from its checkpoint in the next one. */
static struct ff_manager *choose_in_time(const struct ff_agent *agent, struct ff_needs *needs,
                                         int64_t now_ns, enum ff_verdict *verdict)
{
    struct ff_manager *manager = choose(agent, needs, now_ns, verdict);
    if (manager != NULL || *verdict != FF_ENDS_TOO_SOON || fresh_block_would_do(agent, needs))
        return manager;
    needs->lasts_ns = 0;
    return choose(agent, needs, now_ns, verdict);
}

/* ---- a promise ---- */

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
    struct ff_release *releases = room_for_releases(agent, manager->given.count + 2);
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
    if (manager->room.devices_taken > 0)
        releases[count++] =
            (struct ff_release){.at_ns = FF_UNKNOWN_NS, .devices = manager->room.devices_taken};
    return count;
}

static bool is_large(const struct ff_needs *needs)
{
    return needs->devices > 0 || needs->cores > 1;
}

/* Promises the node that frees soonest for a task that fits nowhere now. */
static void promise_soonest(struct ff_agent *agent, const struct ff_needs *needs, int64_t now_ns)
{
    struct ff_manager *best = NULL;
    struct ff_promise best_promise = {.made = false};
    size_t best_ends = 0;
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        size_t ends;
        enum ff_verdict verdict = ff_placement_judge(&at->room, needs, now_ns);
        if (ff_verdict_is_never(verdict) || verdict == FF_NOT_OPEN || verdict == FF_ENDS_TOO_SOON ||
            at->room.whole)
            continue;
        size_t count = gather_releases(agent, at, now_ns);
        const struct ff_promise promise =
            ff_placement_soonest(&at->room, needs, agent->releases, count, now_ns, &ends);
        if (!promise.made)
            continue;
        if (best == NULL || promise.at_ns < best_promise.at_ns ||
            (promise.at_ns == best_promise.at_ns && ends < best_ends)) {
            best = at;
            best_promise = promise;
            best_ends = ends;
        }
    }
    if (best != NULL)
        best->room.promise = best_promise;
}

/* ---- never ---- */

/* What the settings say that no node will have more of; 0: they say nothing. */
static unsigned most_by_settings(const struct ff_agent *agent, bool devices)
{
    if (agent->provider->scheduler == NULL)
        return 0;
    return (unsigned)(devices ? agent->config.gpus_per_node : agent->config.cores_per_node);
}

/* Of a task for which no node is large enough, or there is none: what the settings say that none will ever have enough of. */
static enum ff_verdict judge_by_settings(const struct ff_agent *agent, const struct ff_needs *needs,
                                         enum ff_verdict verdict)
{
    unsigned devices = most_by_settings(agent, true);
    unsigned cores = most_by_settings(agent, false);
    bool none = ff_downlink_first(agent->downlink) == NULL;
    if (!none && !ff_verdict_is_never(verdict))
        return verdict;
    if (devices > 0 && needs->devices > devices)
        return FF_NEVER_DEVICES;
    return cores > 0 && needs->cores > cores ? FF_NEVER_CORES : verdict;
}

/* Whether a node may still come that has what no node has so far. */
static bool may_grow(const struct ff_agent *agent, const struct ff_needs *needs,
                     enum ff_verdict verdict)
{
    bool devices = verdict == FF_NEVER_DEVICES;
    unsigned most = most_by_settings(agent, devices);
    if (agent->provider->grows)
        return most == 0 || (devices ? needs->devices : needs->cores) <= most;
    for (const struct ff_block *at = ff_blocks_first(agent->blocks); at != NULL; at = at->next)
        if (!at->announced && at->state != FF_BLOCK_ENDED)
            return true;
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next)
        if (!at->ready)
            return true;
    return false;
}

static void fail_impossible(struct ff_agent *agent, struct ff_shape *shape, enum ff_verdict verdict)
{
    char message[256];
    bool devices = verdict == FF_NEVER_DEVICES;
    unsigned most = most_by_settings(agent, devices);
    for (const struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL;
         at = at->next) {
        unsigned has = devices ? at->room.devices : at->room.cores;
        most = has > most ? has : most;
    }
    snprintf(message, sizeof message,
             "the task asks for %u %s; no node of endpoint %s has more than %u",
             devices ? shape->devices : shape->cores, devices ? "GPUs" : "cores",
             agent->folder.name, most);
    ff_dispatch_fail_shape(agent, shape, message,
                           devices ? "ask for fewer GPUs, or use another endpoint; `farfield gpu "
                                     "list` shows what a node has"
                                   : "ask for fewer cores, or use another endpoint");
}

static enum ff_wait_reason reason_of(enum ff_verdict verdict)
{
    switch (verdict) {
    case FF_BUSY_DEVICES:
        return FF_WAIT_DEVICES;
    case FF_BUSY_CORES:
        return FF_WAIT_CORES;
    case FF_BUSY_SLOTS:
        return FF_WAIT_SLOT;
    case FF_PROMISED:
        return FF_WAIT_PROMISED;
    case FF_ENDS_TOO_SOON:
        return FF_WAIT_ENDS;
    default:
        return FF_WAIT_NODE;
    }
}

/* ---- a pass ---- */

/* What was asked of the task while it waited; it goes out behind the task. */
static void ask_again(struct ff_manager *manager, const struct ff_held *held)
{
    const struct ff_control control = {
        .task = held->task, .attempt = held->attempt, .action = held->asked};
    ff_gather_control(&manager->controls, &control);
}

static void give(struct ff_agent *agent, struct ff_manager *manager, const struct ff_needs *needs,
                 struct ff_held *held)
{
    ff_gather_raw(&manager->tasks, (struct ff_span){held->order, held->order_size});
    ff_booking_take(agent, manager, needs, held);
    ff_queue_give(agent->queue, held, &manager->given, manager);
    if (held->asked != 0)
        ask_again(manager, held);
}

/* Gives the first of a shape away, or says why all of them wait. */
static void place_first(struct ff_agent *agent, struct ff_shape *shape, int64_t now_ns,
                        bool *promised)
{
    struct ff_needs needs = ff_booking_needs_of_shape(agent, shape);
    enum ff_verdict verdict;
    struct ff_manager *manager = choose_in_time(agent, &needs, now_ns, &verdict);
    if (manager != NULL) {
        give(agent, manager, &needs, shape->list.first);
        return;
    }
    verdict = judge_by_settings(agent, &needs, verdict);
    if (ff_verdict_is_never(verdict) && !may_grow(agent, &needs, verdict)) {
        fail_impossible(agent, shape, verdict);
        return;
    }
    shape->blocked = true;
    shape->reason = reason_of(verdict);
    if (shape->priority == 0 && needs.nodes <= 1)
        ff_aside_make_room(agent, shape, &needs, now_ns);
    if (!*promised && is_large(&needs)) {
        promise_soonest(agent, &needs, now_ns);
        *promised = true;
    }
}

void ff_dispatch_run(struct ff_agent *agent)
{
    struct ff_shape *shape = NULL;
    bool promised = false;
    int64_t now_ns = ff_monotonic_ns();
    agent->dispatch_needed = false;
    if (agent->phase >= FF_AGENT_DRAINING)
        return;
    ff_queue_begin_pass(agent->queue);
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        at->room.promise.made = false;
        at->awaited = (struct ff_coming){0};
    }
    while ((shape = ff_queue_next_shape(agent->queue)) != NULL)
        place_first(agent, shape, now_ns, &promised);
    if (ff_queue_count(agent->queue, FF_HELD_WAITING) > 0) {
        agent->scale_needed = true;
        if (!agent->telling) {
            agent->telling = true;
            ff_timer_set_after(agent->wait_timer, TELL_AFTER_MS);
        }
    }
}
