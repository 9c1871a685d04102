/*
 * Which work goes to which slot. Works stand in groups of those that one runner can serve; of all groups the one whose
 * first work came first is placed first:
 *
 *   1. on an idle slot whose runner serves the group already,
 *   2. on an empty slot, with a new runner,
 *   3. on idle slots of other groups, whose runners are ended for it: they are empty in a moment,
 *   4. where the group's calls are short: behind others, on the slot of the group that has the fewest.
 *
 * Calls that were handed ahead come back when the one before them takes long after all (call.c).
 */
#include "worker/dispatch.h"

#include "worker/call.h"
#include "worker/manager.h"
#include "worker/slot.h"
#include "worker/warm.h"

#include "protocol/core/clock.h"
#include "protocol/core/log.h"

enum {
    SHORT_NS = 2000000,
    STUCK_NS = 20000000,
    AHEAD_BYTES =
        1 << 20 /* that may wait in the channel of one runner before more are handed ahead */
};

/* How many slots are becoming empty, and are not counted on yet, in this pass. */
struct pass {
    unsigned expected;
};

static size_t slots_needed(const struct ff_manager *manager, const struct ff_group *group)
{
    return ff_slots_for(group->cores, manager->slot_count, manager->core_count);
}

static struct ff_slot *find_slot(struct ff_manager *manager, enum ff_slot_state state,
                                 const struct ff_group *group)
{
    struct ff_slot *best = NULL;
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->state == state && (group == NULL || slot->group == group) &&
            (best == NULL || slot->used_ns < best->used_ns))
            best = slot;
    }
    return best;
}

static size_t count_slots(const struct ff_manager *manager, enum ff_slot_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < manager->slot_count; i++)
        count += manager->slots[i].state == state;
    return count;
}

/* Idle slots whose cores can be lent; a runner that keeps GPUs would keep them for as long. */
static size_t count_lendable(const struct ff_manager *manager)
{
    size_t count = 0;
    for (size_t i = 0; i < manager->slot_count; i++)
        count += manager->slots[i].state == FF_SLOT_IDLE && manager->slots[i].lease == NULL;
    return count;
}

/* Takes the cores of other slots for a call that needs more than one. */
static void lend(struct ff_manager *manager, struct ff_slot *to, size_t needed)
{
    for (size_t i = 0; i < manager->slot_count && to->slots_taken < needed; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot == to || slot->lease != NULL || !ff_slot_move(&slot->state, FF_SLOT_LEND))
            continue;
        slot->lent_to = to;
        to->slots_taken++;
    }
}

static bool start_on(struct ff_slot *slot, struct ff_group *group, size_t needed)
{
    struct ff_error error;
    struct ff_work *work = group->ready.first;
    slot->slots_taken = 1;
    lend(slot->manager, slot, needed);
    struct ff_gpu_lease *lease = work->lease;
    work->lease = NULL;
    if (ff_slot_start(slot, group, lease, &error) < 0) {
        work->lease = lease;
        ff_work_fail(work, &error);
        return true;
    }
    ff_slot_hand(slot, work);
    return true;
}

/* Ends idle runners of other groups, as many as are still needed. */
static void make_room(struct ff_manager *manager, struct pass *pass, size_t needed)
{
    size_t empty = count_slots(manager, FF_SLOT_EMPTY);
    size_t missing = needed > empty ? needed - empty : 0;
    while (missing > pass->expected) {
        struct ff_slot *slot = find_slot(manager, FF_SLOT_IDLE, NULL);
        if (slot == NULL)
            break;
        ff_slot_kill(slot, NULL);
        pass->expected++;
    }
    pass->expected -= missing < pass->expected ? (unsigned)missing : pass->expected;
}

static struct ff_slot *find_ahead(struct ff_manager *manager, const struct ff_group *group)
{
    if (!group->known || group->own_process || group->devices > 0 || group->run_ns < 0 ||
        group->run_ns > SHORT_NS)
        return NULL;
    struct ff_slot *best = NULL;
    int64_t now_ns = ff_monotonic_ns();
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->state == FF_SLOT_BUSY && slot->group == group && slot->slots_taken == 1 &&
            slot->calls.count < FF_RUNNER_WINDOW &&
            ff_channel_pending(slot->child->channel) < AHEAD_BYTES &&
            now_ns - slot->head_ns < STUCK_NS &&
            (best == NULL || slot->calls.count < best->calls.count))
            best = slot;
    }
    return best;
}

static bool place(struct ff_manager *manager, struct pass *pass, struct ff_group *group)
{
    size_t needed = slots_needed(manager, group);
    struct ff_slot *slot = NULL;
    if (group->devices == 0 && needed == 1)
        slot = find_slot(manager, FF_SLOT_IDLE, group);
    if (slot != NULL) {
        ff_slot_hand(slot, group->ready.first);
        return true;
    }
    size_t usable = count_slots(manager, FF_SLOT_EMPTY);
    if (needed > 1)
        usable += count_lendable(manager);
    slot = usable >= needed ? find_slot(manager, FF_SLOT_EMPTY, NULL) : NULL;
    if (slot != NULL)
        return start_on(slot, group, needed);
    if (needed > 1)
        ff_warm_end(manager);
    make_room(manager, pass, 1);
    slot = needed == 1 ? find_ahead(manager, group) : NULL;
    if (slot == NULL)
        return false;
    ff_slot_hand(slot, group->ready.first);
    return true;
}

/* A call that needs several slots keeps others from taking what becomes free, so that it is not starved. */
static struct ff_group *next_group(struct ff_manager *manager)
{
    struct ff_group *best = NULL;
    for (struct ff_group *group = manager->groups; group != NULL; group = group->next)
        if (!group->blocked && group->ready.first != NULL &&
            (best == NULL || group->ready.first->sequence < best->ready.first->sequence))
            best = group;
    return best;
}

void ff_dispatch(struct ff_manager *manager)
{
    struct pass pass = {(unsigned)count_slots(manager, FF_SLOT_ENDING)};
    struct ff_group *group;
    for (group = manager->groups; group != NULL; group = group->next)
        group->blocked = false;
    while ((group = next_group(manager)) != NULL) {
        if (place(manager, &pass, group))
            continue;
        group->blocked = true;
        if (slots_needed(manager, group) > 1)
            break;
    }
    manager->dispatch_wanted = false;
}

void ff_dispatch_refill(struct ff_manager *manager)
{
    struct ff_error error;
    if (manager->spare != NULL || manager->draining || manager->spare_failed)
        return;
    manager->spare = ff_child_start(manager->runner, &error);
    if (manager->spare != NULL)
        return;
    ff_log_error("no runner can be started ahead", &error);
    manager->spare_failed = true;
}
