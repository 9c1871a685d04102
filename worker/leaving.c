#include "worker/leaving.h"

#include "functions/function.h"
#include "protocol/core/clock.h"
#include "protocol/core/log.h"
#include "worker/call.h"
#include "worker/slot.h"
#include "worker/uplink.h"

#include <signal.h>

enum {
    CHECKPOINT_MS = 10000, /* for writing a checkpoint, when nobody says how long there is */
    LEAD_MS = 60000,
    LEAST_LEAD_MS = 5000,
    LAST_MS = 2000, /* before the end: for killing, and for the outcomes to arrive */
};

static void ask_for_checkpoints(struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++) {
        struct ff_slot *slot = &manager->slots[i];
        if (slot->calls.first != NULL)
            ff_handed_ask(slot->calls.first, FF_CHECKPOINT);
    }
}

static void kill_all(void *user)
{
    struct ff_manager *manager = user;
    for (size_t i = 0; i < manager->slot_count; i++)
        if (manager->slots[i].calls.first != NULL)
            ff_slot_kill(&manager->slots[i], NULL);
    manager->overdue = true;
    ff_loop_wake(manager->loop);
}

static bool can_checkpoint(const struct ff_manager *manager)
{
    for (size_t i = 0; i < manager->slot_count; i++)
        if (manager->slots[i].calls.first != NULL &&
            (manager->slots[i].flags & FF_FUNCTION_CAN_CHECKPOINT) != 0)
            return true;
    return false;
}

/* How long what runs may still take when nobody says how long there is. */
static int64_t usual_grace_ms(const struct ff_manager *manager)
{
    return can_checkpoint(manager) ? CHECKPOINT_MS : FF_KILL_GRACE_MS;
}

static void begin_to_leave(struct ff_manager *manager)
{
    static const char why[] = "the worker is about to leave";
    if (!manager->draining) {
        manager->draining = true;
        ff_uplink_say_draining(manager->uplink, why);
        for (size_t i = 0; i < manager->slot_count; i++)
            if (manager->slots[i].child != NULL)
                ff_slot_recall(&manager->slots[i]);
        ff_works_give_back_all(manager, why);
    }
    ff_loop_wake(manager->loop);
}

/* Of several reasons for haste the one that leaves least time counts. */
static void hurry(struct ff_manager *manager, int64_t grace_ms)
{
    const int64_t killed_ns = ff_monotonic_ns() + grace_ms * 1000000;
    if (manager->hurried && killed_ns >= manager->killed_ns)
        return;
    if (!manager->hurried)
        ask_for_checkpoints(manager);
    manager->hurried = true;
    manager->killed_ns = killed_ns;
    ff_timer_set(manager->leave_timer, killed_ns);
}

void ff_manager_leave(struct ff_manager *manager, bool hurried)
{
    begin_to_leave(manager);
    if (hurried)
        hurry(manager, usual_grace_ms(manager));
}

bool ff_manager_is_signalled(const struct ff_manager *manager)
{
    sigset_t pending;
    if (manager->signalled)
        return true;
    sigemptyset(&pending);
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGUSR1) == 1 ||
            sigismember(&pending, SIGUSR2) == 1);
}

bool ff_manager_has_left(const struct ff_manager *manager)
{
    if (!manager->draining || manager->work_count > manager->ended.count)
        return false;
    return manager->ended.count == 0 || (manager->hurried && !ff_uplink_is_open(manager->uplink)) ||
           manager->overdue;
}

/* ---- the end of the block ---- */

int64_t ff_leaving_lead_ms(int64_t left_ms)
{
    int64_t lead_ms = left_ms / 10;
    if (lead_ms < LEAST_LEAD_MS)
        return LEAST_LEAD_MS;
    return lead_ms < LEAD_MS ? lead_ms : LEAD_MS;
}

void ff_manager_block_ends(struct ff_manager *manager)
{
    ff_log(FF_LOG_INFO, "the block ends soon: what runs is asked for a checkpoint");
    manager->block_ends = true;
    begin_to_leave(manager);
    if (manager->settings.ends_ns == 0) {
        hurry(manager, usual_grace_ms(manager));
        return;
    }
    int64_t left_ms = (manager->settings.ends_ns - ff_wall_ns()) / 1000000 - LAST_MS;
    hurry(manager, left_ms > 0 ? left_ms : 0);
}

static void leaves(void *user)
{
    ff_manager_block_ends(user);
}

int ff_leaving_open(struct ff_manager *manager, struct ff_error *error)
{
    manager->leave_timer = ff_timer_create(manager->loop, kill_all, manager, error);
    manager->ends_timer = ff_timer_create(manager->loop, leaves, manager, error);
    if (manager->leave_timer == NULL || manager->ends_timer == NULL)
        return -1;
    if (manager->settings.ends_ns == 0)
        return 0;
    int64_t left_ms = (manager->settings.ends_ns - ff_wall_ns()) / 1000000;
    int64_t lead_ms = ff_leaving_lead_ms(left_ms);
    manager->leaves_ns = manager->settings.ends_ns - lead_ms * 1000000;
    ff_timer_set_after(manager->ends_timer, left_ms > lead_ms ? left_ms - lead_ms : 0);
    return 0;
}

void ff_leaving_close(struct ff_manager *manager)
{
    ff_timer_destroy(manager->leave_timer);
    ff_timer_destroy(manager->ends_timer);
}
