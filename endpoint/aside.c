#include "endpoint/aside.h"

#include "endpoint/dispatch.h"
#include "endpoint/downlink.h"
#include "endpoint/manager.h"
#include "protocol/core/log.h"

#include <stdlib.h>

/* ---- the choice ---- */

/* What is still missing on a node; below zero: more than enough. */
struct missing {
    int64_t slots;
    int64_t devices;
    int64_t cores;
};

static int64_t cores_of(uint32_t cores)
{
    return cores > 1 ? cores : 1;
}

static struct missing missing_of(const struct ff_room *room, const struct ff_needs *needs,
                                 const struct ff_coming *coming)
{
    struct missing missing = {
        .slots = 1 + (int64_t)room->given - room->slots - coming->slots,
        .devices = (int64_t)needs->devices + room->devices_used + room->devices_taken -
                   room->devices - coming->devices,
        .cores = needs->cores > 1 && room->cores > 0
                     ? (int64_t)needs->cores + room->cores_used - room->cores - coming->cores
                     : 0,
    };
    return missing;
}

static bool suffices(const struct missing *missing)
{
    return missing->slots <= 0 && missing->devices <= 0 && missing->cores <= 0;
}

static void subtract(struct missing *missing, const struct ff_aside *candidate, int sign)
{
    missing->slots -= sign;
    missing->devices -= sign * (int64_t)candidate->devices;
    missing->cores -= sign * cores_of(candidate->cores);
}

/* Those with the most GPUs first, then with the most cores; of equals the one that began last. */
static int compare(const void *a, const void *b)
{
    const struct ff_aside *left = a;
    const struct ff_aside *right = b;
    if (left->devices != right->devices)
        return left->devices > right->devices ? -1 : 1;
    if (left->cores != right->cores)
        return left->cores > right->cores ? -1 : 1;
    return (left->held->given_ns < right->held->given_ns) -
           (left->held->given_ns > right->held->given_ns);
}

int ff_aside_choose(const struct ff_room *room, const struct ff_needs *needs,
                    const struct ff_coming *coming, struct ff_aside *candidates, size_t count)
{
    struct missing missing = missing_of(room, needs, coming);
    int chosen = 0;
    qsort(candidates, count, sizeof candidates[0], compare);
    for (size_t i = 0; i < count; i++) {
        candidates[i].chosen = !suffices(&missing);
        if (!candidates[i].chosen)
            continue;
        subtract(&missing, &candidates[i], 1);
        chosen++;
    }
    if (!suffices(&missing))
        return -1;
    /* One that came in for its GPUs may have become superfluous by a later one. */
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i].chosen)
            continue;
        subtract(&missing, &candidates[i], -1);
        if (suffices(&missing)) {
            candidates[i].chosen = false;
            chosen--;
        } else {
            subtract(&missing, &candidates[i], 1);
        }
    }
    return chosen;
}

/* ---- at the endpoint ---- */

static bool was_asked_lately(const struct ff_held *held, int64_t now_ns)
{
    return held->asked == FF_CONTROL_CHECKPOINT &&
           now_ns - held->asked_ns < FF_ASIDE_LIMIT_MS * 1000000ll;
}

static bool is_about_to_end(const struct ff_held *held, int64_t now_ns)
{
    return ff_placement_end(held->given_ns, held->lasts_ns, now_ns) - now_ns <
           FF_ABOUT_TO_END_MS * 1000000ll;
}

static bool may_be_asked(const struct ff_held *held)
{
    return held->priority == FF_PRIORITIES - 1 && held->state == FF_TASK_RUNNING &&
           held->can_checkpoint && held->asked == 0 && !held->unwanted && held->nodes <= 1 &&
           held->number < FF_UNCHARGED_MAX / 2;
}

/* What comes without asking on a node, less what was counted on already in this pass; and who might be asked there. */
static struct ff_coming look_at(const struct ff_manager *manager, struct ff_aside *candidates,
                                size_t *count, int64_t now_ns)
{
    struct ff_coming coming = {0};
    *count = 0;
    for (struct ff_held *at = manager->given.first; at != NULL; at = at->next) {
        if (at->slow && (was_asked_lately(at, now_ns) || is_about_to_end(at, now_ns))) {
            coming.slots++;
            coming.devices += at->devices;
            coming.cores += (unsigned)cores_of(at->cores);
        } else if (may_be_asked(at)) {
            candidates[(*count)++] =
                (struct ff_aside){.held = at, .devices = at->devices, .cores = at->cores};
        }
    }
    coming.slots -= manager->awaited.slots < coming.slots ? manager->awaited.slots : coming.slots;
    coming.devices -=
        manager->awaited.devices < coming.devices ? manager->awaited.devices : coming.devices;
    coming.cores -= manager->awaited.cores < coming.cores ? manager->awaited.cores : coming.cores;
    return coming;
}

/* Of a node's candidates, those that would do for one task; the fewest over all nodes. */
struct plan {
    struct ff_manager *manager;
    struct ff_aside *asides;
    size_t count;
    int chosen;
};

static void free_plan(struct plan *plan)
{
    free(plan->asides);
    plan->asides = NULL;
}

static struct plan find_plan(const struct ff_agent *agent, const struct ff_needs *needs,
                             int64_t now_ns)
{
    struct plan best = {0};
    for (struct ff_manager *at = ff_downlink_first(agent->downlink); at != NULL; at = at->next) {
        enum ff_verdict verdict = ff_placement_judge(&at->room, needs, now_ns);
        struct plan here = {.manager = at};
        if (ff_verdict_is_never(verdict) || verdict == FF_NOT_OPEN || verdict == FF_ENDS_TOO_SOON ||
            at->room.whole)
            continue;
        here.asides = calloc(at->given.count + 1, sizeof here.asides[0]);
        if (here.asides == NULL)
            continue;
        const struct ff_coming coming = look_at(at, here.asides, &here.count, now_ns);
        here.chosen = ff_aside_choose(&at->room, needs, &coming, here.asides, here.count);
        if (here.chosen >= 0 && (best.manager == NULL || here.chosen < best.chosen)) {
            free_plan(&best);
            best = here;
        } else {
            free_plan(&here);
        }
    }
    return best;
}

void ff_aside_make_room(struct ff_agent *agent, const struct ff_shape *shape,
                        const struct ff_needs *needs, int64_t now_ns)
{
    for (unsigned i = 0; i < shape->list.count; i++) {
        struct plan plan = find_plan(agent, needs, now_ns);
        if (plan.manager == NULL)
            return;
        for (size_t j = 0; j < plan.count; j++) {
            if (!plan.asides[j].chosen)
                continue;
            struct ff_held *held = plan.asides[j].held;
            ff_log(FF_LOG_INFO, "a batch task on %s is asked to step aside for a live one",
                   plan.manager->node);
            ff_dispatch_ask(held, FF_CONTROL_CHECKPOINT);
            held->asked_ns = now_ns;
        }
        plan.manager->awaited.slots++;
        plan.manager->awaited.devices += needs->devices;
        plan.manager->awaited.cores += (unsigned)cores_of(needs->cores);
        free_plan(&plan);
    }
}
