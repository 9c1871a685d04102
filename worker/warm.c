#include "worker/warm.h"

#include "worker/call.h"
#include "worker/leases.h"
#include "worker/manager.h"

#include "protocol/core/clock.h"
#include "protocol/limits.h"

enum { LOOK_MS = 100 }; /* how long a claim of another process waits for an idle runner at most */

static bool is_warm(const struct ff_slot *slot)
{
    return slot->state == FF_SLOT_IDLE && slot->lease != NULL;
}

/* Ends those that have idled for long enough; true: some are left. */
static bool end_old(struct ff_manager *manager)
{
    int64_t now_ns = ff_monotonic_ns();
    bool some = false;
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (!is_warm(slot))
            continue;
        if (now_ns - slot->used_ns >= FF_GPU_WARM_MS * 1000000ll)
            ff_slot_kill(slot, NULL);
        else
            some = true;
    }
    return some;
}

/* A claim is only seen by looking; there is nothing to look for without a warm runner. */
static void look(void *user)
{
    struct ff_manager *manager = user;
    if (ff_leases_are_wanted(manager->leases))
        ff_warm_end(manager);
    if (end_old(manager))
        ff_timer_set_after(manager->warm_timer, LOOK_MS);
}

int ff_warm_open(struct ff_manager *manager, struct ff_error *error)
{
    manager->warm_timer = ff_timer_create(manager->loop, look, manager, error);
    return manager->warm_timer != NULL ? 0 : -1;
}

void ff_warm_close(struct ff_manager *manager)
{
    ff_timer_destroy(manager->warm_timer);
    manager->warm_timer = NULL;
}

static void hand(struct ff_slot *slot, struct ff_work *work)
{
    char task[FF_ID_TEXT_SIZE];
    ff_id_text(&work->order.task, task);
    ff_gpu_lease_set_task(slot->lease, task);
    ff_slot_hand(slot, work);
    /* What could not be handed over has ended; the runner waits for another one. */
    if (slot->state == FF_SLOT_IDLE)
        ff_timer_set_after(slot->manager->warm_timer, LOOK_MS);
}

bool ff_warm_take(struct ff_manager *manager, struct ff_work *work)
{
    if (ff_leases_are_wanted(manager->leases))
        return false;
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (!is_warm(slot) || slot->group != work->group)
            continue;
        hand(slot, work);
        return true;
    }
    return false;
}

void ff_warm_after(struct ff_slot *slot)
{
    struct ff_manager *manager = slot->manager;
    struct ff_work *next = ff_leases_next(manager->leases, slot->group);
    if (next != NULL) {
        hand(slot, next);
    } else if (ff_leases_are_wanted(manager->leases) || manager->draining) {
        ff_slot_kill(slot, NULL);
    } else {
        ff_gpu_lease_set_task(slot->lease, "none (kept for the next call)");
        ff_timer_set_after(manager->warm_timer, LOOK_MS);
    }
}

void ff_warm_end(struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++)
        if (is_warm(&manager->slots[i]))
            ff_slot_kill(&manager->slots[i], NULL);
}
